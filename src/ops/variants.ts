/**
 * Which kernel serves an operation: the one place that knows the variants of each, what they need of the adapter and
 * which shapes they are meant for. All variants of an operation keep to the same tolerances.
 *
 * Lists go from the best guess for a GPU to the plain one, which is the last, needs nothing and takes any shape.
 */
import attentionMatrix from '../../shaders/attention-matrix.wgsl?raw';
import attentionDirect from '../../shaders/attention-direct.wgsl?raw';
import attentionRows from '../../shaders/attention.wgsl?raw';
import attentionTiled from '../../shaders/attention-tiled.wgsl?raw';
import convPlain from '../../shaders/conv.wgsl?raw';
import convTiled from '../../shaders/conv-tiled.wgsl?raw';
import layerNorm from '../../shaders/layer-norm.wgsl?raw';
import layerNormShort from '../../shaders/layer-norm-short.wgsl?raw';
import matmulBlocked from '../../shaders/matmul.wgsl?raw';
import matmulBlocks from '../../shaders/matmul-blocks.wgsl?raw';
import matmulMatrix from '../../shaders/matmul-matrix.wgsl?raw';
import matmulThin from '../../shaders/matmul-thin.wgsl?raw';
import matmulTiled from '../../shaders/matmul-tiled.wgsl?raw';
import matrix from '../../shaders/lib/matrix.wgsl?raw';
import rmsNorm from '../../shaders/rms-norm.wgsl?raw';
import rmsNormShort from '../../shaders/rms-norm-short.wgsl?raw';
import rowSum from '../../shaders/lib/row-sum.wgsl?raw';
import rowSumShort from '../../shaders/lib/row-sum-short.wgsl?raw';
import rowSumSubgroup from '../../shaders/lib/row-sum-subgroup.wgsl?raw';
import { MATRIX_SUBGROUP, matrixFeature, type Feature } from '../gpu/device';
import type { DType, Elem } from '../gpu/tensor';

export interface Choice<Shape> {
  /** Unique in its list. */
  readonly name: string;
  /** Base name of the file in shaders/. */
  readonly file: string;
  readonly code: string;
  readonly needs?: readonly Feature[];
  /** What it computes rightly; absent: everything. */
  readonly can?: (shape: Shape) => boolean;
  /** Where it may be the fastest. */
  suits(shape: Shape): boolean;
  consts(shape: Shape): Readonly<Record<string, number>>;
  /** Snippets of shaders/lib that only this variant uses, by name. */
  readonly lib?: Readonly<Record<string, string>>;
}

export interface MatmulShape {
  M: number;
  N: number;
  K: number;
  /** Types of the two. */
  x: Elem;
  w: DType;
}
/** `tile`: rows and columns of a workgroup. `types`: aliases that only this variant's text has. */
export interface MatmulChoice extends Choice<MatmulShape> {
  readonly tile: readonly [number, number];
  readonly types?: Readonly<Record<string, Elem>>;
}

const tiled = (name: string, BM: number, BN: number, BK4: number, TM: number, TN: number): MatmulChoice => ({
  name,
  file: 'matmul-tiled',
  code: matmulTiled,
  tile: [BM, BN],
  suits: ({ M, N }) => M > BM / 2 && N > BN / 2,
  consts: () => ({ BM, BN, BK4, TM, TN }),
});

/** Weights that lose nothing to speak of as halves: their own scales are halves, or they are. */
const NEARLY_HALVES: ReadonlySet<DType> = new Set<DType>(['f16', 'q8_0', 'q4_0', 'q4_k', 'q5_k', 'q6_k']);

/**
 * With matrices of SM × SK and SK × SN of type Part, summed in f32: sums in halves overflow in some models. Exported so
 * that a test can put other snippets under the kernel.
 */
export const matrices = (Part: Elem, SM: number, SN: number, SK: number): MatmulChoice => ({
  name: `matrix ${Part} ${SM}×${SN}×${SK}`,
  file: 'matmul-matrix',
  code: matmulMatrix,
  tile: [64, 64],
  needs: [matrixFeature({ componentType: Part, resultComponentType: 'f32', M: SM, N: SN, K: SK })],
  can: ({ x, w }) => Part === 'f32' || (x === 'f16' && NEARLY_HALVES.has(w)),
  suits: ({ M, N }) => M > 32 && N > 32,
  consts: () => ({ SM, SN, SK, BK: Part === 'f16' ? 32 : 16, SIZE: MATRIX_SUBGROUP }),
  types: { Part },
  lib: { matrix },
});

export const MATMUL: readonly MatmulChoice[] = [
  {
    name: 'thin',
    file: 'matmul-thin',
    code: matmulThin,
    tile: [4, 4],
    can: ({ N }) => N <= 4 * 65535,
    suits: ({ M }) => M <= 16,
    consts: () => ({}),
  },
  tiled('tiled 128', 128, 128, 2, 8, 8),
  tiled('tiled 64', 64, 64, 4, 4, 4),
  // Never the guess before a trial: they are experimental. What NVIDIA, Intel and Apple offer.
  matrices('f16', 16, 16, 16),
  matrices('f16', 8, 16, 16),
  matrices('f32', 8, 8, 8),
  {
    name: 'blocks',
    file: 'matmul-blocks',
    code: matmulBlocks,
    tile: [64, 32],
    can: ({ w }) => w === 'q8_0' || w === 'q4_0',
    suits: ({ M }) => M > 16,
    consts: () => ({}),
  },
  {
    name: 'blocked',
    file: 'matmul',
    code: matmulBlocked,
    tile: [32, 32],
    suits: () => true,
    consts: () => ({}),
  },
];

export interface AttentionShape {
  /** Queries, keys, size of a head. */
  M: number;
  keys: number;
  HEAD: number;
  /** Type of the queries. */
  elem: Elem;
  /** Keys and values are of 8 bit. */
  packed?: boolean;
}
/** `rows`: queries of a workgroup. */
export interface AttentionChoice extends Choice<AttentionShape> {
  rows(shape: AttentionShape): number;
  readonly params?: Readonly<Record<string, number>>;
  readonly types?: Readonly<Record<string, Elem>>;
}

/** Keys and values of a tile share the 16 KiB of workgroup memory that every adapter has. */
const TILE_BYTES = 16_384;
const fours = (HEAD: number) => Math.ceil(HEAD / 4);
const manyRows = ({ M }: AttentionShape) => (M > 128 ? 64 : 32);

const attentionTiles = (name: string, RT: number): AttentionChoice => ({
  name,
  file: 'attention-tiled',
  code: attentionTiled,
  rows: () => 16 * RT,
  params: { part: 8 },
  can: ({ HEAD }) => HEAD % 32 === 0 && HEAD <= 128,
  suits: ({ M, keys }) => keys >= 16 && M > 8 * RT,
  consts: ({ HEAD }) => ({ HEAD, HEAD4: fours(HEAD), RT }),
});

/** With matrices, as `matrices` has them; keys and values of 8 bit would lose too much as halves. */
export const attentionMatrices = (Part: Elem, SM: number, SN: number, SK: number): AttentionChoice => ({
  name: `matrix ${Part} ${SM}×${SN}×${SK}`,
  file: 'attention-matrix',
  code: attentionMatrix,
  rows: () => 4 * SM,
  needs: [matrixFeature({ componentType: Part, resultComponentType: 'f32', M: SM, N: SN, K: SK })],
  can: ({ HEAD, elem, packed }) =>
    (HEAD === 64 || HEAD === 128) && (Part === 'f32' || (elem === 'f16' && !packed)),
  suits: ({ M, keys }) => M > 2 * SM && keys > 2 * SN,
  consts: ({ HEAD }) => {
    const PARTS = Part === 'f16' ? 2 : 1;
    return { HEAD, HEAD4: fours(HEAD), SM, SN, SK, SIZE: MATRIX_SUBGROUP, PARTS };
  },
  types: { Part },
  lib: { matrix },
});

/** Rows of threads of `direct`: a power of two, and with HEAD / 8 columns 64 threads at most. */
const directRows = (HEAD: number) => 2 ** Math.floor(Math.log2(512 / HEAD));

export const ATTENTION: readonly AttentionChoice[] = [
  attentionTiles('tiled 64', 4),
  attentionTiles('tiled 16', 1),
  // As of matmul: never the guess before a trial.
  attentionMatrices('f16', 16, 16, 16),
  attentionMatrices('f16', 8, 16, 16),
  attentionMatrices('f32', 8, 8, 8),
  {
    name: 'direct',
    file: 'attention-direct',
    code: attentionDirect,
    rows: ({ HEAD }) => 4 * directRows(HEAD),
    can: ({ HEAD }) => HEAD % 8 === 0 && HEAD <= 256,
    suits: ({ M }) => M > 4,
    consts: ({ HEAD }) => ({ HEAD, HEAD4: HEAD / 4, X: HEAD / 8, Y: directRows(HEAD) }),
  },
  {
    name: 'rows',
    file: 'attention',
    code: attentionRows,
    rows: manyRows,
    can: ({ HEAD }) => TILE_BYTES >= 32 * fours(HEAD),
    suits: () => true,
    consts: (shape) => {
      const HEAD4 = fours(shape.HEAD);
      const TILE = Math.min(16, Math.floor(TILE_BYTES / (32 * HEAD4)));
      return { HEAD: shape.HEAD, HEAD4, ROWS: manyRows(shape), TILE };
    },
  },
];

export interface ConvShape {
  /** Of the result, in all frames. */
  pixels: number;
  /** Channels of x and of the result. */
  C: number;
  O: number;
}
/** `tile`: pixels and channels of the result a workgroup. */
export interface ConvChoice extends Choice<ConvShape> {
  readonly tile: readonly [number, number];
}

const convTiles = (name: string, BM: number, BN: number, TM: number): ConvChoice => ({
  name,
  file: 'conv-tiled',
  code: convTiled,
  tile: [BM, BN],
  suits: ({ pixels, C, O }) => pixels > BM / 2 && O > BN / 2 && C >= 16,
  consts: () => ({ BM, BN, BK4: 4, TM, TN: 4 }),
});

export const CONV: readonly ConvChoice[] = [
  convTiles('tiled 128×64', 128, 64, 8),
  convTiles('tiled 64×32', 64, 32, 4),
  { name: 'plain', file: 'conv', code: convPlain, tile: [32, 32], suits: () => true, consts: () => ({}) },
];

export interface NormShape {
  rows: number;
  D: number;
}
/** `perGroup`: rows of a workgroup. */
export interface NormChoice extends Choice<NormShape> {
  readonly perGroup: number;
}

/** Longer rows keep a whole workgroup busy. */
const SHORT_ROW = 1024;

const norms = (file: string, code: string, shortCode: string): readonly NormChoice[] => {
  const both = { file, code, perGroup: 1, suits: () => true, consts: () => ({}) };
  return [
    { ...both, name: 'subgroup', needs: ['subgroups'], lib: { rowSumSubgroup } },
    {
      ...both,
      name: 'short',
      file: `${file}-short`,
      code: shortCode,
      perGroup: 8,
      can: ({ D }) => D % 4 === 0,
      suits: ({ D }) => D <= SHORT_ROW,
      lib: { rowSumShort },
    },
    { ...both, name: 'tree', lib: { rowSum } },
  ];
};
export const RMS_NORM = norms('rms-norm', rmsNorm, rmsNormShort);
export const LAYER_NORM = norms('layer-norm', layerNorm, layerNormShort);
