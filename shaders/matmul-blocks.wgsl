// out[m, n] = Σ_k x[m, k] · w[n, k], accumulated in f32 and finished by lib/epilogue, for weights that share a scale by
// SPAN along k: a scale is read once a span, not with every four weights.
// A thread owns an 8 × 4 block in registers, so that what it unpacks serves eight rows; as in matmul.wgsl there is neither
// workgroup memory nor a barrier. A workgroup of 8 × 8 threads covers 64 × 32.
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
  let m0 = params.first_row + wid.y * 64u + lid.y * 8u;
  if (n0 >= params.N || m0 >= params.M) { return; }
  // Rows and columns behind the end repeat the last one and are not written.
  let last = vec4<u32>(params.M - 1u);
  let m = min(vec4<u32>(m0, m0 + 1u, m0 + 2u, m0 + 3u), last) * params.K;
  let l = min(vec4<u32>(m0 + 4u, m0 + 5u, m0 + 6u, m0 + 7u), last) * params.K;
  let n = min(vec4<u32>(n0, n0 + 1u, n0 + 2u, n0 + 3u), vec4<u32>(params.N - 1u)) * params.K;
  var a0 = vec4<f32>(); var a1 = vec4<f32>(); var a2 = vec4<f32>(); var a3 = vec4<f32>();
  var a4 = vec4<f32>(); var a5 = vec4<f32>(); var a6 = vec4<f32>(); var a7 = vec4<f32>();
  for (var k0 = 0u; k0 < params.K; k0 += SPAN) {
    let scale = vec4<f32>(span_scale(n.x + k0), span_scale(n.y + k0), span_scale(n.z + k0), span_scale(n.w + k0));
    for (var k = k0; k < k0 + SPAN; k += 4u) {
      // A column for each k.
      let b = transpose(mat4x4<f32>(
        raw4(n.x + k) * scale.x, raw4(n.y + k) * scale.y, raw4(n.z + k) * scale.z, raw4(n.w + k) * scale.w));
      a0 += b * x4(m.x + k, 4u);
      a1 += b * x4(m.y + k, 4u);
      a2 += b * x4(m.z + k, 4u);
      a3 += b * x4(m.w + k, 4u);
      a4 += b * x4(l.x + k, 4u);
      a5 += b * x4(l.y + k, 4u);
      a6 += b * x4(l.z + k, 4u);
      a7 += b * x4(l.w + k, 4u);
    }
  }
  var rows = array<vec4<f32>, 8>(a0, a1, a2, a3, a4, a5, a6, a7);
  for (var i = 0u; i < min(8u, params.M - m0); i++) {
    for (var j = 0u; j < min(4u, params.N - n0); j++) { finish(m0 + i, n0 + j, rows[i][j]); }
  }
}
