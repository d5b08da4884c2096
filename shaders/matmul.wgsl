// out[m, n] = Σ_k x[m, k] · w[n, k], accumulated in f32 and finished by lib/epilogue.
// A thread owns a 4 × 4 block in registers and reads along k, four at a time: no workgroup memory, no barriers.
// A workgroup of 8 × 8 threads covers 32 × 32, so that its rows of x and w come from the cache.
struct Params { M: u32, N: u32, K: u32, first_row: u32, per_frame: u32, P: u32, index: u32 }

@group(0) @binding(0) var<storage, read> x: array<X>;
@group(0) @binding(1) var<storage, read> w: array<W>;
@group(0) @binding(2) var<storage, read> scales: array<u32>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read> gate: array<f32>;
@group(0) @binding(5) var<storage, read> residual: array<RT>;
@group(0) @binding(6) var<storage, read_write> out: array<OT>;
@group(0) @binding(7) var<uniform> params: Params;

@compute @workgroup_size(8, 8)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(local_invocation_id) lid: vec3<u32>) {
  let n0 = wid.x * 32u + lid.x * 4u;
  let m0 = params.first_row + wid.y * 32u + lid.y * 4u;
  if (n0 >= params.N || m0 >= params.M) { return; }
  // Rows and columns behind the end repeat the last one and are not written.
  let m = min(vec4<u32>(m0, m0 + 1u, m0 + 2u, m0 + 3u), vec4<u32>(params.M - 1u)) * params.K;
  let n = min(vec4<u32>(n0, n0 + 1u, n0 + 2u, n0 + 3u), vec4<u32>(params.N - 1u)) * params.K;
  var a0 = vec4<f32>(); var a1 = vec4<f32>(); var a2 = vec4<f32>(); var a3 = vec4<f32>();
  for (var k = 0u; k < params.K; k += 4u) {
    let left = params.K - k;
    let w0 = w4(n.x + k); let w1 = w4(n.y + k); let w2 = w4(n.z + k); let w3 = w4(n.w + k);
    let x0 = x4(m.x + k, left);
    a0 += vec4<f32>(dot(x0, w0), dot(x0, w1), dot(x0, w2), dot(x0, w3));
    let x1 = x4(m.y + k, left);
    a1 += vec4<f32>(dot(x1, w0), dot(x1, w1), dot(x1, w2), dot(x1, w3));
    let x2 = x4(m.z + k, left);
    a2 += vec4<f32>(dot(x2, w0), dot(x2, w1), dot(x2, w2), dot(x2, w3));
    let x3 = x4(m.w + k, left);
    a3 += vec4<f32>(dot(x3, w0), dot(x3, w1), dot(x3, w2), dot(x3, w3));
  }
  var rows = array<vec4<f32>, 4>(a0, a1, a2, a3);
  for (var i = 0u; i < min(4u, params.M - m0); i++) {
    for (var j = 0u; j < min(4u, params.N - n0); j++) { finish(m0 + i, n0 + j, rows[i][j]); }
  }
}
