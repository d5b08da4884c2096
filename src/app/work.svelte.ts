/**
 * The clip in work, as the engine tells of it: how far it is, its blocks, and its pictures as they come. It lasts until the
 * next is begun, but for the pictures, which are let go when a film has taken their place or none will come.
 */
import type { GenerateEvent, GenerateRequest } from '../worker/protocol/clip';
import type { Picture } from './pictures';
import { Reel } from './reel';
import type { Told } from './saying.svelte';

export type Progress = Extract<GenerateEvent, { type: 'progress' }>;
export type Preview = Extract<GenerateEvent, { type: 'preview' }>;
type Recovered = Extract<GenerateEvent, { type: 'recover' }>;

/** A block of the clip in work, for the strip. */
export interface Block {
  state: 'done' | 'now' | 'next';
  /** Its first picture so far. */
  picture: Picture | null;
  /** First frame and number of frames; null while unknown. */
  frames: { first: number; count: number } | null;
}

/** Memory for the frames of a clip in work; the playhead is rarely far behind. */
const REEL_BYTES = 128 * 2 ** 20;
const LEAST_FRAMES = 48;

export class Work {
  request = $state.raw<GenerateRequest | null>(null);
  progress = $state.raw<Progress | null>(null);
  reel = $state.raw<Reel<Picture> | null>(null);
  blocks = $state.raw<Block[]>([]);
  /** What was mended in it. */
  recovered = $state.raw<Recovered | null>(null);
  /** The browser's storage is full: it is held in memory. */
  full = $state(false);
  /** It can be gone on with after a pause. */
  pausable = $state(false);
  readonly #toPictures: (preview: Preview) => Picture[];

  /** @param toPictures makes something that can be drawn of each frame of a preview */
  constructor(toPictures: (preview: Preview) => Picture[]) {
    this.#toPictures = toPictures;
  }

  begin(request: GenerateRequest, fps: number): void {
    this.dropReel();
    const most = Math.max(LEAST_FRAMES, Math.floor(REEL_BYTES / (4 * request.width * request.height)));
    this.reel = new Reel(fps, (picture) => 'close' in picture && picture.close(), most);
    this.request = request;
    this.recovered = null;
    this.full = false;
    this.progress = null;
    this.pausable = false;
  }

  hear(event: Exclude<GenerateEvent, Told>): void {
    switch (event.type) {
      case 'progress':
        this.progress = event;
        if (this.blocks.length !== event.blocks) this.#resizeBlocks(event.blocks);
        break;
      case 'recover':
        // The finished blocks are told again, from the first.
        this.recovered = event;
        this.reel?.clear();
        this.blocks = this.blocks.map(() => ({ state: 'next', picture: null, frames: null }));
        break;
      case 'journal':
        this.pausable = true;
        break;
      case 'full':
        this.full = true;
        break;
      case 'preview': {
        const pictures = this.#toPictures(event);
        this.reel?.guess(event.block, pictures);
        this.#setBlock(event.block, { state: 'now', picture: pictures[0] ?? null, frames: null });
        break;
      }
      case 'frames': {
        this.reel?.add(event.block, event.bitmaps);
        const frames = { first: event.firstFrame, count: event.bitmaps.length };
        this.#addFrames(event.block, event.bitmaps[0] ?? null, frames);
        break;
      }
    }
  }

  /** The last block is being made: nothing comes behind it that could follow other words. */
  get lastBlock(): boolean {
    return this.progress !== null && this.progress.block + 1 >= this.progress.blocks;
  }

  /** How many blocks are finished, of those from `first` on. */
  finished(first = 0): number {
    return this.blocks.filter(({ state }, i) => state === 'done' && i >= first).length;
  }

  /** It ended without a clip. */
  drop(): void {
    this.progress = null;
    this.dropReel();
  }

  /** The finished clip has taken the reel's place on the stage. */
  dropReel(): void {
    this.reel?.clear();
    this.reel = null;
    this.blocks = [];
  }

  #resizeBlocks(count: number): void {
    this.blocks = Array.from(
      { length: count },
      (_, i) => this.blocks[i] ?? { state: 'next', picture: null, frames: null },
    );
  }

  #setBlock(index: number, block: Block): void {
    if (index >= this.blocks.length) this.#resizeBlocks(index + 1);
    this.blocks = this.blocks.with(index, block);
  }

  /** A block's frames may come in several pieces. */
  #addFrames(index: number, picture: Picture | null, frames: { first: number; count: number }): void {
    const before = this.blocks[index];
    const joined = before?.frames && {
      first: before.frames.first,
      count: before.frames.count + frames.count,
    };
    this.#setBlock(index, {
      state: 'done',
      picture: joined ? before.picture : picture,
      frames: joined || frames,
    });
  }
}
