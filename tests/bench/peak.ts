/** What the adapter itself can do: a register-only FMA loop and a large copy, in the same run as the kernels. */
import { Run } from '../../src/gpu/run';
import type { Gpu } from '../../src/gpu/device';
import { kernel } from '../../src/ops/kernels';
import type { Tensor } from '../../src/gpu/tensor';
import { measure } from './measure';

const ROUNDS = 256;
/** Eight independent chains of vec4 a thread hide the latency of an FMA. */
const CHAINS = 8;

const FMA = `
struct Params { rounds: u32 }
@group(0) @binding(0) var<storage, read_write> out: array<f32>;
@group(0) @binding(1) var<uniform> params: Params;
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let a = vec4<f32>(0.999, 0.998, 0.997, 0.996);
  let b = vec4<f32>(f32(id.x & 7u) * 1e-3);
  ${Array.from({ length: CHAINS }, (_, i) => `var c${i} = vec4<f32>(${i}.0);`).join('\n  ')}
  for (var i = 0u; i < params.rounds; i++) {
    ${Array.from({ length: CHAINS }, (_, i) => `c${i} = fma(c${i}, a, b);`).join('\n    ')}
  }
  let sum = ${Array.from({ length: CHAINS }, (_, i) => `c${i}`).join(' + ')};
  out[id.x] = sum.x + sum.y + sum.z + sum.w;
}`;

const COPY = `
struct Params { count: u32 }
@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> out: array<vec4<f32>>;
@group(0) @binding(2) var<uniform> params: Params;
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x < params.count) { out[id.x] = x[id.x]; }
}`;

export interface Peak {
  /** f32, two operations an FMA. */
  gflops: number;
  /** Read and written. */
  gbytes: number;
}

/** @param threads of the FMA loop; fewer on a software adapter */
export async function measurePeak(gpu: Gpu): Promise<Peak> {
  const threads = gpu.adapter.isFallback ? 1 << 12 : 1 << 20;
  const words = gpu.adapter.isFallback ? 1 << 22 : 1 << 24;
  const run = new Run(gpu);
  const out = run.tensor([threads], 'fma', 'f32');
  const [from, to]: Tensor[] = ['from', 'to'].map((name) => run.tensor([words], name, 'f32'));
  const fma = () =>
    run.dispatch({
      kernel: kernel('bench-fma', FMA),
      bindings: { out },
      params: { rounds: ROUNDS },
      workgroups: [threads / 64],
    });
  const copy = () =>
    run.dispatch({
      kernel: kernel('bench-copy', COPY),
      bindings: { x: from!, out: to! },
      params: { count: words / 4 },
      workgroups: [Math.min(65535, words / 4 / 64)],
    });
  try {
    const { seconds: fmaSeconds } = await measure(run, fma);
    const { seconds: copySeconds } = await measure(run, copy);
    const copied = Math.min(65535 * 64, words / 4) * 16;
    return {
      gflops: (threads * ROUNDS * CHAINS * 4 * 2) / fmaSeconds / 1e9,
      gbytes: (2 * copied) / copySeconds / 1e9,
    };
  } finally {
    run.destroy();
  }
}
