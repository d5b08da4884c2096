/** What a clip shows and when: its shots and the blocks that they become. It can be told another way while it is made. */
import { parseScript, timeShots, totalSeconds, writeScript, type TimedShot } from '../story/script';
import { checkPrompt } from '../text/clean';
import { framesAt, planClip, type ClipPlan, type Counts } from './blocks';

export class Storyline {
  readonly #counts: Counts;
  /** As it was asked for, or as it was told in the meantime. */
  text: string;
  shots: TimedShot[];
  plan: ClipPlan;

  /**
   * @param text a script (story/script.ts)
   * @param seconds length for lines that do not say theirs
   * @throws KinoraError `bad-request`
   */
  constructor(text: string, seconds: number, counts: Counts) {
    this.#counts = counts;
    this.text = text;
    this.shots = readShots(text, seconds);
    this.plan = planClip(this.shots, counts);
  }

  /** The end leads back to the beginning. */
  get loops(): boolean {
    return this.#counts.loop ?? false;
  }

  /** Of all shots. */
  get seconds(): number {
    return totalSeconds(this.shots);
  }

  /**
   * From block `index` on the clip follows other words, up to its end; what was made stays as it is. Does nothing before
   * the first block and behind the last.
   * @param text one line; `[cut]` begins with a hard cut
   * @throws KinoraError `bad-request` for what cannot be told, and then nothing is changed
   */
  steer(text: string, index: number): void {
    const { fps } = this.#counts;
    const { plan } = this;
    const block = plan.blocks[index];
    if (text.trim() === '' || !block || index === 0) return;
    // A line alone cannot begin with a cut, so it is read as the second.
    const [, told] = readShots(`…\n${text.replace(/\s+/g, ' ')}`, 1);
    const frameOf = (b: number) => framesAt(plan, plan.blocks[b]!, 0).first;
    // The shots so far, as long as they really were.
    const made: TimedShot[] = [];
    let begins = 0;
    for (let b = 0; b < index; b++) {
      const shot = plan.blocks[b]!.shot;
      if (b + 1 < index && plan.blocks[b + 1]!.shot === shot) continue;
      const end = frameOf(b + 1);
      made.push({ ...this.shots[shot]!, seconds: (end - begins) / fps });
      begins = end;
    }
    const last = { ...told!, seconds: (plan.frames - begins) / fps };
    const script = writeScript([...made, last]);
    // Of the text, so that whoever reads it gets the same blocks.
    this.shots = readShots(script, 1);
    this.text = script;
    this.plan = planClip(this.shots, this.#counts);
  }
}

/** Shots with their words as the tokenizer wants them. */
function readShots(text: string, seconds: number): TimedShot[] {
  checkPrompt(text); // empty, or too long as a whole
  const shots = parseScript(text).map((shot) => ({ ...shot, prompt: checkPrompt(shot.prompt) }));
  return timeShots(shots, seconds);
}
