// Puts the i-th two values of a tensor there.
fn put_pair(i: u32, pair: vec2<f32>) {
  out[2u * i] = OT(pair.x);
  out[2u * i + 1u] = OT(pair.y);
}
