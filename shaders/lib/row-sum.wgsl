// The sum of one number a thread over a workgroup of 64.
var<workgroup> partial: array<f32, 64>;
fn row_sum(thread: u32, value: f32) -> f32 {
  workgroupBarrier(); // an earlier sum may still be read
  partial[thread] = value;
  for (var n = 32u; n > 0u; n /= 2u) {
    workgroupBarrier();
    if (thread < n) { partial[thread] += partial[thread + n]; }
  }
  workgroupBarrier();
  return partial[0];
}
