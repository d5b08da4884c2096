// Four float8_e4m3fn weights from element `i` on (a multiple of 4), times the tensor's f32 scale. Made of integers, so
// that small ones are exact on adapters that flush subnormal halves. NaN, which no checkpoint may hold, reads as 480.
alias W = u32;
fn w4(i: u32) -> vec4<f32> {
  let word = w[i >> 2u];
  let bits = vec4<u32>(word, word >> 8u, word >> 16u, word >> 24u);
  let exponent = (bits >> vec4<u32>(3u)) & vec4<u32>(15u);
  let fraction = bits & vec4<u32>(7u);
  let normal = bitcast<vec4<f32>>(((exponent + 120u) << vec4<u32>(23u)) | (fraction << vec4<u32>(20u)));
  let value = select(normal, vec4<f32>(fraction) * 0.001953125, exponent == vec4<u32>(0u));
  return select(value, -value, (bits & vec4<u32>(128u)) != vec4<u32>(0u)) * bitcast<f32>(scales[0]);
}
