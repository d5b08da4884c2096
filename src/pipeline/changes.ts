/**
 * What became different about a clip while it was made: it was told another way, or memory ran out. A clip that goes on
 * must know it to come out the same, so the journal keeps it: a line of JSON a change, in their order.
 */
import type { GenerateRequest } from '../worker/protocol/clip';

export type Change = Partial<
  Pick<GenerateRequest, 'prompt' | 'window' | 'sink' | 'cacheBits' | 'tiles' | 'begins'>
>;

/** From block `block` on. */
interface Noted {
  block: number;
  change: Change;
}

/** A line of its own, whatever stood before it: half a line that a crash left is not read. */
export const writeChange = (block: number, change: Change): string =>
  `\n${JSON.stringify({ block, change } satisfies Noted)}\n`;

/** Lines that are no whole change do not count. */
export function readChanges(text: string): Noted[] {
  return text.split('\n').flatMap((line) => {
    try {
      const { block, change } = JSON.parse(line) as Noted;
      return Number.isInteger(block) && typeof change === 'object' && change !== null ? [{ block, change }] : []; // prettier-ignore
    } catch {
      return [];
    }
  });
}

/**
 * The request as it stands now.
 * @param done finished blocks, and the script as it stood at the last of them
 */
export function applyChanges(
  request: GenerateRequest,
  noted: readonly Noted[],
  done: { count: number; text: string | null },
): GenerateRequest {
  const now = noted.reduce((before, { change }) => ({ ...before, ...change }), request);
  // A block that was made says best what it was made of; what was said since is newer.
  const said = noted.findLast(({ block, change }) => change.prompt !== undefined && block >= done.count);
  return { ...now, prompt: said?.change.prompt ?? done.text ?? request.prompt };
}
