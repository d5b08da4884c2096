/**
 * Which codec this browser really encodes at a given size. The ladder is H.264 (plays everywhere), VP9, AV1;
 * a rung counts only when one frame went through it, because `isConfigSupported` alone is known to lie.
 */
import { KinoraError } from '../errors';
import { guardEven, i420Bytes, videoFrame } from './frames';

export type CodecFamily = 'avc' | 'vp9' | 'av1';

export interface CodecChoice {
  /** The full string, e.g. "avc1.64001e". */
  codec: string;
  family: CodecFamily;
  /** Passed a trial encode as it stands. */
  config: VideoEncoderConfig;
  /** Constant quality: to be given with each frame. Null where only a bitrate can be set. */
  quantizer: number | null;
}

/** Longest time a trial may take, in milliseconds; an encoder that never answers does not stop the ladder. */
const TRIAL_LIMIT = 5000;

/**
 * Constant quality a family, on its own scale (H.264 0…51, the others 0…63): chosen as nearly
 * indistinguishable from the source (VP9 and AV1: 47 to 49 dB on a hard texture, measured in Chromium 156).
 */
const QUANTIZER: Record<CodecFamily, number> = { avc: 18, vp9: 18, av1: 18 };

type Level = [name: string, pictureSize: number, rate: number];

/** H.264 table A-1 from 3.0 up: macroblocks a picture and a second. */
const AVC_LEVELS: Level[] = [
  ['1e', 1620, 40_500],
  ['1f', 3600, 108_000],
  ['28', 8192, 245_760],
  ['2a', 8704, 522_240],
  ['32', 22_080, 589_824],
  ['33', 36_864, 983_040],
  ['34', 36_864, 2_073_600],
  ['3c', 139_264, 4_177_920],
  ['3e', 139_264, 16_711_680],
];
/** VP9 levels from 2.1 up: luma samples a picture and a second. */
const VP9_LEVELS: Level[] = [
  ['21', 245_760, 9_216_000],
  ['30', 552_960, 20_736_000],
  ['31', 983_040, 36_864_000],
  ['40', 2_228_224, 83_558_400],
  ['41', 2_228_224, 160_432_128],
  ['50', 8_912_896, 311_951_360],
  ['51', 8_912_896, 588_251_136],
  ['52', 8_912_896, 1_176_502_272],
  ['61', 35_651_584, 2_353_004_544],
  ['62', 35_651_584, 4_706_009_088],
];
/** AV1 annex A.3 from 3.0 up (seq_level_idx): luma samples a picture and a second (display rate). */
const AV1_LEVELS: Level[] = [
  ['04', 665_856, 19_975_680],
  ['05', 1_065_024, 31_950_720],
  ['08', 2_359_296, 70_778_880],
  ['09', 2_359_296, 141_557_760],
  ['12', 8_912_896, 267_386_880],
  ['13', 8_912_896, 534_773_760],
  ['14', 8_912_896, 1_069_547_520],
  ['17', 35_651_584, 2_139_095_040],
  ['18', 35_651_584, 4_278_190_080],
];

const lowest = (levels: Level[], picture: number, rate: number) =>
  levels.find(([, most, mostRate]) => picture <= most && rate <= mostRate)?.[0];

/**
 * Codec strings worth trying for a size (px) and rate (frames a second), best first: the best profile of
 * each family at the lowest level that holds the clip, so that the most players accept it.
 */
export function codecLadder(
  width: number,
  height: number,
  fps: number,
): { codec: string; family: CodecFamily }[] {
  const ladder: { codec: string; family: CodecFamily }[] = [];
  const across = Math.ceil(width / 16);
  const down = Math.ceil(height / 16);
  // A level also bounds each side: at most sqrt(8 · MaxFS) macroblocks (A.3.1).
  const fits = AVC_LEVELS.filter(([, most]) => Math.max(across, down) <= Math.sqrt(8 * most));
  const avc = lowest(fits, across * down, across * down * fps);
  // High, Main, Constrained Baseline, Baseline: the fewer tools, the more (small) encoders have it.
  if (avc)
    for (const profile of ['6400', '4d00', '42e0', '4200'])
      ladder.push({ codec: `avc1.${profile}${avc}`, family: 'avc' });
  const vp9 = lowest(VP9_LEVELS, width * height, width * height * fps);
  if (vp9) ladder.push({ codec: `vp09.00.${vp9}.08`, family: 'vp9' });
  const av1 = lowest(AV1_LEVELS, width * height, width * height * fps);
  if (av1) ladder.push({ codec: `av01.0.${av1}M.08`, family: 'av1' });
  return ladder;
}

/**
 * The ways to ask for one codec, best first: constant quality, then a generous bitrate, then that in
 * software (hardware encoders often refuse small pictures, and not every browser falls back by itself).
 */
function variants(
  codec: string,
  family: CodecFamily,
  width: number,
  height: number,
  fps: number,
): CodecChoice[] {
  const base: VideoEncoderConfig = {
    codec,
    width,
    height,
    framerate: fps,
    latencyMode: 'quality',
    ...(family === 'avc' ? { avc: { format: 'avc' as const } } : {}),
  };
  // One bit a pixel is generous; the floor lets pictures of a few thousand pixels reach the encoder's own
  // best (OpenH264 at 96 × 64 and 16 fps takes 250 kb/s and no more, whatever it is offered).
  const bitrate = Math.min(40e6, Math.max(1e6, width * height * fps));
  const rated: VideoEncoderConfig = { ...base, bitrate, bitrateMode: 'variable' };
  const constant: VideoEncoderConfig = { ...base, bitrateMode: 'quantizer' };
  return [
    { codec, family, config: constant, quantizer: QUANTIZER[family] },
    { codec, family, config: rated, quantizer: null },
    { codec, family, config: { ...rated, hardwareAcceleration: 'prefer-software' }, quantizer: null },
  ];
}

/** The per-frame options of a choice; the field of constant quality is named after the family. */
export function encodeOptions(
  choice: Pick<CodecChoice, 'family' | 'quantizer'>,
  keyFrame: boolean,
): VideoEncoderEncodeOptions {
  if (choice.quantizer === null) return { keyFrame };
  return { keyFrame, [choice.family]: { quantizer: choice.quantizer } };
}

/** Throws `no-webcodecs` where the browser has no video encoder at all. */
export function requireWebCodecs(): void {
  if (typeof VideoEncoder === 'undefined' || typeof VideoFrame === 'undefined')
    throw new KinoraError(
      'no-webcodecs',
      'This browser cannot write video (WebCodecs is missing). Use a current Chrome, Edge, Firefox or Safari.',
    );
}

/** One frame through the encoder. Null when it gave a usable key frame, else what went wrong. */
async function trial(choice: CodecChoice): Promise<string | null> {
  const { config } = choice;
  const supported = await VideoEncoder.isConfigSupported(config).catch(() => null);
  if (!supported?.supported) return 'the browser says no';

  let chunks = 0;
  let usable = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let fail: (reason: Error) => void = () => {};
  const failed = new Promise<never>((_, reject) => (fail = reject));
  const encoder = new VideoEncoder({
    output: (chunk, meta) => {
      chunks++;
      // An H.264 track in MP4 cannot do without the parameter sets that come in the description.
      usable =
        chunk.type === 'key' &&
        chunk.byteLength > 0 &&
        (choice.family !== 'avc' || meta?.decoderConfig?.description !== undefined);
    },
    error: fail,
  });
  const frame = videoFrame(testPicture(config.width, config.height), config, 0, 1e6 / config.framerate!);
  try {
    encoder.configure(config);
    encoder.encode(frame, encodeOptions(choice, true));
    timer = setTimeout(() => fail(new Error(`no answer within ${TRIAL_LIMIT} ms`)), TRIAL_LIMIT);
    await Promise.race([encoder.flush(), failed]);
    if (chunks === 1 && usable) return null;
    return `1 frame gave ${chunks} pictures${chunks ? ', not usable' : ''}`;
  } catch (e) {
    return e instanceof Error ? e.message : String(e);
  } finally {
    clearTimeout(timer);
    failed.catch(() => {});
    frame.close();
    if (encoder.state !== 'closed') encoder.close();
  }
}

/** Soft slopes with some detail: an encoder has to do real work on it. */
function testPicture(width: number, height: number): Uint8Array {
  const i420 = new Uint8Array(i420Bytes({ width, height })).fill(128);
  for (let i = 0; i < width * height; i++)
    i420[i] = 16 + (((i % width) * 3 + Math.floor(i / width) * 5) % 220);
  return i420;
}

const choices = new Map<string, Promise<CodecChoice>>();

/**
 * The first codec of the ladder that passes a trial encode at this size (even px) and rate (frames a
 * second). Remembered for the life of the page or worker; a failure is not, so a later call tries anew.
 * Throws `no-webcodecs`, `no-encoder` (its detail lists what was tried) or `bad-request` (odd size).
 */
export function chooseCodec(width: number, height: number, fps: number): Promise<CodecChoice> {
  const key = `${width}x${height}@${fps}`;
  let choice = choices.get(key);
  if (!choice) {
    choice = climb(width, height, fps);
    choices.set(key, choice);
    choice.catch(() => choices.delete(key));
  }
  return choice;
}

async function climb(width: number, height: number, fps: number): Promise<CodecChoice> {
  requireWebCodecs();
  guardEven({ width, height });
  const tried: string[] = [];
  for (const { codec, family } of codecLadder(width, height, fps)) {
    for (const variant of variants(codec, family, width, height, fps)) {
      const problem = await trial(variant);
      if (problem === null) return variant;
      tried.push(`${codec} (${variant.config.bitrateMode}): ${problem}`);
    }
  }
  throw new KinoraError(
    'no-encoder',
    `This browser encodes no video of ${width} × ${height} pixels (H.264, VP9 and AV1 were tried). ` +
      'Choose a smaller size, or another browser.',
    { width, height },
    tried.join('\n') || 'the size is above the highest level of every codec',
  );
}

/**
 * One codec string a family that passes a trial encode at `width` × `height` (a small size by default, so
 * that it is quick), best first; empty when nothing can be exported. Never throws for a missing encoder.
 */
export async function listCodecs(width = 96, height = 64, fps = 16): Promise<string[]> {
  if (typeof VideoEncoder === 'undefined' || typeof VideoFrame === 'undefined') return [];
  const passed = new Map<CodecFamily, string>();
  for (const { codec, family } of codecLadder(width, height, fps)) {
    for (const variant of variants(codec, family, width, height, fps)) {
      if (passed.has(family)) break;
      if ((await trial(variant)) === null) passed.set(family, codec);
    }
  }
  return [...passed.values()];
}
