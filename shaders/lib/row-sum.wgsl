// The sum of one number a thread over a workgroup of 64.
struct Place { @builtin(local_invocation_index) thread: u32 }
var<workgroup> partial: array<f32, 64>;
fn row_sum(place: Place, value: f32) -> f32 {
  workgroupBarrier(); // an earlier sum may still be read
  partial[place.thread] = value;
  for (var n = 32u; n > 0u; n /= 2u) {
    workgroupBarrier();
    if (place.thread < n) { partial[place.thread] += partial[place.thread + n]; }
  }
  workgroupBarrier();
  return partial[0];
}
