// Four values of `past` from element `i` on: rows are a multiple of 4 long, `i` too. 
fn past4(i: u32, left: u32) -> vec4<f32> {
  return vec4<f32>(past[i >> 2u]);
}
