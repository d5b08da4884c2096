// Latents [C, F, h, w] → a picture at latent resolution: rgb = Σ_c x[c] · matrix[c] + bias, as RGBA bytes in a word.
struct Params { C: u32, pixels: u32 } // pixels: F · h · w

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> rgb_of: array<f32>; // [C, 3]
@group(0) @binding(2) var<storage, read> bias: array<f32>;
@group(0) @binding(3) var<storage, read_write> out: array<u32>;
@group(0) @binding(4) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) wid: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_id) lid: vec3<u32>,
) {
  let i = (wid.y * groups.x + wid.x) * 64u + lid.x;
  if (i >= params.pixels) { return; }
  var rgb = vec3<f32>(bias[0], bias[1], bias[2]);
  for (var c = 0u; c < params.C; c++) {
    rgb += x[c * params.pixels + i] * vec3<f32>(rgb_of[3u * c], rgb_of[3u * c + 1u], rgb_of[3u * c + 2u]);
  }
  out[i] = pack4x8unorm(vec4<f32>(clamp(rgb, vec3<f32>(0.0), vec3<f32>(1.0)), 1.0));
}
