// out = x / √(mean(x²) + eps) · weight, row by row, in f32. A workgroup owns a row.
struct Params { D: u32, rows: u32, eps: f32 }

@group(0) @binding(0) var<storage, read> x: array<XT>;
@group(0) @binding(1) var<storage, read> weight: array<f32>;
@group(0) @binding(2) var<storage, read_write> out: array<OT>;
@group(0) @binding(3) var<uniform> params: Params;

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
  var squares = 0.0;
  for (var i = lid.x; i < params.D; i += 64u) {
    let value = f32(x[at + i]);
    squares += value * value;
  }
  let factor = inverseSqrt(row_sum(place, squares) / f32(params.D) + params.eps);
  for (var i = lid.x; i < params.D; i += 64u) { out[at + i] = OT(f32(x[at + i]) * factor * weight[i]); }
}
