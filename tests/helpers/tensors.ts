/**
 * Seeded tensors on the GPU together with the values that they really hold, and the yardstick by which
 * the kernel tests compare. `onEveryElem` runs a file's tests with f32 activations, and again with f16
 * ones where the adapter has shader-f16.
 */
import { afterAll, afterEach, describe } from 'vitest';
import type { Gpu } from '../../src/gpu/device';
import { Run } from '../../src/gpu/run';
import { size, type Elem, type Plain, type Quantized, type Tensor } from '../../src/gpu/tensor';
import {
  dequantizeQ8,
  f16ToF32,
  f32ToF16,
  Q8_BLOCK,
  Q8_BYTES,
  repackQ8,
  toF32,
} from '../../src/weights/convert';
import { BLOCK_FORMS, packBlocks, type BlockType } from '../../src/weights/pack';
import { openTestGpu } from './gpu';

/** A tensor, and the values that it holds after rounding to its type. */
export interface Given {
  t: Tensor;
  x: Float32Array<ArrayBuffer>;
}

/** Uniform numbers in (−spread, spread), the same for the same seed (mulberry32). */
export function random(n: number, seed: number, spread = 1): Float32Array<ArrayBuffer> {
  let state = Math.imul(seed + 1, 0x9e3779b1);
  return Float32Array.from({ length: n }, () => {
    state = (state + 0x6d2b79f5) | 0;
    let z = Math.imul(state ^ (state >>> 15), state | 1);
    z ^= z + Math.imul(z ^ (z >>> 7), z | 61);
    return (((z ^ (z >>> 14)) >>> 0) / 2 ** 31 - 1) * spread;
  });
}

/** Values as Q8_0 blocks, as llama.cpp makes them: scale = max|x| / 127, quants rounded. */
export function quantizeQ8(x: Float32Array): Uint8Array<ArrayBuffer> {
  const blocks = x.length / Q8_BLOCK;
  const out = new DataView(new ArrayBuffer(blocks * Q8_BYTES));
  for (let b = 0; b < blocks; b++) {
    const block = x.subarray(b * Q8_BLOCK, (b + 1) * Q8_BLOCK);
    const scale = block.reduce((most, v) => Math.max(most, Math.abs(v)), 0) / 127;
    out.setUint16(b * Q8_BYTES, f32ToF16(scale), true);
    block.forEach((v, i) => out.setInt8(b * Q8_BYTES + 2 + i, scale ? Math.round(v / scale) : 0));
  }
  return new Uint8Array(out.buffer);
}

/** A device, a run on it, and tensors of known values; what a test made is freed after it. */
export class Kit {
  readonly gpu: Gpu;
  run: Run;
  #made: Tensor[] = [];
  #seed = 0;

  constructor(gpu: Gpu) {
    this.gpu = gpu;
    this.run = new Run(gpu);
  }

  get elem(): Elem {
    return this.gpu.elem;
  }

  /** A tensor of these values, by default of the activations' type. */
  from(values: ArrayLike<number>, shape: readonly number[], dtype: Plain | 'q8_0' = this.elem): Given {
    const { memory } = this.gpu;
    const x = Float32Array.from(values);
    if (x.length !== size({ shape })) throw new RangeError(`${x.length} values for [${shape}]`);
    if (dtype === 'q8_0') return this.#quantized(x, shape);
    const half = dtype === 'f16' ? Uint16Array.from(x, f32ToF16) : null;
    const raw = half ?? (dtype === 'i32' ? Int32Array.from(x) : dtype === 'u32' ? Uint32Array.from(x) : x);
    const t = memory.upload(raw as ArrayBufferView<ArrayBuffer>, shape, dtype, `test ${dtype}`);
    this.#made.push(t);
    return { t, x: half ? Float32Array.from(half, f16ToF32) : x };
  }

  /** A tensor of seeded numbers in (−spread, spread), by default of the activations' type. */
  random(shape: readonly number[], dtype: Plain | 'q8_0' = this.elem, spread = 1): Given {
    return this.from(random(size({ shape }), this.#seed++, spread), shape, dtype);
  }

  /** A quantized tensor of random blocks as a file has them; numbers of about 1. */
  quantized(shape: readonly number[], dtype: Exclude<Quantized, 'q8_0'>): Given {
    const n = size({ shape });
    const type = dtype.toUpperCase() as BlockType | 'F8_E4M3' | 'F8_E5M2';
    const noise = random(n * 2, this.#seed++, 2 ** 31);
    const byte = (i: number) => Math.abs(noise[i % noise.length]! | 0) & 255;
    let bytes: Uint8Array<ArrayBuffer>;
    let main: Uint8Array<ArrayBuffer>;
    let scales: Uint8Array<ArrayBuffer>;
    let factor = 1;
    if (type === 'F8_E4M3' || type === 'F8_E5M2') {
      // All but what is no number, and for E5M2 exponents up to 2^2.
      const least = type === 'F8_E4M3' ? 0x7e : 0x47;
      bytes = Uint8Array.from({ length: n }, (_, i) => (byte(i) & 0x80) | ((byte(i) & 0x7f) % (least + 1)));
      factor = 0.375;
      main = bytes;
      scales = new Uint8Array(Float32Array.of(factor).buffer);
    } else {
      const form = BLOCK_FORMS[type];
      bytes = Uint8Array.from({ length: (n / form.elements) * form.bytes }, (_, i) => byte(i));
      const view = new DataView(bytes.buffer);
      const halves = { Q4_0: [0], Q4_K: [0, 2], Q5_K: [0, 2], Q6_K: [208], Q8_0: [0] }[type];
      for (let b = 0; b * form.bytes < bytes.length; b++)
        for (const at of halves)
          view.setUint16(b * form.bytes + at, f32ToF16(((byte(b + at) - 128) / 128) * 2 ** -8), true);
      ({ main, scales } = packBlocks(type, bytes));
    }
    const { memory } = this.gpu;
    const storage = memory.allocate(main.byteLength, `test ${dtype}`);
    const t: Tensor = { storage, scales: memory.allocate(scales.byteLength, 'test scales'), dtype, shape, label: `test ${dtype}` }; // prettier-ignore
    memory.write(storage, main);
    memory.write(t.scales!, scales);
    this.#made.push(t);
    return { t, x: toF32({ name: 'test', dtype: type }, bytes).map((v) => v * factor) };
  }

  #quantized(x: Float32Array, shape: readonly number[]): Given {
    const { memory } = this.gpu;
    const blocks = quantizeQ8(x);
    const { quants, scales } = repackQ8(blocks);
    const storage = memory.allocate(quants.byteLength, 'test q8_0');
    const t: Tensor = {
      storage,
      scales: memory.allocate(scales.byteLength, 'test scales'),
      dtype: 'q8_0',
      shape,
      label: 'test q8_0',
    };
    memory.write(storage, quants);
    memory.write(t.scales!, scales);
    this.#made.push(t);
    return { t, x: dequantizeQ8(blocks) };
  }

  /** The values of an f32 or f16 tensor, after everything that the run recorded. */
  async read(t: Tensor): Promise<Float32Array<ArrayBuffer>> {
    const values = await this.run.read(t);
    this.gpu.check();
    return values;
  }

  /** The words of a u32 tensor. */
  async readWords(t: Tensor): Promise<Uint32Array<ArrayBuffer>> {
    this.run.flush();
    const bytes = await this.gpu.readBytes(t);
    this.gpu.check();
    return new Uint32Array(bytes.buffer).slice(0, size(t));
  }

  /** Frees every tensor and starts a fresh run. */
  reset(): void {
    this.run.destroy();
    for (const t of this.#made) this.gpu.memory.free(t);
    this.#made = [];
    this.#seed = 0;
    this.run = new Run(this.gpu);
  }
}

/**
 * Runs the tests with f32 activations and, where the adapter has shader-f16, with f16 ones.
 * At most once a file: the devices are destroyed at the end.
 */
export async function onEveryElem(tests: (kit: Kit) => void): Promise<void> {
  const half = await openTestGpu({ f16: true });
  const gpus = [await openTestGpu(), ...(half.elem === 'f16' ? [half] : [])];
  if (half.elem !== 'f16') half.destroy();
  for (const gpu of gpus) {
    describe(`${gpu.elem} activations`, () => {
      const kit = new Kit(gpu);
      afterEach(() => kit.reset());
      afterAll(() => gpu.destroy());
      tests(kit);
    });
  }
}

/**
 * Tolerances of `expectClose` for a result of this type: references compute in f64 from the very values
 * that the kernel reads.
 * - f32: sums of up to some thousand terms, and WGSL's exp and tanh, which may err by 1e-5.
 * - f16: sums are in f32, so what is left is one rounding of the result, 2^-11, twice for slack.
 */
export const TOLERANCE: Readonly<Record<string, number>> = { f32: 1e-5, f16: 2 ** -10 };

/** Every |got − want| ≤ tolerance·(|want| + rms(want)); by default the tolerance of the tensor's type. */
export async function expectClose(
  kit: Kit,
  t: Tensor,
  want: ArrayLike<number>,
  tolerance = TOLERANCE[t.dtype]!,
): Promise<void> {
  const got = await kit.read(t);
  if (got.length !== want.length)
    throw new Error(`${t.label}: ${got.length} values, expected ${want.length}`);
  const rms = Math.sqrt(Array.from(want).reduce((sum, w) => sum + w * w, 0) / want.length);
  let worst = 0;
  let at = -1;
  for (let i = 0; i < got.length; i++) {
    const error = Math.abs(got[i]! - want[i]!) / (Math.abs(want[i]!) + rms || 1e-30);
    if (error <= worst) continue; // NaN is not
    [worst, at] = [error, i];
    if (Number.isNaN(error)) break;
  }
  if (!(worst <= tolerance)) {
    const where = `[${t.shape}] at ${unravel(at, t.shape)}`;
    throw new Error(
      `${t.label} ${where}: ${got[at]}, expected ${want[at]} (error ${worst}, allowed ${tolerance})`,
    );
  }
}

function unravel(at: number, shape: readonly number[]): string {
  const index = shape.map((n, axis) => {
    const inner = shape.slice(axis + 1).reduce((a, b) => a * b, 1);
    return Math.floor(at / inner) % n;
  });
  return `[${index}]`;
}
