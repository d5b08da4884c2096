// out = gelu(a) · b, element by element: T5's gated feed-forward. In UMT5-XXL products may be too large for f16: they are
// cut off at the largest number that there is.
struct Params { count: u32 }

override TOP: f32 = 3.4e38;

@group(0) @binding(0) var<storage, read> a: array<elem>;
@group(0) @binding(1) var<storage, read> b: array<elem>;
@group(0) @binding(2) var<storage, read_write> out: array<elem>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) wid: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_id) lid: vec3<u32>,
) {
  let i = (wid.y * groups.x + wid.x) * 64u + lid.x;
  if (i >= params.count) { return; }
  out[i] = elem(clamp(gelu(f32(a[i])) * f32(b[i]), -TOP, TOP));
}
