// out = x + y. The residual stream is f32.
struct Params { count: u32 }

@group(0) @binding(0) var<storage, read> x: array<XT>;
@group(0) @binding(1) var<storage, read> y: array<YT>;
@group(0) @binding(2) var<storage, read_write> out: array<XT>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) wid: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_id) lid: vec3<u32>,
) {
  let i = (wid.y * groups.x + wid.x) * 64u + lid.x;
  if (i >= params.count) { return; }
  out[i] = XT(f32(x[i]) + f32(y[i]));
}
