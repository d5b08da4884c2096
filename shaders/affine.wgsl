// out[c, :] = x[c, :] · scale[c] + shift[c].
struct Params { count: u32, per_channel: u32 }

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> scale: array<f32>;
@group(0) @binding(2) var<storage, read> shift: array<f32>;
@group(0) @binding(3) var<storage, read_write> out: array<f32>;
@group(0) @binding(4) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) wid: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_id) lid: vec3<u32>,
) {
  let i = (wid.y * groups.x + wid.x) * 64u + lid.x;
  if (i >= params.count) { return; }
  let c = i / params.per_channel;
  out[i] = x[i] * scale[c] + shift[c];
}
