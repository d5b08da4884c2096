// A convolution, causal in time: out[t, y, x, o] = act(Σ x[t + dt − (KT − 1), y·S + dy − PH, x·S + dx − PW, c] ·
// w[o, dt, dy, dx, c] + bias[o] + residual). Frames before the first come from `past`, or are zero.
// Channels last, accumulated in f32. A thread owns 4 pixels × 4 outputs in registers; 8 × 8 threads a workgroup.
struct Params {
  T: u32, H: u32, W: u32, C: u32, OH: u32, OW: u32, O: u32,
  KT: u32, KH: u32, KW: u32, stride: u32, first_pixel: u32, py: u32, px: u32,
  /// 1: every pixel of x stands for 2 × 2.
  doubled: u32,
}

@group(0) @binding(0) var<storage, read> x: array<X>;
@group(0) @binding(1) var<storage, read> past: array<X>;
@group(0) @binding(2) var<storage, read> w: array<W>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read> residual: array<OT>;
@group(0) @binding(5) var<storage, read_write> out: array<OT>;
@group(0) @binding(6) var<uniform> params: Params;

/// Products of a tap: for four pixels that begin at `at` a column each, with the weights of four outputs that begin at `o`.
/// Two functions and no test within: a branch for each vector costs more than the products.
fn from_x(at: vec4<u32>, o: vec4<u32>) -> mat4x4<f32> {
  var a0 = vec4<f32>(); var a1 = vec4<f32>(); var a2 = vec4<f32>(); var a3 = vec4<f32>();
  for (var c = 0u; c < params.C; c += 4u) {
    let left = params.C - c;
    let w0 = w4(o.x + c); let w1 = w4(o.y + c); let w2 = w4(o.z + c); let w3 = w4(o.w + c);
    let x0 = x4(at.x + c, left);
    a0 += vec4<f32>(dot(x0, w0), dot(x0, w1), dot(x0, w2), dot(x0, w3));
    let x1 = x4(at.y + c, left);
    a1 += vec4<f32>(dot(x1, w0), dot(x1, w1), dot(x1, w2), dot(x1, w3));
    let x2 = x4(at.z + c, left);
    a2 += vec4<f32>(dot(x2, w0), dot(x2, w1), dot(x2, w2), dot(x2, w3));
    let x3 = x4(at.w + c, left);
    a3 += vec4<f32>(dot(x3, w0), dot(x3, w1), dot(x3, w2), dot(x3, w3));
  }
  return mat4x4<f32>(a0, a1, a2, a3);
}
fn from_past(at: vec4<u32>, o: vec4<u32>) -> mat4x4<f32> {
  var a0 = vec4<f32>(); var a1 = vec4<f32>(); var a2 = vec4<f32>(); var a3 = vec4<f32>();
  for (var c = 0u; c < params.C; c += 4u) {
    let left = params.C - c;
    let w0 = w4(o.x + c); let w1 = w4(o.y + c); let w2 = w4(o.z + c); let w3 = w4(o.w + c);
    let x0 = past4(at.x + c, left);
    a0 += vec4<f32>(dot(x0, w0), dot(x0, w1), dot(x0, w2), dot(x0, w3));
    let x1 = past4(at.y + c, left);
    a1 += vec4<f32>(dot(x1, w0), dot(x1, w1), dot(x1, w2), dot(x1, w3));
    let x2 = past4(at.z + c, left);
    a2 += vec4<f32>(dot(x2, w0), dot(x2, w1), dot(x2, w2), dot(x2, w3));
    let x3 = past4(at.w + c, left);
    a3 += vec4<f32>(dot(x3, w0), dot(x3, w1), dot(x3, w2), dot(x3, w3));
  }
  return mat4x4<f32>(a0, a1, a2, a3);
}

@compute @workgroup_size(8, 8)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(local_invocation_id) lid: vec3<u32>) {
  let pixels = params.T * params.OH * params.OW;
  let o0 = wid.x * 32u + lid.x * 4u;
  let p0 = params.first_pixel + wid.y * 32u + lid.y * 4u;
  if (o0 >= params.O || p0 >= pixels) { return; }
  let last = pixels - 1u;
  let f0 = corner(p0); let f1 = corner(min(p0 + 1u, last));
  let f2 = corner(min(p0 + 2u, last)); let f3 = corner(min(p0 + 3u, last));
  let taps = params.KT * params.KH * params.KW;
  let o = min(vec4<u32>(o0, o0 + 1u, o0 + 2u, o0 + 3u), vec4<u32>(params.O - 1u)) * taps * params.C;
  var a0 = vec4<f32>(); var a1 = vec4<f32>(); var a2 = vec4<f32>(); var a3 = vec4<f32>();
  for (var tap = 0u; tap < taps; tap++) {
    let dt = tap / (params.KH * params.KW);
    let dy = (tap / params.KW) % params.KH;
    let dx = tap % params.KW;
    let s0 = source(f0, dt, dy, dx); let s1 = source(f1, dt, dy, dx);
    let s2 = source(f2, dt, dy, dx); let s3 = source(f3, dt, dy, dx);
    // A tap that reads nothing begins at the first pixel, and what that gives is not added.
    let at = vec4<u32>(s0.x, s1.x, s2.x, s3.x);
    let there = vec4<u32>(s0.z, s1.z, s2.z, s3.z) == vec4<u32>(1u);
    let old = vec4<u32>(s0.y, s1.y, s2.y, s3.y) == vec4<u32>(1u);
    let none = vec4<f32>();
    let young = there & !old;
    if (any(young)) {
      let b = from_x(at, o + tap * params.C);
      a0 += select(none, b[0], young.x); a1 += select(none, b[1], young.y);
      a2 += select(none, b[2], young.z); a3 += select(none, b[3], young.w);
    }
    if (HAS_PAST == 1u && any(old)) {
      let b = from_past(at, o + tap * params.C);
      a0 += select(none, b[0], old.x); a1 += select(none, b[1], old.y);
      a2 += select(none, b[2], old.z); a3 += select(none, b[3], old.w);
    }
  }
  var rows = array<vec4<f32>, 4>(a0, a1, a2, a3);
  for (var i = 0u; i < min(4u, pixels - p0); i++) {
    for (var j = 0u; j < min(4u, params.O - o0); j++) { finish(p0 + i, o0 + j, rows[i][j]); }
  }
}
