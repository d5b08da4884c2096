// out[m, n] = Σ_k x[m, k] · w[n, k], summed in f32 and finished by lib/epilogue. For large matrices, on adapters that
// multiply small matrices a subgroup at a time: SM × SK · SK × SN of type Part, through lib/matrix.
// A workgroup covers 64 × 64 with four subgroups of SIZE threads, a quarter each. x and w pass through workgroup memory
// BK of k at a time, weights dequantized to Part on the way, so that each is read from memory once for 64 results.
// Rows there are 8 longer than they need to be, against bank conflicts.
// Constants: SM, SN, SK (divisors of 32), BK (a multiple of SK and 4), SIZE.
struct Params { M: u32, N: u32, K: u32, first_row: u32, per_frame: u32, P: u32, index: u32 }

@group(0) @binding(0) var<storage, read> x: array<X>;
@group(0) @binding(1) var<storage, read> w: array<W>;
@group(0) @binding(2) var<storage, read> scales: array<u32>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read> gate: array<f32>;
@group(0) @binding(5) var<storage, read> residual: array<RT>;
@group(0) @binding(6) var<storage, read_write> out: array<OT>;
@group(0) @binding(7) var<uniform> params: Params;

const TILE = 64u;
const THREADS = 4u * SIZE;
const STRIDE = BK + 8u;
const DOWN = 32u / SM; // results of a subgroup, below and beside each other
const ACROSS = 32u / SN;

const WEIGHTS = TILE * STRIDE;
var<workgroup> tile: array<Part, 2u * WEIGHTS>; // x [row][k], then w [column][k]
var<workgroup> made: array<f32, 4u * SM * SN>; // a result of each subgroup

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) wid: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
  @builtin(subgroup_id) subgroup: u32,
  @builtin(subgroup_invocation_id) lane: u32,
) {
  let m0 = params.first_row + wid.y * TILE;
  let n0 = wid.x * TILE;
  let row0 = (subgroup / 2u) * 32u;
  let column0 = (subgroup % 2u) * 32u;
  var sums: array<Sums, DOWN * ACROSS>;
  for (var i = 0u; i < DOWN * ACROSS; i++) { sums[i] = no_sums(); }
  for (var k0 = 0u; k0 < params.K; k0 += BK) {
    // Rows behind the end repeat the last one and are not written; behind the end of k are zeros.
    for (var i = thread; i < TILE * BK / 4u; i += THREADS) {
      let row = i / (BK / 4u);
      let k = k0 + 4u * (i % (BK / 4u));
      var a = vec4<f32>();
      var b = vec4<f32>();
      if (k < params.K) {
        a = x4(min(m0 + row, params.M - 1u) * params.K + k, params.K - k);
        b = w4(min(n0 + row, params.N - 1u) * params.K + k);
      }
      let at = row * STRIDE + k - k0;
      for (var j = 0u; j < 4u; j++) {
        tile[at + j] = Part(a[j]);
        tile[WEIGHTS + at + j] = Part(b[j]);
      }
    }
    workgroupBarrier();
    for (var k = 0u; k < BK; k += SK) {
      var left: array<Left, DOWN>;
      for (var i = 0u; i < DOWN; i++) { left[i] = load_left((row0 + i * SM) * STRIDE + k, STRIDE, lane); }
      for (var j = 0u; j < ACROSS; j++) {
        let right = load_right(WEIGHTS + (column0 + j * SN) * STRIDE + k, STRIDE, lane);
        for (var i = 0u; i < DOWN; i++) { sums[i * ACROSS + j] = multiply(left[i], right, sums[i * ACROSS + j]); }
      }
    }
    workgroupBarrier();
  }
  // A matrix has no elements that could be named: through workgroup memory, one of each subgroup at a time.
  for (var i = 0u; i < DOWN * ACROSS; i++) {
    store_sums(subgroup * SM * SN, SN, sums[i], lane);
    workgroupBarrier();
    for (var e = lane; e < SM * SN; e += SIZE) {
      let m = m0 + row0 + (i / ACROSS) * SM + e / SN;
      let n = n0 + column0 + (i % ACROSS) * SN + e % SN;
      if (m < params.M && n < params.N) { finish(m, n, made[subgroup * SM * SN + e]); }
    }
    workgroupBarrier();
  }
}
