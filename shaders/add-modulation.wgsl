// out[f, p, d] = table[p, d] + e[f, p, d]; e may have one row a frame for all p.
struct Params { F: u32, P: u32, D: u32, e_rows: u32 }

@group(0) @binding(0) var<storage, read> table: array<f32>;
@group(0) @binding(1) var<storage, read> e: array<f32>;
@group(0) @binding(2) var<storage, read_write> out: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) wid: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_id) lid: vec3<u32>,
) {
  let i = (wid.y * groups.x + wid.x) * 64u + lid.x;
  if (i >= params.F * params.P * params.D) { return; }
  let frame = i / (params.P * params.D);
  let p = (i / params.D) % params.P;
  out[i] = table[p * params.D + i % params.D] + e[(frame * params.e_rows + p % params.e_rows) * params.D + i % params.D];
}
