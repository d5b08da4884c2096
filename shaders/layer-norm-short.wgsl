// As layer-norm.wgsl, for rows that are short and a multiple of 4 long: a workgroup owns eight, eight threads a row, four
// values at a time. Each thread adds up what its row's eight found: two barriers in place of fourteen.
struct Params { D: u32, rows: u32, per_frame: u32, P: u32, shift: u32, scale: u32, eps: f32 }

@group(0) @binding(0) var<storage, read> x: array<vec4<XT>>;
@group(0) @binding(1) var<storage, read> weight: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> bias: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> out: array<vec4<OT>>;
@group(0) @binding(4) var<uniform> params: Params;

override MODE = 0u;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) wid: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
) {
  let row = (wid.y * groups.x + wid.x) * 8u + thread / 8u;
  let lane = thread % 8u;
  let D4 = params.D / 4u;
  let at = min(row, params.rows - 1u) * D4;
  var sums = vec4<f32>();
  for (var i = lane; i < D4; i += 8u) { sums += vec4<f32>(x[at + i]); }
  let mean = row_sum(thread, 0u, sums) / f32(params.D);
  var squares = vec4<f32>();
  for (var i = lane; i < D4; i += 8u) {
    let value = vec4<f32>(x[at + i]) - mean;
    squares += value * value;
  }
  let factor = inverseSqrt(row_sum(thread, 64u, squares) / f32(params.D) + params.eps);
  if (row >= params.rows) { return; }
  let m = (row / params.per_frame) * params.P;
  for (var i = lane; i < D4; i += 8u) {
    var y = (vec4<f32>(x[at + i]) - mean) * factor;
    if (MODE == 1u) { y = y * weight[i] + bias[i]; }
    if (MODE == 2u) { y = y * (1.0 + weight[(m + params.scale) * D4 + i]) + bias[(m + params.shift) * D4 + i]; }
    out[at + i] = vec4<OT>(y);
  }
}
