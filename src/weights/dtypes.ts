/**
 * How tensors are stored in files. Plain types have blocks of one element; quantized ones (ggml's) have
 * blocks of 32 or 256 elements along the innermost axis.
 */
export interface Layout {
  /** Elements of a block. */
  readonly elements: number;
  /** Bytes of a block. */
  readonly bytes: number;
}

const plain = (bytes: number): Layout => ({ elements: 1, bytes });
const blocks = (elements: number, bytes: number): Layout => ({ elements, bytes });

/** Every type that a file may name, so that sizes can be checked even where we cannot use the values. */
export const LAYOUTS = {
  F64: plain(8),
  F32: plain(4),
  F16: plain(2),
  BF16: plain(2),
  F8_E4M3: plain(1),
  F8_E5M2: plain(1),
  I64: plain(8),
  I32: plain(4),
  I16: plain(2),
  I8: plain(1),
  U64: plain(8),
  U32: plain(4),
  U16: plain(2),
  U8: plain(1),
  BOOL: plain(1),
  // ggml: sizes of gguf-py's GGML_QUANT_SIZES.
  Q4_0: blocks(32, 18),
  Q4_1: blocks(32, 20),
  Q5_0: blocks(32, 22),
  Q5_1: blocks(32, 24),
  Q8_0: blocks(32, 34),
  Q8_1: blocks(32, 40),
  Q2_K: blocks(256, 84),
  Q3_K: blocks(256, 110),
  Q4_K: blocks(256, 144),
  Q5_K: blocks(256, 176),
  Q6_K: blocks(256, 210),
  Q8_K: blocks(256, 292),
  IQ1_S: blocks(256, 50),
  IQ1_M: blocks(256, 56),
  IQ2_XXS: blocks(256, 66),
  IQ2_XS: blocks(256, 74),
  IQ2_S: blocks(256, 82),
  IQ3_XXS: blocks(256, 98),
  IQ3_S: blocks(256, 110),
  IQ4_NL: blocks(32, 18),
  IQ4_XS: blocks(256, 136),
  TQ1_0: blocks(256, 54),
  TQ2_0: blocks(256, 66),
  MXFP4: blocks(32, 17),
  NVFP4: blocks(64, 36),
  Q1_0: blocks(128, 18),
} as const satisfies Record<string, Layout>;

export type FileDType = keyof typeof LAYOUTS;

/** ggml's type numbers [ggml.h `enum ggml_type`]; the gaps are types that ggml has removed. */
export const GGML_TYPES: ReadonlyMap<number, FileDType> = new Map<number, FileDType>([
  [0, 'F32'],
  [1, 'F16'],
  [2, 'Q4_0'],
  [3, 'Q4_1'],
  [6, 'Q5_0'],
  [7, 'Q5_1'],
  [8, 'Q8_0'],
  [9, 'Q8_1'],
  [10, 'Q2_K'],
  [11, 'Q3_K'],
  [12, 'Q4_K'],
  [13, 'Q5_K'],
  [14, 'Q6_K'],
  [15, 'Q8_K'],
  [16, 'IQ2_XXS'],
  [17, 'IQ2_XS'],
  [18, 'IQ3_XXS'],
  [19, 'IQ1_S'],
  [20, 'IQ4_NL'],
  [21, 'IQ3_S'],
  [22, 'IQ2_S'],
  [23, 'IQ4_XS'],
  [24, 'I8'],
  [25, 'I16'],
  [26, 'I32'],
  [27, 'I64'],
  [28, 'F64'],
  [29, 'IQ1_M'],
  [30, 'BF16'],
  [34, 'TQ1_0'],
  [35, 'TQ2_0'],
  [39, 'MXFP4'],
  [40, 'NVFP4'],
  [41, 'Q1_0'],
]);

/** Axes of a tensor. Ours have five at most; more than a few are a sign of a file that was made to do harm. */
export const MAX_AXES = 16;
/** Tensors of a file. Wan 14B has 1095, three times as many with the state of its training. */
export const MAX_TENSORS = 50_000;

/** Number of elements of a shape, or null when it is not a safe integer. */
export function countElements(shape: readonly number[]): number | null {
  let n = 1;
  for (const d of shape) {
    if (!Number.isSafeInteger(d) || d < 0) return null;
    n *= d;
    if (!Number.isSafeInteger(n)) return null;
  }
  return n;
}
