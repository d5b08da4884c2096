// What the variants of conv share: where a tap reads, and what becomes of a sum. `params` and the bindings are the kernel's.
override HAS_PAST = 0u;
override HAS_BIAS = 0u;
override HAS_RESIDUAL = 0u;
override ACT = 0u;

/// Frame, row and column in x that the first tap of output pixel `p` reads; frames count from the first of `past` on.
fn corner(p: u32) -> vec3<i32> {
  let rest = p % (params.OH * params.OW);
  let y = i32((rest / params.OW) * params.stride) - i32(params.py);
  let x = i32((rest % params.OW) * params.stride) - i32(params.px);
  return vec3<i32>(i32(p / (params.OH * params.OW)), y, x);
}

/// First element of the pixel that a tap reads; in `past` when .y is 1; .z 0 where there is none.
fn source(first: vec3<i32>, dt: u32, dy: u32, dx: u32) -> vec3<u32> {
  let iy = first.y + i32(dy);
  let ix = first.z + i32(dx);
  if (iy < 0 || ix < 0 || iy >= i32(params.H << params.doubled) || ix >= i32(params.W << params.doubled)) { return vec3<u32>(); }
  let t = u32(first.x) + dt;
  let before = params.KT - 1u;
  let old = t < before;
  if (old && HAS_PAST == 0u) { return vec3<u32>(); }
  let frame = select(t - before, t, old);
  let row = u32(iy) >> params.doubled;
  let column = u32(ix) >> params.doubled;
  return vec3<u32>(((frame * params.H + row) * params.W + column) * params.C, select(0u, 1u, old), 1u);
}

fn load(at: vec3<u32>, c: u32, left: u32) -> vec4<f32> {
  if (at.z == 0u) { return vec4<f32>(); }
  if (at.y == 1u) { return past4(at.x + c, left); }
  return x4(at.x + c, left);
}

fn finish(p: u32, o: u32, sum: f32) {
  let at = p * params.O + o;
  var value = sum;
  if (HAS_BIAS == 1u) { value += bias[o]; }
  if (HAS_RESIDUAL == 1u) { value += f32(residual[at]); }
  out[at] = OT(activate(ACT, value));
}
