// Four q8_0 weights from element `i` on (a multiple of 4): int8 times the f16 scale of their 32.
alias W = u32;
fn w4(i: u32) -> vec4<f32> {
  let pair = unpack2x16float(scales[i >> 6u]);
  let scale = select(pair.x, pair.y, (i & 32u) != 0u);
  let word = bitcast<i32>(w[i >> 2u]);
  return vec4<f32>(vec4<i32>(word << 24u, word << 16u, word << 8u, word) >> vec4<u32>(24u)) * scale;
}
