// out[row, :] = table[ids[row], :]. Ids behind the table's end take its last row. A thread owns four values.
struct Params { L: u32, rows: u32, D: u32 }

@group(0) @binding(0) var<storage, read> ids: array<i32>;
@group(0) @binding(1) var<storage, read> w: array<W>;
@group(0) @binding(2) var<storage, read> scales: array<u32>;
@group(0) @binding(3) var<storage, read_write> out: array<OT>;
@group(0) @binding(4) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) wid: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_id) lid: vec3<u32>,
) {
  let i = (wid.y * groups.x + wid.x) * 64u + lid.x;
  let fours = (params.D + 3u) / 4u;
  if (i >= params.L * fours) { return; }
  let row = i / fours;
  let column = (i % fours) * 4u;
  let id = u32(clamp(ids[row], 0, i32(params.rows) - 1));
  let values = w4(id * params.D + column);
  for (var j = 0u; j < min(4u, params.D - column); j++) { out[row * params.D + column + j] = OT(values[j]); }
}
