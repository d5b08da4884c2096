/**
 * WebCodecs' encoding half as a puppet, for what a real browser will not do on demand: lie, stall, fail
 * in the middle, reorder. It keeps count of what was opened and closed. Real encoding is tested in Chromium.
 */
import { vi } from 'vitest';

export interface Behaviour {
  /** Default: everything is supported. */
  supported?: (config: VideoEncoderConfig) => boolean;
  /** What becomes of a frame: chunks, in the order they come out. Default: one, a key frame when asked for. */
  encode?: (encoder: FakeEncoder, frame: FakeFrame, options: VideoEncoderEncodeOptions) => void;
  /** Called by flush before it resolves; return a promise to delay it. */
  flush?: (encoder: FakeEncoder) => void | Promise<void>;
  /** Colour tags in the decoder config. Default: none, as in some browsers. */
  colorSpace?: VideoColorSpaceInit;
}

/** A parameter set record of 96 × 64, High, level 2.0, as Chromium's encoder gave it; not decodable here. */
const AVCC = new Uint8Array([1, 100, 12, 20, 255, 225, 0, 4, 103, 100, 12, 20, 1, 0, 4, 104, 238, 60, 128]);

export class FakeFrame {
  static open = 0;
  readonly timestamp: number;
  readonly duration: number;
  constructor(
    _data: Uint8Array,
    readonly init: { timestamp: number; duration: number; colorSpace: VideoColorSpaceInit; format: string },
  ) {
    this.timestamp = init.timestamp;
    this.duration = init.duration;
    FakeFrame.open++;
  }
  close() {
    FakeFrame.open--;
  }
}

export class FakeEncoder extends EventTarget {
  static open = 0;
  static behaviour: Behaviour = {};
  static trials: VideoEncoderConfig[] = [];
  static last: FakeEncoder;

  static async isConfigSupported(config: VideoEncoderConfig) {
    return { supported: FakeEncoder.behaviour.supported?.(config) ?? true, config };
  }

  state = 'unconfigured';
  encodeQueueSize = 0;
  config!: VideoEncoderConfig;
  readonly options: VideoEncoderEncodeOptions[] = [];
  #first = true;

  constructor(readonly init: VideoEncoderInit) {
    super();
    FakeEncoder.open++;
    FakeEncoder.last = this;
  }

  configure(config: VideoEncoderConfig) {
    this.config = config;
    this.state = 'configured';
    FakeEncoder.trials.push(config);
  }

  encode(frame: FakeFrame, options: VideoEncoderEncodeOptions) {
    if (this.state !== 'configured') throw new DOMException('closed', 'InvalidStateError');
    this.options.push(options);
    const { encode } = FakeEncoder.behaviour;
    if (encode) encode(this, frame, options);
    else this.emit(frame.timestamp, options.keyFrame ? 'key' : 'delta');
  }

  /** Sends one chunk of 5 bytes out. */
  emit(timestamp: number, type: 'key' | 'delta') {
    if (this.state !== 'configured') return;
    const chunk = {
      type,
      timestamp,
      duration: null,
      byteLength: 5,
      copyTo: (to: Uint8Array) => to.set([0, 0, 0, 1, 0x65]),
    };
    const description = this.config.codec.startsWith('avc1') ? AVCC : undefined;
    const { colorSpace } = FakeEncoder.behaviour;
    const decoderConfig = { codec: this.config.codec, description, colorSpace };
    this.init.output(
      chunk as unknown as EncodedVideoChunk,
      (this.#first ? { decoderConfig } : {}) as EncodedVideoChunkMetadata,
    );
    this.#first = false;
  }

  /** The driver dies: as in a browser, the encoder is closed before its callback hears of it. */
  die(message: string) {
    this.close();
    this.init.error(new DOMException(message, 'EncodingError'));
  }

  async flush() {
    await FakeEncoder.behaviour.flush?.(this);
    if (this.state !== 'configured') throw new DOMException('closed', 'AbortError');
  }

  close() {
    if (this.state === 'closed') throw new DOMException('closed', 'InvalidStateError');
    this.state = 'closed';
    FakeEncoder.open--;
  }
}

/** Puts the puppet in place of the browser's classes; undo with `vi.unstubAllGlobals()`. */
export function stubWebCodecs(behaviour: Behaviour = {}): void {
  FakeEncoder.behaviour = behaviour;
  FakeEncoder.trials = [];
  FakeEncoder.open = FakeFrame.open = 0;
  vi.stubGlobal('VideoEncoder', FakeEncoder);
  vi.stubGlobal('VideoFrame', FakeFrame);
}
