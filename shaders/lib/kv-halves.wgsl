// The i-th four values of a key's or a value's head that begins at element `at`, two halves a word: a cache of 16 bit on
// adapters without shader-f16. HEAD is a multiple of 4.
alias KV = vec2<u32>;
fn k4(at: u32, i: u32) -> vec4<f32> {
  let w = k[(at >> 2u) + i];
  return vec4<f32>(unpack2x16float(w.x), unpack2x16float(w.y));
}
fn v4(at: u32, i: u32) -> vec4<f32> {
  let w = v[(at >> 2u) + i];
  return vec4<f32>(unpack2x16float(w.x), unpack2x16float(w.y));
}
