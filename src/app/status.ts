/** The one line that says what is going on: words for both ends, and how far the line is drawn. */
import type { LoadEvent } from '../worker/protocol/model';
import type { Studio } from './studio.svelte';
import type { Progress } from './work.svelte';
import type { Words } from './words';

export interface Status {
  text: string;
  /** The right end: time left. */
  aside: string;
  /** 0…1, or null when nothing is under way. */
  share: number | null;
  /** Changes when a screen reader should hear of it at once. */
  key: string;
}

/** Downloading is by far the longest part of a first load. */
const PARTS = { plan: [0, 0], check: [0, 0.8], convert: [0, 0.8], download: [0, 0.8], upload: [0.8, 0.1], compile: [0.9, 0.1] } as const; // prettier-ignore

export function loadShare(event: LoadEvent): number {
  const [from, width] = PARTS[event.type];
  if (event.type === 'plan') return 0;
  const done = event.type === 'compile' ? event.done : event.loaded;
  return from + width * Math.min(1, event.total > 0 ? done / event.total : 0);
}

function loadText(event: LoadEvent | null, words: Words, name: string): string {
  switch (event?.type) {
    case 'plan':
      return words.progress.download(name, 0, event.bytes);
    case 'download':
      return words.progress.download(name, event.loaded, event.total);
    case 'check':
      return words.progress.check(event.file, event.loaded, event.total);
    case 'convert':
      return words.progress.convert(event.file, event.loaded, event.total);
    case 'upload':
      return words.progress.upload(event.loaded, event.total);
    case 'compile':
      return words.progress.compile(event.done, event.total);
    default:
      return words.progress.opening(name);
  }
}

function workText(progress: Progress | null, words: Words): string {
  if (!progress) return words.progress.starting;
  const { stage, block, blocks, step, steps, known } = progress;
  if (known) return words.progress.known(block + 1, blocks);
  if (stage === 'denoise') return words.progress.denoise(block + 1, blocks, step + 1, steps);
  if (stage === 'decode') return words.progress.decode(block + 1, blocks);
  return words.progress[stage];
}

/** While something is downloaded: the room for it. */
function room({ loading, free }: Studio, words: Words): string {
  const downloads = loading?.type === 'plan' || loading?.type === 'download';
  return downloads && free !== null ? words.progress.free(free) : '';
}

/** `name`: the model's, as the person knows it. */
export function statusOf(studio: Studio, words: Words, name: string): Status {
  const { engine, phase, loading, report, ended, lastClip } = studio;
  const { progress } = studio.work;
  if (phase === 'working' || phase === 'stopping') {
    const left = progress?.secondsLeft ?? null;
    const speed = progress?.realTime ? words.progress.realTime(progress.realTime) : '';
    return {
      text: phase === 'stopping' ? words.progress.stopping : workText(progress, words),
      aside: phase === 'stopping' ? '' : [speed, left === null ? words.progress.measuring : words.progress.left(left)].filter(Boolean).join(' · '), // prettier-ignore
      share: progress?.fraction ?? 0,
      key: phase,
    };
  }
  if (engine === 'checking') return { text: words.progress.checking, aside: '', share: 0, key: engine };
  if (engine === 'loading')
    return {
      // Sessions of the CPU backend are opened, not compiled for a GPU.
      text:
        loading?.type === 'compile' && report?.backend === 'cpu'
          ? words.progress.opening(name)
          : loadText(loading, words, name),
      aside: phase === 'queued' ? words.progress.queued : room(studio, words),
      share: loading ? loadShare(loading) : 0,
      key: `${engine} ${loading?.type} ${phase}`,
    };
  if (ended === 'paused') return { text: words.progress.paused, aside: '', share: null, key: ended };
  if (ended === 'cancelled') return { text: words.progress.stopped, aside: '', share: null, key: ended };
  if (ended === 'done' && lastClip)
    return { text: words.progress.done(lastClip.timings.total), aside: '', share: null, key: ended };
  return { text: engine === 'ready' ? words.progress.ready : '', aside: '', share: null, key: engine };
}
