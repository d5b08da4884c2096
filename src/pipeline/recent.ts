/** The last blocks of a clip, as many as the window holds: when the words change, the cache is made again of them. */
import type { Latents } from './backend';
import type { Block } from './blocks';

export class Recent {
  list: { block: Block; latents: Latents }[] = [];
  readonly #window: number;

  constructor(window: number) {
    this.#window = window;
  }

  add(block: Block, latents: Latents): void {
    this.list.push({ block, latents });
    const frames = () => this.list.reduce((sum, { block: { size } }) => sum + size, 0);
    while (frames() > this.#window) this.list.shift();
  }

  clear(): void {
    this.list = [];
  }
}
