// Activations in f32. Large arguments are clamped where the function is flat: exp and tanh overflow on some drivers.
fn gelu(x: f32) -> f32 {
  // The tanh form.
  return 0.5 * x * (1.0 + tanh(clamp(0.7978845608 * (x + 0.044715 * x * x * x), -15.0, 15.0)));
}
fn silu(x: f32) -> f32 {
  return x / (1.0 + exp(-clamp(x, -80.0, 80.0)));
}
/// 0 none, 1 gelu, 2 silu, 3 relu, 4 soft clamp to (-3, 3), 5 clamp to [0, 1]
fn activate(kind: u32, x: f32) -> f32 {
  switch (kind) {
    case 1u: { return gelu(x); }
    case 2u: { return silu(x); }
    case 3u: { return max(x, 0.0); }
    case 4u: { return 3.0 * tanh(clamp(x / 3.0, -15.0, 15.0)); }
    case 5u: { return clamp(x, 0.0, 1.0); }
    default: { return x; }
  }
}
