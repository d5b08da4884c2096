// Four weights from element `i` on; what lies behind the end is the last weight, and meets a zero of x.
alias W = f32;
fn w4(i: u32) -> vec4<f32> {
  let last = arrayLength(&w) - 1u;
  return vec4<f32>(w[i], w[min(i + 1u, last)], w[min(i + 2u, last)], w[min(i + 3u, last)]);
}
