// Four q6_k weights from element `i` on (a multiple of 4): d·s·(q − 32), with an int8 scale for each 16. A block of
// 256 has 32 words of nibbles, then 16 of two high bits; a half of 128 elements has four quarters of 32.
alias W = u32;
fn w4(i: u32) -> vec4<f32> {
  let block = i >> 8u;
  let half = (i >> 7u) & 1u;
  let quarter = (i >> 5u) & 3u;
  let column = (i & 31u) >> 2u;
  let at = block * 5u;
  let part = (i >> 4u) & 15u;
  let s = f32(bitcast<i32>(scales[at + (part >> 2u)] << (24u - (part & 3u) * 8u)) >> 24u);
  let d = unpack2x16float(scales[at + 4u]).x;
  let base = block * 48u;
  let low = w[base + half * 16u + (quarter & 1u) * 8u + column] >> ((quarter >> 1u) * 4u);
  let high = w[base + 32u + half * 8u + column] >> (quarter * 2u);
  let shift = vec4<u32>(0u, 8u, 16u, 24u);
  let q = ((vec4<u32>(low) >> shift) & vec4<u32>(15u)) | (((vec4<u32>(high) >> shift) & vec4<u32>(3u)) << vec4<u32>(4u));
  return (vec4<f32>(q) - 32.0) * (d * s);
}
