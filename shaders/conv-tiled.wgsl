// As conv.wgsl, for many channels and outputs: a matmul of BM pixels × BN outputs a workgroup, over taps and channels.
// The pixels that a tap reads and its weights pass through workgroup memory, 4·BK4 channels at a time, so that each is
// read from memory once for BN (BM) results; frames before come straight from `past`. A thread owns TM × TN results in
// registers. Memory is ordered [c4][row], with one row more than there are, against bank conflicts.
// Constants: BM, BN, TM, TN (a multiple of 4), BK4 (a divisor of the number of threads, and they of BM·BK4).
struct Params {
  T: u32, H: u32, W: u32, C: u32, OH: u32, OW: u32, O: u32,
  KT: u32, KH: u32, KW: u32, stride: u32, first_pixel: u32, py: u32, px: u32,
  /// 1: every pixel of x stands for 2 × 2.
  doubled: u32,
}

@group(0) @binding(0) var<storage, read> x: array<X>;
@group(0) @binding(1) var<storage, read> past: array<X>;
@group(0) @binding(2) var<storage, read> w: array<W>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read> residual: array<OT>;
@group(0) @binding(5) var<storage, read_write> out: array<OT>;
@group(0) @binding(6) var<uniform> params: Params;

const COLUMNS = BN / TN;
const ROWS = BM / TM;
const THREADS = COLUMNS * ROWS;
const TN4 = TN / 4u;
const LOADS = BM * BK4 / THREADS; // of x, a thread

var<workgroup> xs: array<vec4<f32>, BK4 * (BM + 1u)>;
var<workgroup> ws: array<vec4<f32>, BK4 * (BN + 1u)>;

@compute @workgroup_size(COLUMNS, ROWS)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(local_invocation_id) lid: vec3<u32>) {
  let thread = lid.y * COLUMNS + lid.x;
  let pixels = params.T * params.OH * params.OW;
  let p0 = params.first_pixel + wid.y * BM;
  let o0 = wid.x * BN;
  // Rows behind the end repeat the last pixel and are not written.
  // A thread loads the same rows of the tile, and the same channels of a part, all the time.
  let c4 = thread % BK4;
  let row = thread / BK4;
  var corners: array<vec3<i32>, LOADS>;
  for (var i = 0u; i < LOADS; i++) { corners[i] = corner(min(p0 + row + i * (THREADS / BK4), pixels - 1u)); }
  let newest = min(p0 + BM, pixels) - 1u;
  let frame = newest / (params.OH * params.OW);
  let taps = params.KT * params.KH * params.KW;
  var sums: array<vec4<f32>, TM * TN4>;
  for (var tap = 0u; tap < taps; tap++) {
    let dt = tap / (params.KH * params.KW);
    if (HAS_PAST == 0u && frame + dt + 1u < params.KT) { continue; } // nothing but zeros
    var taken: array<vec3<u32>, LOADS>;
    for (var i = 0u; i < LOADS; i++) { taken[i] = source(corners[i], dt, (tap / params.KW) % params.KH, tap % params.KW); }
    for (var c0 = 0u; c0 < params.C; c0 += 4u * BK4) {
      let c = c0 + 4u * c4;
      for (var i = 0u; i < LOADS; i++) {
        var value = vec4<f32>();
        if (c < params.C) { value = load(taken[i], c, params.C - c); }
        xs[c4 * (BM + 1u) + row + i * (THREADS / BK4)] = value;
      }
      for (var n = row; n < BN; n += THREADS / BK4) {
        var value = vec4<f32>();
        if (c < params.C) { value = w4((min(o0 + n, params.O - 1u) * taps + tap) * params.C + c); }
        ws[c4 * (BN + 1u) + n] = value;
      }
      workgroupBarrier();
      // Not as many as a constant says, so that compilers leave the loop a loop.
      let fours = min(BK4, (params.C - c0 + 3u) / 4u);
      for (var k = 0u; k < fours; k++) {
        var a: array<vec4<f32>, TM>;
        for (var i = 0u; i < TM; i++) { a[i] = xs[k * (BM + 1u) + lid.y + i * ROWS]; }
        for (var j = 0u; j < TN4; j++) {
          let at = k * (BN + 1u) + lid.x + 4u * j * COLUMNS;
          let b = transpose(mat4x4<f32>(ws[at], ws[at + COLUMNS], ws[at + 2u * COLUMNS], ws[at + 3u * COLUMNS]));
          for (var i = 0u; i < TM; i++) {
            var s = sums[i * TN4 + j];
            s = fma(vec4<f32>(a[i].x), b[0], s);
            s = fma(vec4<f32>(a[i].y), b[1], s);
            s = fma(vec4<f32>(a[i].z), b[2], s);
            sums[i * TN4 + j] = fma(vec4<f32>(a[i].w), b[3], s);
          }
        }
      }
      workgroupBarrier();
    }
  }
  for (var i = 0u; i < TM; i++) {
    let p = p0 + lid.y + i * ROWS;
    for (var j = 0u; j < TN; j++) {
      let o = o0 + lid.x + j * COLUMNS;
      if (p < pixels && o < params.O) { finish(p, o, sums[i * TN4 + j / 4u][j % 4u]); }
    }
  }
}
