/**
 * Readers of MP4 files that share nothing with Kinora: ffprobe and exiftool. Node only. Each answers null
 * where the tool is not installed, so that a test can say what it could not look at.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

async function json(tool: string, args: string[]): Promise<unknown> {
  try {
    const { stdout } = await run(tool, args, { maxBuffer: 1 << 26 });
    return JSON.parse(stdout);
  } catch (e) {
    if ((e as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw e;
  }
}

export interface Probe {
  /** "h264", "vp9" or "av1". */
  codec: string;
  profile: string;
  width: number;
  height: number;
  /** "yuv420p". */
  pixelFormat: string;
  /** "tv" is limited range, "pc" full. */
  range: string;
  primaries: string;
  transfer: string;
  matrix: string;
  /** Pictures really decoded. */
  frames: number;
  /** Frames a second, from the fraction that the container gives. */
  fps: number;
  /** Seconds. */
  duration: number;
}

/** What ffprobe finds in the first video track, every picture decoded; null without ffprobe. */
export async function probe(path: string): Promise<Probe | null> {
  const found = (await json('ffprobe', [
    ...['-v', 'error', '-select_streams', 'v:0', '-count_frames', '-show_streams', '-of', 'json'],
    path,
  ])) as { streams: Record<string, string | number>[] } | null;
  if (!found) return null;
  const s = found.streams[0];
  if (!s) throw new Error(`${path} has no video track`);
  const [frames = 0, seconds = 1] = String(s.r_frame_rate).split('/').map(Number);
  return {
    codec: String(s.codec_name),
    profile: String(s.profile),
    width: Number(s.width),
    height: Number(s.height),
    pixelFormat: String(s.pix_fmt),
    range: String(s.color_range),
    primaries: String(s.color_primaries),
    transfer: String(s.color_transfer),
    matrix: String(s.color_space),
    frames: Number(s.nb_read_frames),
    fps: frames / seconds,
    duration: Number(s.duration),
  };
}

/**
 * What exiftool reads, raw values by group and name, e.g. "XMP-iptcExt:DigitalSourceType" or
 * "XMP-kinora:Prompt"; null without exiftool.
 */
export async function exif(path: string): Promise<Record<string, string | number> | null> {
  const found = await json('exiftool', ['-json', '-G1', '-n', '-struct', '-api', 'LargeFileSupport=1', path]);
  return (found as Record<string, string | number>[] | null)?.[0] ?? null;
}
