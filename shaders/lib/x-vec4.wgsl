// Four values of x from element `i` on: rows are a multiple of 4 long, `i` too. Bound as `x: array<X>`, of type XT.
alias X = vec4<XT>;
fn x4(i: u32, left: u32) -> vec4<f32> {
  return vec4<f32>(x[i >> 2u]);
}
