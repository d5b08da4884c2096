/**
 * Frames → VideoEncoder → MP4. The one owner of an encoder: open it, give it the frames in order, then
 * `finish` or `abort`. Choosing the codec is `codecs.ts`.
 */
import { Muxer, StreamTarget } from 'mp4-muxer';
import { KinoraError } from '../errors';
import type { Recipe } from '../worker/protocol/clip';
import { encodeOptions, requireWebCodecs, type CodecChoice } from './codecs';
import { BT709_LIMITED, guardEven, videoFrame } from './frames';
import { completeCodecBox, findBox } from './mp4';
import { provenanceBox } from './provenance';
import { parseRecipe } from './recipe';
import { MemorySink, type Sink } from './sink';

export { chooseCodec, listCodecs, type CodecChoice } from './codecs';

export interface ClipEncoderOptions {
  /** Even pixels. */
  width: number;
  height: number;
  /** Whole frames a second: it is also the file's time base, so every timestamp is exact. */
  fps: number;
  /** From `chooseCodec` for this size and rate. */
  codec: CodecChoice;
  /** Takes the file as it grows; default: memory. The encoder finishes or discards it. */
  sink?: Sink;
  /** Goes into the file, unless `finish` gets another. Its `frames` is replaced by the number really encoded. */
  recipe: Recipe;
}

/** Frames that may wait in the encoder: enough to keep it busy, and little memory at any size. */
const QUEUE_LIMIT = 4;
/** A clip that is steered while it is made may become a little longer than it was to be. */
const MORE = 1.1;
const SPARE = 64;
/** Seconds between key frames: how coarse seeking is in simple players. */
const KEY_INTERVAL = 2;

export class ClipEncoder {
  readonly #options: ClipEncoderOptions;
  readonly #encoder: VideoEncoder;
  readonly #muxer: Muxer<StreamTarget>;
  readonly #sink: Sink;
  /** Rejects as soon as the encoder fails or is aborted. */
  readonly #broken: Promise<never>;
  /** Ends each wait for room. Not by `#broken`: a promise that every wait raced with would keep a trace of each. */
  readonly #waiting = new Set<() => void>();
  #break!: (error: KinoraError) => void;
  #failure: KinoraError | null = null;
  #state: 'open' | 'finishing' | 'done' = 'open';
  #given = 0;
  #written = 0;

  /** Throws `no-webcodecs`, `no-encoder` or `bad-request` (odd size, fractional rate, bad recipe). */
  static async open(options: ClipEncoderOptions): Promise<ClipEncoder> {
    requireWebCodecs();
    guardEven(options);
    parseRecipe(options.recipe); // now, not after minutes of work
    const { width, height, fps, codec } = options;
    if (!Number.isInteger(fps) || fps < 1 || fps > 240)
      throw new KinoraError('bad-request', `A clip needs 1 to 240 whole frames a second, not ${fps}.`, {
        fps,
      });
    if (codec.config.width !== width || codec.config.height !== height)
      throw new KinoraError(
        'internal',
        `The codec was chosen for ${codec.config.width} × ${codec.config.height}, but the clip is ${width} × ${height}.`,
      );
    return new ClipEncoder(options);
  }

  private constructor(options: ClipEncoderOptions) {
    this.#options = options;
    const { width, height, fps, codec } = options;
    const sink = (this.#sink = options.sink ?? new MemorySink());
    this.#muxer = new Muxer({
      target: new StreamTarget({ onData: (data, position) => sink.write(data, position) }),
      video: { codec: codec.family, width, height, frameRate: fps },
      // Room for the index in front, so that the pictures go straight to their place behind it.
      fastStart: { expectedVideoChunks: Math.ceil(options.recipe.frames * MORE) + SPARE },
    });
    this.#broken = new Promise((_, reject) => (this.#break = reject));
    this.#broken.catch(() => {}); // an encoder may fail while nobody waits; the next call tells
    this.#encoder = new VideoEncoder({
      output: (chunk, meta) => this.#write(chunk, meta),
      error: (e) => this.#fail(this.#encoderError(e)),
    });
    try {
      this.#encoder.configure(codec.config);
    } catch (e) {
      this.#encoder.close();
      throw this.#encoderError(e);
    }
  }

  /**
   * Takes frame `index` (0, 1, 2, … without gaps) as tightly packed I420 bt709 limited; the bytes are
   * copied and may be reused at once. Resolves when the encoder has room for more.
   */
  async encode(i420: Uint8Array, index: number): Promise<void> {
    this.#guardOpen();
    if (index !== this.#given)
      throw new KinoraError('internal', `Frame ${this.#given} was expected, but frame ${index} was given.`);
    const { width, height, fps, codec } = this.#options;
    const start = this.#time(index);
    const frame = videoFrame(i420, { width, height }, start, this.#time(index + 1) - start);
    try {
      this.#encoder.encode(frame, encodeOptions(codec, index % (KEY_INTERVAL * fps) === 0));
    } catch (e) {
      throw this.#fail(this.#encoderError(e));
    } finally {
      frame.close();
    }
    this.#given++;
    while (this.#encoder.encodeQueueSize > QUEUE_LIMIT) await this.#dequeued();
  }

  /**
   * Encodes what is left and gives the file: `video/mp4`, index in front (fast start), XMP packet behind. It was
   * written as it grew and is never held whole. The encoder is closed, whatever comes out.
   */
  async finish(recipe = this.#options.recipe): Promise<Blob> {
    this.#guardOpen();
    if (this.#given === 0) throw this.#fail(new KinoraError('internal', 'A clip needs at least one frame.'));
    this.#state = 'finishing';
    try {
      await Promise.race([this.#encoder.flush(), this.#broken]);
    } catch (e) {
      throw this.#fail(this.#encoderError(e));
    }
    if (this.#failure) throw this.#failure; // by a chunk that could not be written
    if (this.#written !== this.#given)
      throw this.#fail(this.#encoderError(`of ${this.#given} frames it gave back ${this.#written} pictures`));
    this.#state = 'done';
    this.#encoder.close();
    this.#muxer.finalize();
    const sink = this.#sink;
    const head = sink.read(0, findBox(sink, 'mdat')); // the index, and what is left of its room
    completeCodecBox(head, this.#options.codec.codec);
    sink.write(head, 0);
    sink.write(provenanceBox({ ...recipe, frames: this.#given }), sink.size);
    return sink.finish('video/mp4');
  }

  /** Ends the work and frees the encoder; waiting calls reject with `cancelled`. Harmless when it is over. */
  abort(): void {
    if (this.#state !== 'done') this.#fail(new KinoraError('cancelled', 'The clip was cancelled.'));
  }

  /** Start of a frame in microseconds. Rounded from the exact time each, so that nothing adds up. */
  #time(index: number): number {
    return Math.round((index * 1e6) / this.#options.fps);
  }

  #write(chunk: EncodedVideoChunk, meta?: EncodedVideoChunkMetadata): void {
    if (this.#state === 'done') return;
    try {
      if (this.#written === 0 && chunk.type !== 'key') throw new Error('its first picture is no key frame');
      const data = new Uint8Array(chunk.byteLength);
      chunk.copyTo(data);
      const { fps, codec } = this.#options;
      const shown = Math.round((chunk.timestamp * fps) / 1e6);
      // Pictures come in decoding order. Encoders of browsers do not reorder today; if one does, the n-th
      // picture is decoded at n and the offset says when it is shown.
      const decoded = this.#written++;
      const start = this.#time(shown);
      this.#muxer.addVideoChunkRaw(
        data,
        chunk.type,
        start,
        this.#time(shown + 1) - start,
        decoded === 0 ? completeMeta(meta, codec) : undefined,
        start - this.#time(decoded),
      );
    } catch (e) {
      this.#fail(this.#encoderError(e));
    }
  }

  /** Room in the queue, or 100 ms: older browsers have the queue's length but no 'dequeue' event. */
  async #dequeued(): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let wake: () => void = () => {};
    const room = new Promise<void>((resolve) => (wake = resolve));
    this.#encoder.addEventListener('dequeue', wake, { once: true });
    this.#waiting.add(wake);
    timer = setTimeout(wake, 100);
    try {
      await room;
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(wake);
      this.#encoder.removeEventListener('dequeue', wake);
    }
    if (this.#failure) throw this.#failure;
  }

  #guardOpen(): void {
    if (this.#failure) throw this.#failure;
    if (this.#state !== 'open') throw new KinoraError('internal', 'The clip is finished already.');
  }

  #encoderError(e: unknown): KinoraError {
    if (e instanceof KinoraError) return e;
    const { width, height, codec } = this.#options;
    return new KinoraError(
      'no-encoder',
      `The browser's ${codec.codec} encoder failed at ${width} × ${height}. Try again, or choose a smaller size.`,
      { codec: codec.codec, width, height },
      e instanceof Error ? `${e.name}: ${e.message}` : String(e),
    );
  }

  /** Keeps the first failure, frees the encoder, and rejects whoever waits. */
  #fail(error: KinoraError): KinoraError {
    if (this.#failure) return this.#failure;
    this.#failure = error;
    this.#state = 'done';
    if (this.#encoder.state !== 'closed') this.#encoder.close();
    this.#sink.discard();
    this.#break(error);
    for (const wake of this.#waiting) wake();
    return error;
  }
}

/**
 * What the muxer needs to know of the stream. Colour tags that the encoder leaves open are those of our
 * frames: without them a player guesses, and small pictures are guessed to be bt601.
 */
function completeMeta(
  meta: EncodedVideoChunkMetadata | undefined,
  choice: CodecChoice,
): EncodedVideoChunkMetadata {
  const { colorSpace: told, ...config } = meta?.decoderConfig ?? { codec: choice.codec };
  const colorSpace: VideoColorSpaceInit = {
    primaries: told?.primaries ?? BT709_LIMITED.primaries,
    transfer: told?.transfer ?? BT709_LIMITED.transfer,
    matrix: told?.matrix ?? BT709_LIMITED.matrix,
    fullRange: told?.fullRange ?? BT709_LIMITED.fullRange,
  };
  return { decoderConfig: { ...config, colorSpace } };
}
