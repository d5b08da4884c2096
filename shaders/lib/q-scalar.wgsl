// The i-th four values of a query's head that begins at element `at`; zeros behind the head's end.
alias V = elem;
fn q4(at: u32, i: u32) -> vec4<f32> {
  var r = vec4<f32>();
  for (var j = 0u; j < min(4u, HEAD - 4u * i); j++) { r[j] = f32(q[at + 4u * i + j]); }
  return r;
}
