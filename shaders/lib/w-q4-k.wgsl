// Four q4_k weights from element `i` on (a multiple of 4): d·s·q − dm·m, with a scale s and a minimum m for each
// part of 32. A block of 256 has 32 words of nibbles and 5 of scales (weights/pack.ts).
alias W = u32;
fn w4(i: u32) -> vec4<f32> {
  let block = i >> 8u;
  let part = (i >> 5u) & 7u;
  let at = block * 5u;
  let d = unpack2x16float(scales[at]);
  let byte = (part & 3u) * 8u;
  let s = f32((scales[at + 1u + (part >> 2u)] >> byte) & 255u);
  let m = f32((scales[at + 3u + (part >> 2u)] >> byte) & 255u);
  let word = w[block * 32u + (part >> 1u) * 8u + ((i & 31u) >> 2u)] >> ((part & 1u) * 4u);
  let q = vec4<u32>(word, word >> 8u, word >> 16u, word >> 24u) & vec4<u32>(15u);
  return vec4<f32>(q) * (d.x * s) - d.y * m;
}
