/** A studio whose engine is a script (helpers.ts), and what that engine tells of a clip. */
import { Settings } from '../../src/app/settings.svelte';
import { Studio, type Emit, type StudioOptions } from '../../src/app/studio.svelte';
import type { Clip, GenerateEvent } from '../../src/worker/protocol/clip';
import { memoryStore, MODEL, Paper, ScriptedEngine, settle } from './helpers';

export function makeStudio(options: Partial<StudioOptions> = {}) {
  const engine = new ScriptedEngine();
  const settings = new Settings(memoryStore(), () => 5);
  settings.type('prompt', 'a red boat');
  const told: [string, unknown][] = [];
  const emit: Emit = (name, detail) => void told.push([name, detail]);
  const clips: Clip[] = [];
  const studio = new Studio({
    engine,
    settings,
    emit,
    model: 'models/pocket/',
    onClip: async (clip) => (clips.push(clip), clip.mp4),
    toPictures: ({ frames }) => Array.from({ length: frames }, () => new Paper().picture),
    ...options,
  });
  return { engine, settings, studio, told, clips, names: () => told.map(([name]) => name) };
}

/** Its model is loaded. */
export async function makeReady(options: Partial<StudioOptions> = {}) {
  const it = makeStudio(options);
  const started = it.studio.start();
  await settle();
  it.engine.loading.answer({ ok: true, value: MODEL });
  await started;
  return it;
}

export const progress = (block: number, step: number): GenerateEvent => ({
  type: 'progress',
  stage: 'denoise',
  ...{ block, blocks: 2, step, steps: 4, fraction: (block * 4 + step) / 8, secondsLeft: 12, realTime: null },
});
export const preview = (block: number): GenerateEvent => ({
  type: 'preview',
  ...{ block, step: 0, frames: 3, width: 12, height: 8, rgba: new Uint8ClampedArray(3 * 12 * 8 * 4) },
});
export const frames = (block: number, firstFrame: number, papers: Paper[]): GenerateEvent => ({
  type: 'frames',
  ...{ block, firstFrame, fps: 16, bitmaps: papers.map((paper) => paper.picture) },
});
