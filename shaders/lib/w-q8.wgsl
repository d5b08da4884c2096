// Four q8_0 weights from element `i` on (a multiple of 4): int8 times the f16 scale of their 32. Kernels that scale
// a sum over SPAN along k in place of each weight take raw4 and span_scale.
alias W = u32;
const SPAN = 32u;
fn span_scale(i: u32) -> f32 {
  let pair = unpack2x16float(scales[i >> 6u]);
  return select(pair.x, pair.y, (i & 32u) != 0u);
}
fn raw4(i: u32) -> vec4<f32> {
  let word = bitcast<i32>(w[i >> 2u]);
  return vec4<f32>(vec4<i32>(word << 24u, word << 16u, word << 8u, word) >> vec4<u32>(24u));
}
fn w4(i: u32) -> vec4<f32> { return raw4(i) * span_scale(i); }
