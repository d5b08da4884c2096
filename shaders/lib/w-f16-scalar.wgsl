// Four weights from element `i` on, two halves a word; what lies behind the end meets a zero of x.
alias W = u32;
fn half_at(i: u32) -> f32 {
  let pair = unpack2x16float(w[min(i >> 1u, arrayLength(&w) - 1u)]);
  return select(pair.x, pair.y, (i & 1u) == 1u);
}
fn w4(i: u32) -> vec4<f32> {
  return vec4<f32>(half_at(i), half_at(i + 1u), half_at(i + 2u), half_at(i + 3u));
}
