/** A model of one's own files, as the page has it; the engine is told what it is to say. */
import { expect, test } from 'vitest';
import { OwnModel } from '../../src/app/own-model.svelte';
import type { Finding, Quantize, Recognition } from '../../src/worker/protocol/files';

const finding = (part: Finding['part'], type: string): Finding => ({ path: part!, bytes: 1, part, layout: '', types: [type], parameters: 1, sparse: false, used: true, problem: null }); // prettier-ignore
const FILES = [{ path: 'wan.gguf', file: new Blob(), changed: 1 }];

async function own(findings: Finding[], quantize: Quantize | null, strength = 1): Promise<OwnModel> {
  const value: Recognition = { findings, missing: [], problems: [], samplings: ['wan'], sampling: 'wan', ready: true, name: 'mine', plan: null }; // prettier-ignore
  const model = new OwnModel({ recognise: async () => ({ ok: true, value }) });
  await model.add(FILES);
  await model.choose({ quantize });
  await model.mix('lora', strength);
  return model;
}

const LORA = finding('lora', 'F16');
test.each<[string, Finding[], Quantize | null, number, boolean]>([
  ['4 bits and a LoRA', [finding('transformer', 'F16'), LORA], 'q4_0', 1, true],
  ['a file of few bits and a LoRA', [finding('transformer', 'Q4_K'), LORA], null, -0.5, true],
  ['4 bits alone', [finding('transformer', 'F16')], 'q4_0', 1, false],
  ['4 bits and a LoRA that is left out', [finding('transformer', 'Q4_0'), LORA], 'q4_0', 0, false],
  ['8 bits and a LoRA', [finding('transformer', 'F16'), LORA], 'q8_0', 1, false],
  ['a file of 8 bits and a LoRA', [finding('transformer', 'Q8_0'), LORA], null, 1, false],
  ['a text encoder of few bits and a LoRA', [finding('transformer', 'BF16'), finding('text_encoder', 'Q4_K'), LORA], null, 1, false], // prettier-ignore
])('%s: whether some weights have more bits than that is told', async (_, findings, quantize, strength, raised) => {
  expect((await own(findings, quantize, strength)).raised).toBe(raised);
}); // prettier-ignore
