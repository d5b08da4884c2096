// Puts the i-th two values of a tensor there as two halves in a word: f16 on adapters without shader-f16.
fn put_pair(i: u32, pair: vec2<f32>) { out[i] = pack2x16float(pair); }
