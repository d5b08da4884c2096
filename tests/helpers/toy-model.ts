/**
 * A model whose networks are a few sums: what a block becomes depends on its noise, its words, what it sees of the blocks
 * before, and how exactly. For tests of what the pipeline does with them, which take no time and no GPU.
 */
import type { ClipNetworks, Latents, Model } from '../../src/pipeline/backend';
import { framesAt, type Block } from '../../src/pipeline/blocks';
import { gridOf, type Room } from '../../src/pipeline/memory-plan';
import { Costs } from '../../src/pipeline/progress';
import { windowOf } from '../../src/pipeline/window';
import type { GenerateRequest } from '../../src/worker/protocol/clip';
import { randomManifest, type ManifestChange } from './random-manifest';

const ROOM: Room = { element: 4, buffer: 2 ** 40, total: 2 ** 40, speed: 1e15, scores: false, packs: true };

class ToyClip implements ClipNetworks {
  readonly #request: GenerateRequest;
  readonly #model: Model;
  #words = 0;
  /** Of each latent frame that was remembered: one number, rounded as the cache is. */
  #past: number[] = [];
  #block: Block | null = null;
  #x: Latents = new Float32Array();

  constructor(model: Model, request: GenerateRequest) {
    [this.#model, this.#request] = [model, request];
  }

  async say(ids: Int32Array): Promise<void> {
    this.#words = ids.reduce((sum, id, i) => (sum * 31 + id * (i + 1)) % 9973, 7) / 9973;
  }
  forget(): void {
    this.#past = [];
  }
  start(block: Block, noise: Latents): void {
    [this.#block, this.#x] = [block, noise];
  }
  take(block: Block, latents: Latents): void {
    this.start(block, latents);
  }
  async step() {
    const seen = this.#seen();
    this.#x = this.#x.map((x) => Math.tanh(x / 2 + this.#words + seen));
    const picture = { type: 'preview', frames: 1, width: 1, height: 1, rgba: new Uint8ClampedArray(4) };
    return picture as Awaited<ReturnType<ClipNetworks['step']>>;
  }
  async settle(): Promise<Latents> {
    return this.#x;
  }
  async decode(block: Block, latents: Latents, i: number) {
    const { first, count } = framesAt({ stride: this.#model.manifest.latent.stride[0] }, block, i);
    const { width, height } = this.#request;
    const from = (latents.length / block.size) * i;
    const i420 = Array.from({ length: count }, (_, f) =>
      new Uint8Array(width * height * 1.5).map((_, at) => 128 + 127 * latents[from + (at % 8)]! + f),
    );
    return { first, i420 };
  }
  async remember(): Promise<void> {
    const mean = this.#x.reduce((sum, x) => sum + x, 0) / this.#x.length;
    const value = mean + this.#words + this.#seen();
    const kept = this.#request.cacheBits === 8 ? Math.round(value * 100) / 100 : value;
    for (let f = 0; f < this.#block!.size; f++) this.#past.push(kept + f);
  }
  free(): void {}

  /** As the cache has it: the sink, and the last frames that fit. */
  #seen(): number {
    const { window, sink } = windowOf(this.#model.manifest, this.#request);
    const last = Math.max(0, window - this.#block!.size - sink);
    const frames = this.#past.filter((_, f) => f < sink || f >= this.#past.length - last);
    return frames.reduce((sum, value, i) => sum + value / (i + 2), 0) / 10;
  }
}

export function toyModel(change: ManifestChange = {}): Model {
  const manifest = randomManifest(change);
  const model: Model = {
    backend: 'webgpu',
    adapter: null,
    manifest,
    tokenizer: { size: 0x110000, end: 1, encode: (text: string) => Int32Array.from(text, (c) => c.codePointAt(0)!) }, // prettier-ignore
    textLength: 512,
    costs: new Costs(),
    grid: gridOf(manifest),
    room: ROOM,
    unkept: null,
    encode: null,
    loadSeconds: 0,
    gpuBytes: 0,
    peakGpuBytes: 0,
    open: async (request) => new ToyClip(model, request),
    free: () => {},
  };
  return model;
}
