// Copies rows into the slots of a KV cache. A thread owns PER neighbours of a row: a pair (lib/pair-*) where its length is
// even, else an element. Constant: PER, 1 or 2.
struct Params { N: u32, D: u32, per_frame: u32, first_frame: u32, sink: u32, window: u32 }

@group(0) @binding(0) var<storage, read> x: array<XT>;
@group(0) @binding(1) var<storage, read_write> out: array<OT>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) wid: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_id) lid: vec3<u32>,
) {
  let i = ((wid.y * groups.x + wid.x) * 64u + lid.x) * PER;
  if (i >= params.N * params.D) { return; }
  let at = slot_row(i / params.D) * params.D + i % params.D;
  if (PER == 1u) {
    out[at] = OT(x[i]);
  } else {
    put_pair(at / 2u, vec2<f32>(f32(x[i]), f32(x[i + 1u])));
  }
}
