// The i-th four values of a key's or a value's head whose first element would be `at`, were they not 8 bit: each head of
// a row is HEAD4 words of four int8 and then its scale, an f32 (shaders/store-8bit.wgsl). Zeros behind the head's end.
alias KV = u32;
fn four(word: u32, scale: u32) -> vec4<f32> {
  let w = bitcast<i32>(word);
  return vec4<f32>(vec4<i32>(w << 24u, w << 16u, w << 8u, w) >> vec4<u32>(24u)) * bitcast<f32>(scale);
}
fn k4(at: u32, i: u32) -> vec4<f32> {
  let first = at / HEAD * (HEAD4 + 1u);
  return four(k[first + i], k[first + HEAD4]);
}
fn v4(at: u32, i: u32) -> vec4<f32> {
  let first = at / HEAD * (HEAD4 + 1u);
  return four(v[first + i], v[first + HEAD4]);
}
