// As shaders/lib/matrix.wgsl, of shuffles, for subgroups of SIZE threads: row r of a matrix is in thread r % SIZE.
// Constants: SLOTS = rows a thread, for the largest of SM and SK.
alias Left = array<f32, SLOTS * SK>;
alias Right = array<f32, SLOTS * SN>;
alias Sums = array<f32, SLOTS * SN>;
/// n, which compilers do not know: unrolled, these loops take them half a minute.
fn about(n: u32) -> u32 { return min(n, params.K + n); }
fn no_sums() -> Sums { return Sums(); }
fn load_left(at: u32, lane: u32) -> Left {
  var a: Left;
  for (var s = 0u; s < about(SLOTS); s++) {
    let row = s * SIZE + lane;
    for (var k = 0u; k < about(SK); k++) { if (row < SM) { a[s * SK + k] = f32(xs[at + row * STRIDE + k]); } }
  }
  return a;
}
fn load_right(at: u32, lane: u32) -> Right {
  var b: Right;
  for (var s = 0u; s < about(SLOTS); s++) {
    let k = s * SIZE + lane;
    for (var n = 0u; n < about(SN); n++) { if (k < SK) { b[s * SN + n] = f32(ws[at + n * STRIDE + k]); } }
  }
  return b;
}
fn multiply(a: Left, b: Right, sums: Sums) -> Sums {
  var results = sums;
  for (var k = 0u; k < about(SK); k++) {
    for (var n = 0u; n < about(SN); n++) {
      let right = subgroupShuffle(b[(k / SIZE) * SN + n], k % SIZE);
      for (var s = 0u; s < about(SLOTS); s++) { results[s * SN + n] += a[s * SK + k] * right; }
    }
  }
  return results;
}
fn store_sums(at: u32, sums: Sums, lane: u32) {
  for (var s = 0u; s < about(SLOTS); s++) {
    let row = s * SIZE + lane;
    for (var n = 0u; n < about(SN); n++) { if (row < SM) { made[at + row * SN + n] = sums[s * SN + n]; } }
  }
}
