/**
 * One denoising step, on the CPU: the reference of the GPU's sampler kernel. All arrays have one length.
 * v is the network's prediction, flow = noise − x0.
 */

type Values = Float32Array;

function zip(
  a: Values,
  b: Values,
  f: (a: number, b: number) => number,
  what: string,
): Float32Array<ArrayBuffer> {
  if (a.length !== b.length) throw new RangeError(`${what}: ${a.length} and ${b.length} values`);
  return Float32Array.from(a, (x, i) => f(x, b[i]!));
}

/** The clean latent that the prediction points to: x0 = x − σ·v. */
export function predictClean(x: Values, v: Values, sigma: number): Float32Array<ArrayBuffer> {
  return zip(x, v, (a, b) => a - sigma * b, 'predictClean');
}

/** A clean latent at noise level σ, with fresh noise: (1 − σ)·x0 + σ·ε. */
export function renoise(x0: Values, noise: Values, sigma: number): Float32Array<ArrayBuffer> {
  return zip(x0, noise, (a, b) => (1 - sigma) * a + sigma * b, 'renoise');
}

/** One Euler step along the flow, from σ to σ′: x + (σ′ − σ)·v. */
export function euler(x: Values, v: Values, sigma: number, next: number): Float32Array<ArrayBuffer> {
  return zip(x, v, (a, b) => a + (next - sigma) * b, 'euler');
}
