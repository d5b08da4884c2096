// One value of `x: array<XT>`.
fn value(i: u32) -> f32 {
  return f32(x[i]);
}
