// As shaders/lib/matrix.wgsl, of shuffles, for subgroups of SIZE threads: row r of a matrix is in thread r % SIZE.
// Constants: SLOTS = rows a thread, for the largest of SM and SK.
alias Left = array<f32, SLOTS * SK>;
alias Right = array<f32, SLOTS * SN>;
alias Sums = array<f32, SLOTS * SN>;
/// n, which compilers do not know: unrolled, these loops take them half a minute.
fn times(n: u32) -> u32 { return min(n, params.M + n); }
fn no_sums() -> Sums { return Sums(); }
fn load_left(at: u32, stride: u32, lane: u32) -> Left {
  var a: Left;
  for (var s = 0u; s < times(SLOTS); s++) {
    let row = s * SIZE + lane;
    for (var k = 0u; k < times(SK); k++) { if (row < SM) { a[s * SK + k] = f32(tile[at + row * stride + k]); } }
  }
  return a;
}
/// Elements of a row and of a column lie so far apart.
fn load_right_by(at: u32, across: u32, down: u32, lane: u32) -> Right {
  var b: Right;
  for (var s = 0u; s < times(SLOTS); s++) {
    let k = s * SIZE + lane;
    for (var n = 0u; n < times(SN); n++) { if (k < SK) { b[s * SN + n] = f32(tile[at + n * across + k * down]); } }
  }
  return b;
}
fn load_right(at: u32, stride: u32, lane: u32) -> Right { return load_right_by(at, stride, 1u, lane); }
fn load_right_rows(at: u32, stride: u32, lane: u32) -> Right { return load_right_by(at, 1u, stride, lane); }
fn multiply(a: Left, b: Right, sums: Sums) -> Sums {
  var results = sums;
  for (var k = 0u; k < times(SK); k++) {
    for (var n = 0u; n < times(SN); n++) {
      let right = subgroupShuffle(b[(k / SIZE) * SN + n], k % SIZE);
      for (var s = 0u; s < times(SLOTS); s++) { results[s * SN + n] += a[s * SK + k] * right; }
    }
  }
  return results;
}
fn store_sums(at: u32, stride: u32, sums: Sums, lane: u32) {
  for (var s = 0u; s < times(SLOTS); s++) {
    let row = s * SIZE + lane;
    for (var n = 0u; n < times(SN); n++) { if (row < SM) { made[at + row * stride + n] = sums[s * SN + n]; } }
  }
}
fn load_sums(at: u32, stride: u32, lane: u32) -> Sums {
  var sums: Sums;
  for (var s = 0u; s < times(SLOTS); s++) {
    let row = s * SIZE + lane;
    for (var n = 0u; n < times(SN); n++) { if (row < SM) { sums[s * SN + n] = made[at + row * stride + n]; } }
  }
  return sums;
}
