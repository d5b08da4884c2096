/**
 * What happens next, said while a clip is made: the field where it is typed, the words that are on their way to the engine,
 * and what became of them. What stands in the field outlives the clip: words that came too late for it are not lost.
 */
import { parseScript } from '../story/script';
import type { GenerateEvent } from '../worker/protocol/clip';

export type Told = Extract<GenerateEvent, { type: 'told' }>;

/** Words, and not only directions such as `[cut]`. */
export function saysSomething(text: string): boolean {
  try {
    return parseScript(text.replace(/\s+/g, ' ')).length > 0;
  } catch {
    return false;
  }
}

export class Saying {
  text = $state('');
  /** The clip was done before these words came to it. */
  late = $state(false);
  /** What was said last while the clip is made, until the engine has heard of it. */
  told = $state('');
  /** What became of what was said last. */
  taken = $state.raw<Told | null>(null);

  /** Another clip is begun. What stands in the field may be for that one. */
  begin(): void {
    this.late = false;
    this.told = '';
    this.taken = null;
  }

  tell(text: string): void {
    this.taken = null;
    this.told = text.trim();
  }

  hear(event: Told): void {
    this.taken = event;
    if (event.text === this.told) this.told = '';
  }

  /** What was taken up is known to nobody any more: it is to be said again, unless something newer is. */
  forgotten(): void {
    if (this.taken && !this.taken.problem) this.told ||= this.taken.text;
  }

  /**
   * The clip is over. What was said and is not followed any more comes back into the field, before what was typed meanwhile.
   * @param done there is a clip that could be extended with it
   * @param known a clip that is gone on with will follow what was said
   */
  end(done: boolean, known = false): void {
    this.text = [known ? '' : this.told, this.text.trim()].filter(Boolean).join(' ');
    this.late = done && this.text !== '';
    this.told = '';
  }

  /** Nobody wants these words any more. */
  drop(): void {
    this.text = '';
    this.late = false;
  }
}
