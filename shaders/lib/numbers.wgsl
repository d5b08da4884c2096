// Numbers as a file has them (x: array<u32>, of the kernel), and f16 to the bit: conversions built in may drop what is subnormal.
/// What x holds: 0 f32, 1 f16, 2 bf16.
override FROM = 0u;
const NOT_A_NUMBER = 0x7e00u;

/// The bits of number i, as an f32 where it is finite.
fn bits_of(i: u32) -> u32 {
  if (FROM == 0u) { return x[i]; }
  let raw = (x[i >> 1u] >> (16u * (i & 1u))) & 0xffffu;
  if (FROM == 2u) { return raw << 16u; }
  let e = (raw >> 10u) & 31u;
  if (e == 31u) { return 0x7f800000u; }
  return bitcast<u32>(unpack2x16float(raw).x);
}

fn value(i: u32) -> f32 { return bitcast<f32>(bits_of(i)); }

/// To the nearest f16, ties to even.
fn half_of(v: f32) -> u32 {
  let bits = bitcast<u32>(v);
  let sign = (bits >> 16u) & 0x8000u;
  let e = (bits >> 23u) & 255u;
  if (e >= 143u) { return sign | 0x7c00u; }
  if (e < 102u) { return sign; }
  let m = (bits & 0x7fffffu) | 0x800000u;
  let shift = select(126u - e, 13u, e >= 113u);
  // Behind the leading one, which the exponent counts.
  var h = select(m >> shift, ((e - 112u) << 10u) + ((m & 0x7fffffu) >> shift), e >= 113u);
  let rest = m & ((1u << shift) - 1u);
  let tie = 1u << (shift - 1u);
  if (rest > tie || (rest == tie && (h & 1u) == 1u)) { h += 1u; }
  return sign | h;
}

/// The number that f16 bits stand for, subnormal ones too; of finite ones of no sign.
fn float_of(h: u32) -> f32 {
  let e = h >> 10u;
  let m = h & 1023u;
  if (e == 0u) { return f32(m) * 5.9604644775390625e-8; }
  return bitcast<f32>(((e + 112u) << 23u) | (m << 13u));
}
