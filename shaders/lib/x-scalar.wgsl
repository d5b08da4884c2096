// Four values of x from element `i` on, of which `left` belong to the row; zeros behind. For rows of any length.
alias X = XT;
fn x4(i: u32, left: u32) -> vec4<f32> {
  var r = vec4<f32>(f32(x[i]), 0.0, 0.0, 0.0);
  if (left > 1u) { r.y = f32(x[i + 1u]); }
  if (left > 2u) { r.z = f32(x[i + 2u]); }
  if (left > 3u) { r.w = f32(x[i + 3u]); }
  return r;
}
