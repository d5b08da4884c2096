// out[m, n] = Σ_k x[m, k] · w[n, k], accumulated in f32 and finished by lib/epilogue. For large matrices.
// A workgroup covers BM × BN; x and w pass through workgroup memory 4·BK4 of k at a time, weights dequantized on the
// way, so that each is read from memory once for BN (BM) results. A thread owns TM × TN results in registers: for
// TM·TN·4 multiply-adds it reads TM + TN vectors of workgroup memory.
// Memory is ordered [k4][row], with one row more than there are, so that neither reads nor writes meet in a bank.
// Constants: BM, BN, BK4, TM, TN (a multiple of 4).
struct Params { M: u32, N: u32, K: u32, first_row: u32, per_frame: u32, P: u32, index: u32 }

@group(0) @binding(0) var<storage, read> x: array<X>;
@group(0) @binding(1) var<storage, read> w: array<W>;
@group(0) @binding(2) var<storage, read> scales: array<u32>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read> gate: array<f32>;
@group(0) @binding(5) var<storage, read> residual: array<RT>;
@group(0) @binding(6) var<storage, read_write> out: array<OT>;
@group(0) @binding(7) var<uniform> params: Params;

const COLUMNS = BN / TN;
const ROWS = BM / TM;
const TN4 = TN / 4u;

var<workgroup> xs: array<vec4<f32>, BK4 * (BM + 1u)>;
var<workgroup> ws: array<vec4<f32>, BK4 * (BN + 1u)>;

@compute @workgroup_size(COLUMNS, ROWS)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(local_invocation_id) lid: vec3<u32>) {
  let thread = lid.y * COLUMNS + lid.x;
  let m0 = params.first_row + wid.y * BM;
  let n0 = wid.x * BN;
  var sums: array<vec4<f32>, TM * TN4>;
  for (var k0 = 0u; k0 < params.K; k0 += 4u * BK4) {
    // Rows behind the end repeat the last one and are not written; behind the end of k are zeros.
    for (var i = thread; i < BM * BK4; i += COLUMNS * ROWS) {
      let k = k0 + 4u * (i % BK4);
      var value = vec4<f32>();
      if (k < params.K) { value = x4(min(m0 + i / BK4, params.M - 1u) * params.K + k, params.K - k); }
      xs[(i % BK4) * (BM + 1u) + i / BK4] = value;
    }
    for (var i = thread; i < BN * BK4; i += COLUMNS * ROWS) {
      let k = k0 + 4u * (i % BK4);
      var value = vec4<f32>();
      if (k < params.K) { value = w4(min(n0 + i / BK4, params.N - 1u) * params.K + k); }
      ws[(i % BK4) * (BN + 1u) + i / BK4] = value;
    }
    workgroupBarrier();
    // Not as many as a constant says, so that compilers leave the loop a loop: unrolled it takes some of them minutes.
    let fours = min(BK4, (params.K - k0 + 3u) / 4u);
    for (var k4 = 0u; k4 < fours; k4++) {
      var a: array<vec4<f32>, TM>;
      for (var i = 0u; i < TM; i++) { a[i] = xs[k4 * (BM + 1u) + lid.y + i * ROWS]; }
      for (var j = 0u; j < TN4; j++) {
        let at = k4 * (BN + 1u) + lid.x + 4u * j * COLUMNS;
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
  for (var i = 0u; i < TM; i++) {
    let m = m0 + lid.y + i * ROWS;
    for (var j = 0u; j < TN; j++) {
      let n = n0 + lid.x + j * COLUMNS;
      if (m < params.M && n < params.N) { finish(m, n, sums[i * TN4 + j / 4u][j % 4u]); }
    }
  }
}
