// The i-th four values of a key's or a value's head that begins at element `at`. HEAD is a multiple of 4.
alias KV = vec4<elem>;
fn k4(at: u32, i: u32) -> vec4<f32> { return vec4<f32>(k[(at >> 2u) + i]); }
fn v4(at: u32, i: u32) -> vec4<f32> { return vec4<f32>(v[(at >> 2u) + i]); }
