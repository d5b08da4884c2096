/** Does a loop close? Real clips of Pocket: the step over the seam beside the clip's own steps from frame to frame. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadOnnxModel } from '../../../src/onnx/model';
import type { Model } from '../../../src/pipeline/backend';
import { generate } from '../../../src/pipeline/generate';
import type { OpenOutput } from '../../../src/pipeline/output';
import { hashing } from '../../helpers/make-clip';

let model: Model;
beforeAll(
  async () => void (model = await loadOnnxModel(new URL('/models/pocket/', location.href).href, () => {})),
  180_000,
);
afterAll(() => model?.free());

const SIZE = { width: 96, height: 64 };
const difference = (a: Uint8Array, b: Uint8Array) => a.reduce((sum, v, i) => sum + Math.abs(v - b[i]!), 0) / a.length; // prettier-ignore

/** The step over the seam, and all steps of the clip: mean differences of luma, 0…255. */
async function stepsOf(prompt: string, seed: number, loop: boolean) {
  const lumas: Uint8Array[] = [];
  const openOutput: OpenOutput = async (...args) => {
    const output = await hashing(...args);
    return {
      ...output,
      write: async (block, frames) => {
        for (const frame of frames.i420) lumas.push(frame.slice(0, SIZE.width * SIZE.height));
        await output.write(block, frames);
      },
    };
  };
  const request = { ...SIZE, prompt, seed, seconds: 1.5, steps: 4, loop };
  const { seam, frames } = await generate(model, request, { emit: () => {}, openOutput });
  expect(frames).toBe(24);
  const steps = lumas.slice(1).map((luma, i) => difference(luma, lumas[i]!));
  expect(seam!.error).toBeCloseTo(difference(lumas.at(-1)!, lumas[0]!), 5);
  return { seam: seam!.error, typical: seam!.typical, steps };
}

const PROMPTS = ['a red boat drifting on the sea at sunset', 'a white rocket rising in space', 'a blue car driving left in the city at night', 'a green fish swaying under water by day']; // prettier-ignore
const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;

test('over four prompts of three seeds', async () => {
  const ratios: { closed: number; open: number; same: number; typical: number }[] = [];
  for (const prompt of PROMPTS)
    for (const seed of [7, 8, 9]) {
      const [closed, open] = [await stepsOf(prompt, seed, true), await stepsOf(prompt, seed, false)];
      ratios.push({
        closed: closed.seam / Math.max(...closed.steps),
        open: open.seam / Math.max(...open.steps),
        same: Math.abs(closed.seam / open.steps[8]! - 1),
        typical: closed.seam / closed.typical,
      });
    }
  const over = (name: keyof (typeof ratios)[number]) => mean(ratios.map((ratio) => ratio[name]));
  // The seam is no more than what happens inside the clip (of one clip it may be a little more: how large a clip's steps are is
  // chance); without a loop it is more than that, of each.
  expect(over('closed')).toBeLessThanOrEqual(1);
  for (const { closed, open } of ratios) {
    expect(open).toBeGreaterThan(1.2);
    expect(open).toBeGreaterThan(closed);
  }
  // It is the very step from the first block to the second, as the clip without a loop has it, but for what the decoder
  // remembers of other frames. The first block has nine frames.
  expect(over('same')).toBeLessThan(0.1);
  // So the page says that it is about one of the clip's larger steps: on the whole, and of no clip that it is twice as large.
  expect(over('typical')).toBeLessThan(1.3);
  for (const { typical } of ratios) expect(typical).toBeLessThan(2);
}, 600_000);
