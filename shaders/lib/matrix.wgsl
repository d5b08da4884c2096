// Matrices of a subgroup, as Chromium's experimental extension has them: its numbers of columns come before those of
// rows. All current editions take a bool for the layout (true: column by column); the newest rather want a word.
alias Left = subgroup_matrix_left<Part, SK, SM>;
alias Right = subgroup_matrix_right<Part, SN, SK>;
alias Sums = subgroup_matrix_result<f32, SN, SM>;
fn no_sums() -> Sums { return Sums(); }
fn load_left(at: u32, lane: u32) -> Left { return subgroupMatrixLoad<Left>(&xs, at, false, STRIDE); }
fn load_right(at: u32, lane: u32) -> Right { return subgroupMatrixLoad<Right>(&ws, at, true, STRIDE); }
fn multiply(a: Left, b: Right, sums: Sums) -> Sums { return subgroupMatrixMultiplyAccumulate(a, b, sums); }
fn store_sums(at: u32, sums: Sums, lane: u32) { subgroupMatrixStore(&made, at, sums, false, SN); }
