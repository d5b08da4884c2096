// RGB [T, H, W, 3] in [0, 1] → I420, bt709, limited range: per frame the Y plane, then U, then V at half size, 8 bit,
// tightly packed. Chroma is the mean of its four pixels. A thread writes four bytes of one frame.
struct Params { T: u32, H: u32, W: u32 }

@group(0) @binding(0) var<storage, read> x: array<XT>;
@group(0) @binding(1) var<storage, read_write> out: array<u32>;
@group(0) @binding(2) var<uniform> params: Params;

fn rgb(frame: u32, y: u32, column: u32) -> vec3<f32> {
  let at = ((frame * params.H + y) * params.W + column) * 3u;
  let c = vec3<f32>(f32(x[at]), f32(x[at + 1u]), f32(x[at + 2u]));
  return clamp(c, vec3<f32>(0.0), vec3<f32>(1.0));
}

fn luma(c: vec3<f32>) -> f32 { return dot(c, vec3<f32>(0.2126, 0.7152, 0.0722)); }

/// Byte `b` of a frame, before rounding.
fn byte_at(frame: u32, b: u32) -> f32 {
  let size = params.H * params.W;
  if (b < size) { return 16.0 + 219.0 * luma(rgb(frame, b / params.W, b % params.W)); }
  let plane = (b - size) / (size / 4u);
  let at = (b - size) % (size / 4u);
  let y = 2u * (at / (params.W / 2u));
  let column = 2u * (at % (params.W / 2u));
  let c = 0.25 * (rgb(frame, y, column) + rgb(frame, y, column + 1u) + rgb(frame, y + 1u, column) + rgb(frame, y + 1u, column + 1u));
  if (plane == 0u) { return 128.0 + 224.0 * (c.b - luma(c)) / 1.8556; }
  return 128.0 + 224.0 * (c.r - luma(c)) / 1.5748;
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) wid: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_id) lid: vec3<u32>,
) {
  let i = (wid.y * groups.x + wid.x) * 64u + lid.x;
  let words = params.H * params.W * 3u / 8u;
  if (i >= params.T * words) { return; }
  var word = 0u;
  for (var j = 0u; j < 4u; j++) {
    word |= u32(clamp(byte_at(i / words, 4u * (i % words) + j) + 0.5, 0.0, 255.0)) << (8u * j);
  }
  out[i] = word;
}
