// Matrices of a subgroup, as Chromium's experimental extension has them: its numbers of columns come before those of
// rows. All current editions take a bool for the layout (true: column by column); the newest rather want a word.
// The kernel has factors in `tile` and results in `made`, with rows (columns, where told) `stride` apart.
alias Left = subgroup_matrix_left<Part, SK, SM>;
alias Right = subgroup_matrix_right<Part, SN, SK>;
alias Sums = subgroup_matrix_result<f32, SN, SM>;
/// How often a loop over matrices runs: known to compilers, so that they can name each.
fn times(n: u32) -> u32 { return n; }
fn no_sums() -> Sums { return Sums(); }
fn load_left(at: u32, stride: u32, lane: u32) -> Left { return subgroupMatrixLoad<Left>(&tile, at, false, stride); }
/// Column by column.
fn load_right(at: u32, stride: u32, lane: u32) -> Right { return subgroupMatrixLoad<Right>(&tile, at, true, stride); }
fn load_right_rows(at: u32, stride: u32, lane: u32) -> Right { return subgroupMatrixLoad<Right>(&tile, at, false, stride); }
fn multiply(a: Left, b: Right, sums: Sums) -> Sums { return subgroupMatrixMultiplyAccumulate(a, b, sums); }
fn store_sums(at: u32, stride: u32, sums: Sums, lane: u32) { subgroupMatrixStore(&made, at, sums, false, stride); }
fn load_sums(at: u32, stride: u32, lane: u32) -> Sums { return subgroupMatrixLoad<Sums>(&made, at, false, stride); }
