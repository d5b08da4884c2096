// A dense copy of a strided view: out[i0, …, i7] = x[offset + Σ i·stride]. Strides may be 0 (repetition).
struct Params {
  count: u32, offset: u32,
  size1: u32, size2: u32, size3: u32, size4: u32, size5: u32, size6: u32, size7: u32,
  stride0: u32, stride1: u32, stride2: u32, stride3: u32, stride4: u32, stride5: u32, stride6: u32, stride7: u32,
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
  if (i >= params.count) { return; }
  var rest = i;
  var at = params.offset; // sums wrap around, so strides may be negative
  at += (rest % params.size7) * params.stride7; rest /= params.size7;
  at += (rest % params.size6) * params.stride6; rest /= params.size6;
  at += (rest % params.size5) * params.stride5; rest /= params.size5;
  at += (rest % params.size4) * params.stride4; rest /= params.size4;
  at += (rest % params.size3) * params.stride3; rest /= params.size3;
  at += (rest % params.size2) * params.stride2; rest /= params.size2;
  at += (rest % params.size1) * params.stride1; rest /= params.size1;
  out[i] = OT(value(at + rest * params.stride0));
}
