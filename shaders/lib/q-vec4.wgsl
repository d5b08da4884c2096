// The i-th four values of a query's head that begins at element `at`. HEAD is a multiple of 4.
alias V = vec4<elem>;
fn q4(at: u32, i: u32) -> vec4<f32> { return vec4<f32>(q[(at >> 2u) + i]); }
