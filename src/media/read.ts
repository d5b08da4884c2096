/** Reads finished clips back, with a reader that shares no code with the writer (mediabunny, reading part). */
import { BlobSource, EncodedPacketSink, Input, MP4, VideoSampleSink } from 'mediabunny';
import { KinoraError } from '../errors';

export interface ClipFacts {
  /** Full codec string, e.g. "avc1.64001e", or null if mediabunny does not know it. */
  codec: string | null;
  /** Pixels. */
  width: number;
  height: number;
  /** Pictures in the file. */
  frames: number;
  /** Seconds, from the first picture's start to the last one's end. */
  duration: number;
  /** Start of each picture in seconds, in display order. */
  timestamps: number[];
  /** Colour tags of the container. */
  colorSpace: VideoColorSpaceInit;
}

async function openVideo(file: Blob) {
  const input = new Input({ formats: [MP4], source: new BlobSource(file) });
  const track = (await input.canRead()) ? await input.getPrimaryVideoTrack() : null;
  if (track) return { input, track };
  input.dispose();
  throw new KinoraError('bad-request', 'This file holds no video that can be read. Choose an MP4 video.');
}

/** What the container says. Needs no decoder, so it runs in Node too. */
export async function readClip(file: Blob): Promise<ClipFacts> {
  const { input, track } = await openVideo(file);
  try {
    const timestamps: number[] = [];
    for await (const packet of new EncodedPacketSink(track).packets(undefined, undefined, {
      metadataOnly: true,
    }))
      timestamps.push(packet.timestamp);
    return {
      codec: await track.getCodecParameterString(),
      width: await track.getDisplayWidth(),
      height: await track.getDisplayHeight(),
      frames: timestamps.length,
      duration: await track.computeDuration(),
      timestamps: timestamps.sort((a, b) => a - b),
      colorSpace: await track.getColorSpace(),
    };
  } finally {
    input.dispose();
  }
}

/**
 * Decodes every picture, in display order, with WebCodecs. Each frame is closed when the next is asked for.
 * Throws `no-webcodecs` where there is no decoder (Node).
 */
export async function* decodeClip(file: Blob): AsyncGenerator<VideoFrame> {
  if (typeof VideoDecoder === 'undefined')
    throw new KinoraError('no-webcodecs', 'This browser cannot decode video (VideoDecoder is missing).');
  const { input, track } = await openVideo(file);
  try {
    for await (const sample of new VideoSampleSink(track).samples()) {
      const frame = sample.toVideoFrame();
      sample.close();
      try {
        yield frame;
      } finally {
        frame.close();
      }
    }
  } finally {
    input.dispose();
  }
}
