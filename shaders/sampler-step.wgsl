// One denoising step as the sum that it is: out = a·x + b·v + c·noise (see src/ops/sampler.ts for a, b, c).
struct Params { count: u32, a: f32, b: f32, c: f32 }

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> v: array<f32>;
@group(0) @binding(2) var<storage, read> noise: array<f32>;
@group(0) @binding(3) var<storage, read_write> out: array<f32>;
@group(0) @binding(4) var<uniform> params: Params;

override HAS_NOISE = 0u;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) wid: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_id) lid: vec3<u32>,
) {
  let i = (wid.y * groups.x + wid.x) * 64u + lid.x;
  if (i >= params.count) { return; }
  var value = params.a * x[i] + params.b * v[i];
  if (HAS_NOISE == 1u) { value += params.c * noise[i]; }
  out[i] = value;
}
