// The sum of four numbers a thread over the eight threads of a row, 64 a workgroup. Each sum has a place of its own
// (`first` 0 or 64), so that none waits until an earlier one was read.
var<workgroup> partial: array<f32, 128>;
fn row_sum(thread: u32, first: u32, values: vec4<f32>) -> f32 {
  partial[first + thread] = values.x + values.y + values.z + values.w;
  workgroupBarrier();
  let row = first + (thread & 56u);
  return (partial[row] + partial[row + 1u] + partial[row + 2u] + partial[row + 3u])
    + (partial[row + 4u] + partial[row + 5u] + partial[row + 6u] + partial[row + 7u]);
}
