// Four q5_k weights from element `i` on (a multiple of 4): as q4_k, with 8 words of fifth bits before the nibbles,
// where bit `part` of byte l belongs to element 32·part + l.
alias W = u32;
fn w4(i: u32) -> vec4<f32> {
  let block = i >> 8u;
  let part = (i >> 5u) & 7u;
  let at = block * 5u;
  let d = unpack2x16float(scales[at]);
  let byte = (part & 3u) * 8u;
  let s = f32((scales[at + 1u + (part >> 2u)] >> byte) & 255u);
  let m = f32((scales[at + 3u + (part >> 2u)] >> byte) & 255u);
  let base = block * 40u;
  let column = (i & 31u) >> 2u;
  let high = w[base + column] >> part;
  let low = w[base + 8u + (part >> 1u) * 8u + column] >> ((part & 1u) * 4u);
  let shift = vec4<u32>(0u, 8u, 16u, 24u);
  let q = ((vec4<u32>(low) >> shift) & vec4<u32>(15u)) | (((vec4<u32>(high) >> shift) & vec4<u32>(1u)) << vec4<u32>(4u));
  return vec4<f32>(q) * (d.x * s) - d.y * m;
}
