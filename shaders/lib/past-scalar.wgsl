// Four values of `past` from element `i` on, of which `left` belong to the row; zeros behind. For rows of any length.
fn past4(i: u32, left: u32) -> vec4<f32> {
  var r = vec4<f32>(f32(past[i]), 0.0, 0.0, 0.0);
  if (left > 1u) { r.y = f32(past[i + 1u]); }
  if (left > 2u) { r.z = f32(past[i + 2u]); }
  if (left > 3u) { r.w = f32(past[i + 3u]); }
  return r;
}
