// As row-sum, first within each subgroup, whatever its size: two barriers a sum in place of seven.
struct Place { @builtin(subgroup_id) subgroup: u32, @builtin(num_subgroups) subgroups: u32 }
var<workgroup> partial: array<f32, 64>;
fn row_sum(place: Place, value: f32) -> f32 {
  let sum = subgroupAdd(value);
  workgroupBarrier(); // an earlier sum may still be read
  if (subgroupElect()) { partial[place.subgroup] = sum; }
  workgroupBarrier();
  var all = 0.0;
  for (var i = 0u; i < place.subgroups; i++) { all += partial[i]; }
  return all;
}
