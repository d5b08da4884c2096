// Numbers → super-blocks of GGUF's Q4_K, as they stand in a file: d and dm as f16, 12 bytes of scales and minima of 6 bits,
// 128 bytes of quants. A thread owns a super-block of 256 numbers, which is 36 words. As weights/pack-q4k.ts but for how sums
// round. Reads x as often as the search tries (9 times and 4); a part of 32 stays in registers.
struct Params { blocks: u32 }

@group(0) @binding(0) var<storage, read> x: array<u32>;
@group(0) @binding(1) var<storage, read_write> out: array<u32>;
@group(0) @binding(2) var<uniform> params: Params;

const TRIES = 9u;
const STEP = 0.25;

var<private> part: array<f32, 32>;
var<private> words: array<u32, 36>;

fn put(at: u32, byte: u32) { words[at >> 2u] |= (byte & 255u) << (8u * (at & 3u)); }
fn quant(v: f32, most: f32) -> f32 { return clamp(floor(v + 0.5), 0.0, most); }

fn error_of(even: f32, scale: f32, minimum: f32, inverse: f32, least: f32) -> f32 {
  var sum = 0.0;
  for (var i = 0u; i < 32u; i++) {
    let v = part[i];
    let off = scale * quant(inverse * (v - least), 15.0) - minimum - v;
    sum += (even + abs(v)) * off * off;
  }
  return sum;
}

/// The scale and the minimum of the part by which it is told best.
fn fit() -> vec2<f32> {
  var least = 0.0;
  var most = part[0];
  var squares = 0.0;
  for (var i = 0u; i < 32u; i++) {
    least = min(least, part[i]);
    most = max(most, part[i]);
    squares += part[i] * part[i];
  }
  if (most <= least) { return vec2(0.0, -least); }
  let even = sqrt(squares / 32.0);
  let span = most - least;
  var best = vec2(span / 15.0, -least);
  var error = error_of(even, best.x, best.y, 15.0 / span, least);
  for (var t = 0u; t < TRIES; t++) {
    let inverse = (14.0 + STEP * f32(t)) / span;
    var w = 0.0;
    var l = 0.0;
    var l2 = 0.0;
    var wx = 0.0;
    var xl = 0.0;
    for (var i = 0u; i < 32u; i++) {
      let v = part[i];
      let q = quant(inverse * (v - least), 15.0);
      let weight = even + abs(v);
      w += weight;
      l += weight * q;
      l2 += weight * q * q;
      wx += weight * v;
      xl += weight * q * v;
    }
    let determinant = w * l2 - l * l;
    if (!(determinant > 0.0)) { continue; }
    var s = (w * xl - wx * l) / determinant;
    var m = (l2 * wx - l * xl) / determinant;
    if (m > 0.0) {
      s = xl / l2;
      m = 0.0;
    }
    let off = error_of(even, s, -m, inverse, least);
    if (off < error && s > 0.0) {
      error = off;
      best = vec2(s, -m);
    }
  }
  return best;
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) wid: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_id) lid: vec3<u32>,
) {
  let block = (wid.y * groups.x + wid.x) * 64u + lid.x;
  if (block >= params.blocks) { return; }
  var fits: array<vec2<f32>, 8>;
  var most = vec2(0.0);
  var bad = false;
  for (var j = 0u; j < 8u; j++) {
    for (var i = 0u; i < 32u; i++) {
      let n = block * 256u + j * 32u + i;
      bad |= (bits_of(n) & 0x7f800000u) == 0x7f800000u;
      part[i] = value(n);
    }
    fits[j] = fit();
    most = max(most, fits[j]);
  }
  let d = half_of(most.x / 63.0);
  let dm = half_of(most.y / 63.0);
  bad |= d >= 0x7c00u || dm >= 0x7c00u;
  words[0] = select(d, NOT_A_NUMBER, bad) | (dm << 16u);
  for (var j = 0u; j < 8u; j++) {
    var s = 0u;
    var m = 0u;
    if (most.x > 0.0) { s = u32(quant(63.0 / most.x * fits[j].x, 63.0)); }
    if (most.y > 0.0) { m = u32(quant(63.0 / most.y * fits[j].y, 63.0)); }
    if (j < 4u) {
      put(4u + j, s);
      put(8u + j, m);
    } else {
      put(8u + j, (s & 15u) | ((m & 15u) << 4u));
      put(j, (s >> 4u) << 6u);
      put(4u + j, (m >> 4u) << 6u);
    }
    let scale = float_of(d) * f32(s);
    let minimum = float_of(dm) * f32(m);
    var inverse = 0.0;
    if (scale > 0.0) { inverse = 1.0 / scale; }
    for (var i = 0u; i < 32u; i++) {
      let q = u32(quant((value(block * 256u + j * 32u + i) + minimum) * inverse, 15.0));
      put(16u + (j >> 1u) * 32u + i, q << (4u * (j & 1u)));
    }
  }
  for (var i = 0u; i < 36u; i++) { out[block * 36u + i] = words[i]; }
}
