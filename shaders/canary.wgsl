// Counts NaN and Inf, by their bits: a compiler may assume that comparisons never meet them. Each workgroup has a count.
// Values are read by lib/value-*.
struct Params { count: u32 }

@group(0) @binding(0) var<storage, read> x: array<XT>;
@group(0) @binding(1) var<storage, read_write> out: array<u32>;
@group(0) @binding(2) var<uniform> params: Params;

var<workgroup> found: array<u32, 256>;

@compute @workgroup_size(256)
fn main(
  @builtin(workgroup_id) wid: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_id) lid: vec3<u32>,
) {
  var bad = 0u;
  for (var i = wid.x * 256u + lid.x; i < params.count; i += groups.x * 256u) {
    if ((bitcast<u32>(value(i)) & 0x7f800000u) == 0x7f800000u) { bad += 1u; }
  }
  found[lid.x] = bad;
  for (var n = 128u; n > 0u; n /= 2u) {
    workgroupBarrier();
    if (lid.x < n) { found[lid.x] += found[lid.x + n]; }
  }
  if (lid.x == 0u) { out[wid.x] = found[0]; }
}
