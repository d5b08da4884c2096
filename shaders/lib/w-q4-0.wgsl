// Four q4_0 weights from element `i` on (a multiple of 4): nibbles less 8, times the f16 scale of their 32.
// Element e of a block lies in byte e % 16: the first 16 in the low nibbles. raw4 and span_scale as in w-q8.
alias W = u32;
const SPAN = 32u;
fn span_scale(i: u32) -> f32 {
  let pair = unpack2x16float(scales[i >> 6u]);
  return select(pair.x, pair.y, (i & 32u) != 0u);
}
fn raw4(i: u32) -> vec4<f32> {
  let word = w[(i >> 5u) * 4u + ((i & 15u) >> 2u)] >> ((i & 16u) >> 2u);
  return vec4<f32>(vec4<u32>(word, word >> 8u, word >> 16u, word >> 24u) & vec4<u32>(15u)) - 8.0;
}
fn w4(i: u32) -> vec4<f32> { return raw4(i) * span_scale(i); }
