// Rows into the slots of a KV cache of 8 bit: each head of a row becomes HEAD4 words of four int8 and then its scale,
// an f32, the largest magnitude / 127. Eight threads share a head; a workgroup has eight heads. Magnitudes are compared
// as bits, which keeps a NaN: it becomes the scale, so that what broke down is seen and not rounded away.
// x [N, heads·HEAD]; out [window·per_frame, heads, HEAD4 + 1]. Constants: HEAD, HEAD4 = ⌈HEAD / 4⌉.
struct Params { N: u32, heads: u32, per_frame: u32, first_frame: u32, sink: u32, window: u32 }

@group(0) @binding(0) var<storage, read> x: array<XT>;
@group(0) @binding(1) var<storage, read_write> out: array<u32>;
@group(0) @binding(2) var<uniform> params: Params;

const INFINITE = 0x7f800000u;
var<workgroup> most: array<u32, 64>;

// Four values of the head that begins at element `at`; zeros behind its end.
fn four(at: u32, i: u32) -> vec4<f32> {
  var r = vec4<f32>();
  for (var j = 0u; j < min(4u, HEAD - 4u * i); j++) { r[j] = f32(x[at + 4u * i + j]); }
  return r;
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) wid: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_id) lid: vec3<u32>,
) {
  let part = lid.x % 8u;
  let mine = (wid.y * groups.x + wid.x) * 8u + lid.x / 8u; // row · heads + head
  let there = mine < params.N * params.heads;
  let at = select(0u, mine, there) * HEAD;
  var highest = 0u;
  for (var i = part; i < HEAD4; i += 8u) {
    let a = bitcast<vec4<u32>>(four(at, i)) & vec4<u32>(0x7fffffffu);
    highest = max(highest, max(max(a.x, a.y), max(a.z, a.w)));
  }
  most[lid.x] = highest;
  workgroupBarrier();
  for (var j = 0u; j < 8u; j++) { highest = max(highest, most[lid.x - part + j]); }
  if (!there) { return; }
  let finite = highest < INFINITE;
  let scale = bitcast<f32>(select(0u, highest, finite)) / 127.0;
  let inverse = select(0.0, 1.0 / scale, scale > 0.0);
  let first = (slot_row(mine / params.heads) * params.heads + mine % params.heads) * (HEAD4 + 1u);
  for (var i = part; i < HEAD4; i += 8u) {
    let n = vec4<i32>(clamp(round(four(at, i) * inverse), vec4<f32>(-127.0), vec4<f32>(127.0))) & vec4<i32>(255);
    out[first + i] = bitcast<u32>(n.x | (n.y << 8u) | (n.z << 16u) | (n.w << 24u));
  }
  if (part == 0u) { out[first + HEAD4] = select(highest, bitcast<u32>(scale), finite); }
}
