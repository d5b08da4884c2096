/** A model of the person's own files: what was picked, what it is, and what is to be made of it. */
import type { EngineClient } from '../worker/client';
import type { Size } from '../worker/protocol/clip';
import type { Finding, OpenedFiles, PickedFile, Quantize, Recognition } from '../worker/protocol/files';
import type { EngineError } from '../worker/protocol/result';
import { looksLikeModel } from './dropped';
import type { LastModel } from './last-model.svelte';

export type Recogniser = Pick<EngineClient, 'recognise'>;

export class OwnModel {
  picked = $state.raw<readonly PickedFile[]>([]);
  recognition = $state.raw<Recognition | null>(null);
  /** Files are being looked at. */
  looking = $state(false);
  sampling = $state<string | null>(null);
  /** Of a download; null: it is called as its transformer's file. */
  name: string | null = null;
  /** Id of the download that the files came with. */
  download: string | null = null;
  quantize = $state<Quantize | null>(null);
  /** Of LoRAs, by their paths, where they are not 1. */
  strengths = $state.raw<Readonly<Record<string, number>>>({});
  /** Of the first clip; what memory is planned for. */
  size = $state.raw<Size>({ width: 832, height: 480 });
  error = $state.raw<EngineError | null>(null);
  readonly #engine: Recogniser;
  #turn = 0;

  constructor(engine: Recogniser) {
    this.#engine = engine;
  }

  /** Adds files; one of a name that is there already takes its place. What is no part of a model is left out. */
  async add(files: readonly PickedFile[]): Promise<void> {
    const models = files.filter(({ path }) => looksLikeModel(path));
    if (models.length === 0) return;
    const names = new Set(models.map(({ path }) => path));
    this.picked = [...this.picked.filter(({ path }) => !names.has(path)), ...models];
    this.sampling = this.name = this.download = null;
    await this.look();
  }

  /** The files of a download in place of all others; weights of 8 bits, unless the person chose otherwise. */
  async open(files: readonly PickedFile[], sampling: string, name: string, id: string): Promise<void> {
    this.picked = files;
    this.name = name;
    this.download = id;
    this.strengths = {};
    this.sampling = sampling;
    this.quantize ??= 'q8_0';
    await this.look();
  }

  /** What was used at an earlier visit, as it was used. */
  async restore(files: readonly PickedFile[], last: LastModel): Promise<void> {
    this.picked = files;
    this.name = last.download === null ? null : last.name;
    this.download = last.download;
    this.sampling = last.sampling;
    this.quantize = last.quantize;
    this.strengths = last.strengths;
    this.size = last.size;
    await this.look();
  }

  async remove(path: string): Promise<void> {
    this.picked = this.picked.filter((file) => file.path !== path);
    const { [path]: _, ...strengths } = this.strengths;
    this.strengths = strengths;
    await this.look();
  }

  async choose(choice: { sampling?: string; quantize?: Quantize | null; size?: Size }): Promise<void> {
    if (choice.sampling !== undefined) this.sampling = choice.sampling;
    if (choice.quantize !== undefined) this.quantize = choice.quantize;
    if (choice.size) this.size = choice.size;
    await this.look();
  }

  /** How strongly a LoRA is merged; −2…2 in the page, 0 leaves it out. */
  async mix(path: string, strength: number): Promise<void> {
    const { [path]: _, ...others } = this.strengths;
    this.strengths = strength === 1 ? others : { ...others, [path]: strength };
    await this.look();
  }

  /** What the engine is to load; null while the files make no model. */
  get opened(): OpenedFiles | null {
    return this.recognition?.ready ? this.#asked() : null;
  }

  /** A person may try what the plan says will not fit only with another choice. */
  get usable(): boolean {
    return this.recognition?.ready === true && !this.recognition.plan?.problem;
  }

  /** A LoRA changes weights of 4 bits, or of few more, which are then kept in 8 (weights/upload). */
  get raised(): boolean {
    const used = this.recognition?.findings.filter(({ used, problem }) => used && !problem) ?? [];
    const merged = used.some(({ part, path }) => part === 'lora' && (this.strengths[path] ?? 1) !== 0);
    const few = ({ part, types }: Finding) => part === 'transformer' && /^Q[2-6]_/.test(types[0] ?? '');
    return merged && (this.quantize === 'q4_0' || used.some(few));
  }

  #asked(): OpenedFiles {
    const { picked: files, name, sampling, quantize, strengths } = this;
    const mixed = Object.keys(strengths).length > 0;
    return { files, ...(name && { name }), ...(sampling && { sampling }), ...(quantize && { quantize }), ...(mixed && { strengths }) }; // prettier-ignore
  }

  async look(): Promise<void> {
    const turn = ++this.#turn;
    this.error = null;
    if (this.picked.length === 0) {
      this.recognition = null;
      this.looking = false;
      return;
    }
    this.looking = true;
    const seen = await this.#engine.recognise(this.#asked(), this.size);
    if (turn !== this.#turn) return; // something else was picked meanwhile
    this.looking = false;
    if (seen.ok) this.recognition = seen.value;
    else this.error = seen.error;
  }
}
