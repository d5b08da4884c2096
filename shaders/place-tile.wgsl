// Copies a part of a tile x [T, h, w, C] into the picture out [T, H, W, C]: `rows` × `columns` pixels from (y, x0) of the
// tile to (top, left) of the picture. A thread owns an element.
struct Params {
  T: u32, h: u32, w: u32, C: u32, H: u32, W: u32,
  y: u32, x0: u32, rows: u32, columns: u32, top: u32, left: u32,
}

@group(0) @binding(0) var<storage, read> x: array<XT>;
@group(0) @binding(1) var<storage, read_write> out: array<OT>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) wid: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_id) lid: vec3<u32>,
) {
  let i = (wid.y * groups.x + wid.x) * 64u + lid.x;
  if (i >= params.T * params.rows * params.columns * params.C) { return; }
  let c = i % params.C;
  let column = (i / params.C) % params.columns;
  let row = (i / (params.C * params.columns)) % params.rows;
  let t = i / (params.C * params.columns * params.rows);
  let here = ((t * params.h + params.y + row) * params.w + params.x0 + column) * params.C + c;
  let there = ((t * params.H + params.top + row) * params.W + params.left + column) * params.C + c;
  out[there] = OT(x[here]);
}
