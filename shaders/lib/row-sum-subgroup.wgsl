// The sum of one number a thread over a workgroup of 64, first within each subgroup, whatever its size.
var<workgroup> partial: array<f32, 64>;
fn row_sum(subgroup: u32, subgroups: u32, value: f32) -> f32 {
  let sum = subgroupAdd(value);
  if (subgroups == 1u) { return sum; }
  workgroupBarrier(); // an earlier sum may still be read
  if (subgroupElect()) { partial[subgroup] = sum; }
  workgroupBarrier();
  var all = 0.0;
  for (var i = 0u; i < subgroups; i++) { all += partial[i]; }
  return all;
}
