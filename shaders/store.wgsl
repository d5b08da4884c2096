// Copies rows into the slots of a KV cache. A thread owns an element.
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
  let i = (wid.y * groups.x + wid.x) * 64u + lid.x;
  if (i >= params.N * params.D) { return; }
  out[slot_row(i / params.D) * params.D + i % params.D] = OT(x[i]);
}
