// Four float8_e5m2 weights from element `i` on (a multiple of 4), times the tensor's f32 scale: the upper bytes of halves.
alias W = u32;
fn w4(i: u32) -> vec4<f32> {
  let word = w[i >> 2u];
  let bits = vec4<u32>(word, word >> 8u, word >> 16u, word >> 24u);
  let exponent = (bits >> vec4<u32>(2u)) & vec4<u32>(31u);
  let fraction = bits & vec4<u32>(3u);
  let normal = bitcast<vec4<f32>>(((exponent + 112u) << vec4<u32>(23u)) | (fraction << vec4<u32>(21u)));
  let value = select(normal, vec4<f32>(fraction) * 0.0000152587890625, exponent == vec4<u32>(0u));
  return select(value, -value, (bits & vec4<u32>(128u)) != vec4<u32>(0u)) * bitcast<f32>(scales[0]);
}
