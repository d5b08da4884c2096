// y = (x − mean) / √(variance + eps), row by row, in f32; then nothing (MODE 0), y · weight + bias (MODE 1), or Wan's
// modulation by frame (MODE 2): y · (1 + m[frame, scale]) + m[frame, shift], m [F, P, D]. A workgroup owns a row.
struct Params { D: u32, rows: u32, per_frame: u32, P: u32, shift: u32, scale: u32, eps: f32 }

@group(0) @binding(0) var<storage, read> x: array<XT>;
@group(0) @binding(1) var<storage, read> weight: array<f32>;
@group(0) @binding(2) var<storage, read> bias: array<f32>;
@group(0) @binding(3) var<storage, read_write> out: array<OT>;
@group(0) @binding(4) var<uniform> params: Params;

override MODE = 0u;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) wid: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_id) lid: vec3<u32>,
  place: Place, // of row_sum, as its snippet wants it
) {
  let row = wid.y * groups.x + wid.x;
  if (row >= params.rows) { return; } // the whole workgroup
  let at = row * params.D;
  var sum = 0.0;
  for (var i = lid.x; i < params.D; i += 64u) { sum += f32(x[at + i]); }
  let mean = row_sum(place, sum) / f32(params.D);
  var squares = 0.0;
  for (var i = lid.x; i < params.D; i += 64u) {
    let value = f32(x[at + i]) - mean;
    squares += value * value;
  }
  let factor = inverseSqrt(row_sum(place, squares) / f32(params.D) + params.eps);
  let m = (row / params.per_frame) * params.P * params.D;
  for (var i = lid.x; i < params.D; i += 64u) {
    var y = (f32(x[at + i]) - mean) * factor;
    if (MODE == 1u) { y = y * weight[i] + bias[i]; }
    if (MODE == 2u) { y = y * (1.0 + weight[m + params.scale * params.D + i]) + bias[m + params.shift * params.D + i]; }
    out[at + i] = OT(y);
  }
}
