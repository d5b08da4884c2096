// What matmul makes of a sum: act(sum + bias) · gate[frame, index] + residual. A pass over memory saved for each.
override HAS_BIAS = 0u;
override ACT = 0u;
override GATED = 0u;
override HAS_RESIDUAL = 0u;

fn finish(m: u32, n: u32, sum: f32) {
  let at = m * params.N + n;
  var value = sum;
  if (HAS_BIAS == 1u) { value += bias[n]; }
  value = activate(ACT, value);
  if (GATED == 1u) { value *= gate[((m / params.per_frame) * params.P + params.index) * params.N + n]; }
  if (HAS_RESIDUAL == 1u) { value += f32(residual[at]); }
  out[at] = OT(value);
}
