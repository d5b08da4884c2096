/** Multi-head attention over any number of keys, in the flash form. */
import kv8bit from '../../shaders/lib/kv-8bit.wgsl?raw';
import kvHalves from '../../shaders/lib/kv-halves.wgsl?raw';
import kvScalar from '../../shaders/lib/kv-scalar.wgsl?raw';
import kvVec4 from '../../shaders/lib/kv-vec4.wgsl?raw';
import qScalar from '../../shaders/lib/q-scalar.wgsl?raw';
import qVec4 from '../../shaders/lib/q-vec4.wgsl?raw';
import { expectShape, ranges, type Run } from '../gpu/run';
import type { DType, Elem, Tensor } from '../gpu/tensor';
import { elemOf, expectAxes, kernel, refuse } from './kernels';
import { store8bit, wordsOf } from './store-8bit';
import { choose, shapeClass, trialInput, type Trial } from './choose';
import { ATTENTION, type AttentionShape } from './variants';

export interface AttentionOptions {
  heads: number;
  /** Of the scores; default 1/√(head size). T5 uses 1. */
  scale?: number;
  /** Attend to the first `keys` rows of k and v only; default: all. */
  keys?: number;
  /** Added to the scores: f32 [keys], or [heads, M, keys]. */
  bias?: Tensor;
  /** One of ops/variants by name; default: as chosen for this adapter and shape. */
  variant?: string;
}

/**
 * softmax(q·kᵀ·scale + bias)·v for each head.
 * @param q [M, heads·d]
 * @param k,v [S, heads·d], of the same type as q, or f16 where d is a multiple of 4; or a cache of 8 bit, [S, heads, words] (store-8bit.ts)
 * @returns [M, heads·d]
 */
export function attention(run: Run, q: Tensor, k: Tensor, v: Tensor, options: AttentionOptions): Tensor {
  expectAxes('attention', 'q', q, 'M,heads·d');
  const [M, width] = q.shape as [number, number];
  const { heads, bias } = options;
  const HEAD = width / heads;
  if (!Number.isInteger(HEAD)) throw refuse('attention', `${width} columns do not make ${heads} heads`);
  const rows = k.shape[0] ?? 0;
  const { keys = rows, scale = 1 / Math.sqrt(HEAD) } = options;
  const packed = k.dtype === 'u32';
  const whole = packed ? [rows, heads, wordsOf(HEAD)] : [rows, width];
  expectShape('attention', 'k', k, whole);
  expectShape('attention', 'v', v, whole);
  if (keys < 1 || keys > rows) throw refuse('attention', `${keys} keys of ${rows} rows`);
  const elem = elemOf('attention', q);
  // Of 16 bit on an adapter without shader-f16: two in a word.
  const halves = k.dtype === 'f16' && elem === 'f32' && HEAD % 4 === 0;
  if (v.dtype !== k.dtype || !(packed || halves || k.dtype === elem))
    throw refuse('attention', `q is ${elem}, but k is ${k.dtype} and v is ${v.dtype}`);
  const shared = bias?.shape.length === 1;
  if (bias) expectShape('attention', 'bias', bias, shared ? [keys] : [heads, M, keys]);
  const shape = { M, keys, HEAD, elem, packed };
  const choice = choose('attention', run, ATTENTION, shape, options.variant, trialOf(shape, heads, k.dtype));
  const fours = HEAD % 4 === 0;
  const spec = kernel(choice.file, choice.code, {
    elem,
    ...(choice.types && { types: choice.types }),
    lib: {
      ...(fours ? { qVec4 } : { qScalar }),
      ...(packed ? { kv8bit } : halves ? { kvHalves } : fours ? { kvVec4 } : { kvScalar }),
      ...choice.lib,
    },
    consts: choice.consts(shape),
    overrides: { HAS_BIAS: bias ? 1 : 0 },
  });
  const per = choice.rows(shape);
  const out = run.tensor([M, width], 'attention', elem);
  for (const { start, count } of ranges(run.gpu, M, 4 * keys * width, per))
    run.dispatch({
      kernel: spec,
      bindings: { q, k, v, bias: bias ?? q, out },
      params: {
        M,
        keys,
        heads,
        first_row: start,
        bias_head: shared ? 0 : M * keys,
        bias_row: shared ? 0 : keys,
        scale,
        ...choice.params,
      },
      workgroups: [Math.ceil(count / per), heads],
    });
  return out;
}

/** Of long ones a part: at most so many keys, and queries as there is time for. */
const TRIAL_KEYS = 2048;

function trialOf({ M, keys, HEAD, elem, packed }: AttentionShape, heads: number, kept: DType): Trial {
  return {
    // A cache that fills up must not change the kernel from block to block.
    key: `${elem} ${heads}×${HEAD} ${shapeClass(M)} on ${keys > 64 ? 'many' : 'few'} keys${kept === elem ? '' : packed ? ' of 8 bit' : ` in ${kept}`}`,
    prepare(run, flops) {
      const [S, width] = [Math.min(keys, TRIAL_KEYS), heads * HEAD];
      const rows = Math.min(M, Math.max(128, Math.floor(flops / (4 * S * width))));
      const q = trialInput(run, [rows, width], elem);
      const past = () => {
        if (!packed) return trialInput(run, [S, width], kept as Elem);
        const cache = run.tensor([S, heads, wordsOf(HEAD)], 'trial', 'u32');
        const slots = { cache, tokensPerFrame: 1, firstFrame: 0, sink: 0, window: S };
        return store8bit(run, trialInput(run, [S, width], elem), slots);
      };
      const [k, v] = [past(), past()];
      return { call: (variant) => attention(run, q, k, v, { heads, variant }), flops: 4 * rows * S * width };
    },
  };
}
