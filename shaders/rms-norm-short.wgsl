// As rms-norm.wgsl, for rows that are short and a multiple of 4 long: a workgroup owns eight, eight threads a row, four
// values at a time. Each thread adds up what its row's eight found: one barrier in place of seven.
struct Params { D: u32, rows: u32, eps: f32 }

@group(0) @binding(0) var<storage, read> x: array<vec4<XT>>;
@group(0) @binding(1) var<storage, read> weight: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> out: array<vec4<OT>>;
@group(0) @binding(3) var<uniform> params: Params;

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
  var squares = vec4<f32>();
  for (var i = lane; i < D4; i += 8u) {
    let value = vec4<f32>(x[at + i]);
    squares += value * value;
  }
  let factor = inverseSqrt(row_sum(thread, 0u, squares) / f32(params.D) + params.eps);
  if (row >= params.rows) { return; }
  for (var i = lane; i < D4; i += 8u) { out[at + i] = vec4<OT>(vec4<f32>(x[at + i]) * factor * weight[i]); }
}
