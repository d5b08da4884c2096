// Rotary position embedding: interleaved pairs of each head turned by angles [N, HEAD/2, (cos, sin)]; into a dense
// tensor or the slots of a KV cache. A thread owns a pair.
struct Params {
  N: u32, heads: u32, half: u32, // pairs of a head
  per_frame: u32, first_frame: u32, sink: u32, window: u32,
}

@group(0) @binding(0) var<storage, read> x: array<XT>;
@group(0) @binding(1) var<storage, read> angles: array<vec2<f32>>;
@group(0) @binding(2) var<storage, read_write> out: array<OT>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) wid: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_id) lid: vec3<u32>,
) {
  let i = (wid.y * groups.x + wid.x) * 64u + lid.x;
  let pairs = params.heads * params.half;
  if (i >= params.N * pairs) { return; }
  let row = i / pairs;
  let turn = angles[row * params.half + i % params.half];
  let a = f32(x[2u * i]);
  let b = f32(x[2u * i + 1u]);
  put_pair(slot_row(row) * pairs + i % pairs, vec2<f32>(a * turn.x - b * turn.y, a * turn.y + b * turn.x));
}
