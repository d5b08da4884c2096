// One value of x, two halves a word: weights in f16 on adapters without shader-f16.
fn value(i: u32) -> f32 {
  let pair = unpack2x16float(x[i >> 1u]);
  return select(pair.x, pair.y, (i & 1u) == 1u);
}
