// Four weights from element `i` on (a multiple of 4), two halves a word; needs no shader-f16.
alias W = vec2<u32>;
fn w4(i: u32) -> vec4<f32> {
  let words = w[i >> 2u];
  return vec4<f32>(unpack2x16float(words.x), unpack2x16float(words.y));
}
