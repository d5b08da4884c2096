// T5's relative position bias: out[head, query, key] = table[bucket[key − query + L − 1], head].
struct Params { L: u32, heads: u32 }

@group(0) @binding(0) var<storage, read> table: array<f32>;
@group(0) @binding(1) var<storage, read> buckets: array<i32>;
@group(0) @binding(2) var<storage, read_write> out: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) wid: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_id) lid: vec3<u32>,
) {
  let i = (wid.y * groups.x + wid.x) * 64u + lid.x;
  if (i >= params.heads * params.L * params.L) { return; }
  let head = i / (params.L * params.L);
  let query = (i / params.L) % params.L;
  let key = i % params.L;
  out[i] = table[u32(buckets[key + params.L - 1u - query]) * params.heads + head];
}
