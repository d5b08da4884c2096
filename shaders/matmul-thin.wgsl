// out[m, n] = Σ_k x[m, k] · w[n, k], accumulated in f32 and finished by lib/epilogue. For few rows of x, where reading
// the weights is what takes time: 16 threads read a row of w together, each word once for four rows of x.
struct Params { M: u32, N: u32, K: u32, first_row: u32, per_frame: u32, P: u32, index: u32 }

@group(0) @binding(0) var<storage, read> x: array<X>;
@group(0) @binding(1) var<storage, read> w: array<W>;
@group(0) @binding(2) var<storage, read> scales: array<u32>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read> gate: array<f32>;
@group(0) @binding(5) var<storage, read> residual: array<RT>;
@group(0) @binding(6) var<storage, read_write> out: array<OT>;
@group(0) @binding(7) var<uniform> params: Params;

var<workgroup> sums: array<vec4<f32>, 64>;

@compute @workgroup_size(16, 4)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(local_invocation_id) lid: vec3<u32>) {
  let n = wid.x * 4u + lid.y;
  let m0 = params.first_row + wid.y * 4u;
  let at = min(n, params.N - 1u) * params.K;
  let m = min(vec4<u32>(m0, m0 + 1u, m0 + 2u, m0 + 3u), vec4<u32>(params.M - 1u)) * params.K;
  var sum = vec4<f32>(); // of a row each
  for (var k = lid.x * 4u; k < params.K; k += 64u) {
    let left = params.K - k;
    let v = w4(at + k);
    sum += vec4<f32>(dot(x4(m.x + k, left), v), dot(x4(m.y + k, left), v), dot(x4(m.z + k, left), v), dot(x4(m.w + k, left), v));
  }
  let mine = lid.y * 16u + lid.x;
  sums[mine] = sum;
  for (var half = 8u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (lid.x < half) { sums[mine] += sums[mine + half]; }
  }
  workgroupBarrier();
  if (lid.x < 4u && m0 + lid.x < params.M && n < params.N) { finish(m0 + lid.x, n, sums[lid.y * 16u][lid.x]); }
}
