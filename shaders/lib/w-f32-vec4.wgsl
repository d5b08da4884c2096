// Four weights from element `i` on (a multiple of 4). Bound as `w: array<W>`.
alias W = vec4<f32>;
fn w4(i: u32) -> vec4<f32> {
  return w[i >> 2u];
}
