// Numbers → blocks of GGUF's Q8_0 or Q4_0, as they stand in a file: an f16 scale, then 32 quants of 8 or 4 bits. Two
// blocks are whole words (17 or 9); a thread owns two. To the bit as weights/pack.ts, so divisions and the scale's rounding
// are done in integers (WGSL's division may be 2.5 ulp off). A block with a number that is none gets a scale that is none.
struct Params { pairs: u32 }

@group(0) @binding(0) var<storage, read> x: array<u32>;
@group(0) @binding(1) var<storage, read_write> out: array<u32>;
@group(0) @binding(2) var<uniform> params: Params;

/// Bits of a quant: 8 or 4.
override BITS = 8u;

/// The f32 nearest to (q + a rest, if sticky) · 2^(e − 150), for q from 2^24 to 2^26. 0 where that is too small.
fn assemble(q: u32, sticky: bool, e: i32) -> f32 {
  let drop = select(1u, 2u, q >= (1u << 25u));
  var r = q >> drop;
  let rest = q & ((1u << drop) - 1u);
  let tie = 1u << (drop - 1u);
  if (rest > tie || (rest == tie && (sticky || (r & 1u) == 1u))) { r += 1u; }
  var exponent = e + i32(drop);
  if (r == (1u << 24u)) { r = 1u << 23u; exponent += 1; }
  if (exponent < 1) { return 0.0; }
  return bitcast<f32>((u32(exponent) << 23u) | (r & 0x7fffffu));
}

/// v / 127, v at least 0.
fn over_127(v: f32) -> f32 {
  let bits = bitcast<u32>(v);
  let e = bits >> 23u;
  if (e == 0u) { return 0.0; }
  let n = ((bits & 0x7fffffu) | 0x800000u) << 8u;
  return assemble(n / 127u, n % 127u != 0u, i32(e) - 8);
}

/// 1 / v.
fn inverse_of(v: f32) -> f32 {
  let bits = bitcast<u32>(v);
  let e = (bits >> 23u) & 255u;
  if (e == 0u) { return 0.0; }
  let m = (bits & 0x7fffffu) | 0x800000u;
  // 2^48 / m, bit by bit.
  var q = (1u << 24u) / m;
  var rest = (1u << 24u) % m;
  for (var i = 0u; i < 24u; i++) {
    rest = rest << 1u;
    q = q << 1u;
    if (rest >= m) { rest -= m; q |= 1u; }
  }
  let positive = assemble(q, rest != 0u, 252 - i32(e));
  return select(positive, -positive, (bits >> 31u) == 1u);
}

var<private> words: array<u32, 17>;

fn put(at: u32, byte: u32) { words[at >> 2u] |= (byte & 255u) << (8u * (at & 3u)); }

/// The block of 32 numbers from `first` on, to byte `at`.
fn quantize(first: u32, at: u32) {
  var most = 0.0;
  var bad = false;
  for (var i = 0u; i < 32u; i++) {
    bad |= (bits_of(first + i) & 0x7f800000u) == 0x7f800000u;
    let v = value(first + i);
    if (abs(v) > abs(most)) { most = v; }
  }
  var d = most * -0.125;
  if (BITS == 8u) { d = over_127(abs(most)); }
  let inverse = inverse_of(d);
  let scale = select(half_of(d), NOT_A_NUMBER, bad);
  put(at, scale);
  put(at + 1u, scale >> 8u);
  if (BITS == 8u) {
    for (var i = 0u; i < 32u; i++) {
      let q = value(first + i) * inverse;
      let whole = trunc(abs(q));
      let away = i32(whole) + select(0, 1, abs(q) - whole >= 0.5);
      put(at + 2u + i, u32(select(away, -away, q < 0.0)));
    }
    return;
  }
  for (var i = 0u; i < 16u; i++) { put(at + 2u + i, nibble(first + i, inverse) | (nibble(first + 16u + i, inverse) << 4u)); }
}

/// Whether a · b, of which p is the nearest f32, is exactly p or more.
fn reaches(a: f32, b: f32, p: f32) -> bool {
  let ma = (bitcast<u32>(a) & 0x7fffffu) | 0x800000u;
  let mb = (bitcast<u32>(b) & 0x7fffffu) | 0x800000u;
  // Of the 48 bits of ma · mb the upper half, for its length, and the lower 32, for what was rounded off.
  let middle = (ma >> 12u) * (mb & 0xfffu) + (ma & 0xfffu) * (mb >> 12u) + (((ma & 0xfffu) * (mb & 0xfffu)) >> 12u);
  let upper = (ma >> 12u) * (mb >> 12u) + (middle >> 12u);
  let lower = ma * mb;
  let dropped = select(23u, 24u, upper >= 0x800000u);
  let rest = lower & ((1u << dropped) - 1u);
  if (rest == 0u) { return true; }
  let tie = 1u << (dropped - 1u);
  let rounded_up = rest > tie || (rest == tie && ((lower >> dropped) & 1u) == 1u);
  return rounded_up == (p < 0.0);
}

/// floor(x · inverse + 8.5) with nothing rounded on the way: where the rounded product is a tie, the exact one decides.
fn nibble(i: u32, inverse: f32) -> u32 {
  let v = value(i);
  let q = v * inverse;
  // Of the magnitude: what is subtracted from it is exact.
  let whole = trunc(abs(q));
  let rest = abs(q) - whole;
  let away = rest > 0.5 || (rest == 0.5 && reaches(v, inverse, q) == (q >= 0.0));
  let n = i32(whole) + select(0, 1, away);
  return u32(clamp(select(n, -n, q < 0.0) + 8, 0, 15));
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) wid: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_id) lid: vec3<u32>,
) {
  let pair = (wid.y * groups.x + wid.x) * 64u + lid.x;
  if (pair >= params.pairs) { return; }
  let block = select(18u, 34u, BITS == 8u);
  quantize(pair * 64u, 0u);
  quantize(pair * 64u + 32u, block);
  let size = block / 2u;
  for (var i = 0u; i < size; i++) { out[pair * size + i] = words[i]; }
}
