/**
 * A script of shots: one line, one shot. `[4s]` in a line says how long it lasts, `[cut]` that it begins with a hard
 * cut; without it the picture goes on and follows the new words. A text of one line is a script of one shot.
 *
 *   [4s] a red boat drifting on the sea at sunset
 *   [3s] a red boat drifting on the sea at night
 *   [cut] a white rocket taking off in space
 */
import { KinoraError } from '../errors';

export interface Shot {
  prompt: string;
  /** null: what is left of the clip's length, shared with the other lines that do not say. */
  seconds: number | null;
  /** Begins with a hard cut. Never true of the first. */
  cut: boolean;
}

export interface TimedShot extends Shot {
  seconds: number;
}

/** What a line gets at least when nothing is left to share. Seconds. */
export const LEAST_SHARE = 1;
/** Seconds of one shot. */
export const LONGEST_SHOT = 3600;

/** Numbers that cannot be lengths count, too: `[-3s]` or `[1e9s]` among the words would be nobody's wish. */
const DURATION = /[[【]\s*([-+]?\d[\d.,]*(?:e[-+]?\d+)?)\s*(?:s|sec|secs|seconds?|秒)\s*[\]】]/iu;
const CUT = /[[【]\s*(?:cut|切|切换)\s*[\]】]/iu;

/** A script's lines, empty ones, too. */
export const linesOf = (text: string): string[] => text.split(/\r\n|[\n\r\u2028\u2029]/);

/**
 * Reads a script; lines without anything on them are skipped.
 * @throws KinoraError `bad-request` (field `prompt`, `params.line` from 1) for a line without words or with a duration of 0
 */
export function parseScript(text: string): Shot[] {
  const shots: Shot[] = [];
  linesOf(text).forEach((line, i) => {
    if (line.trim() === '') return;
    const duration = DURATION.exec(line);
    const cut = CUT.test(line);
    const prompt = line.replace(DURATION, ' ').replace(CUT, ' ').replace(/\s+/g, ' ').trim();
    const seconds = duration ? Number(duration[1]!.replace(',', '.')) : null;
    if (prompt === '') throw bad(i + 1, `Line ${i + 1} of the script has no words. Say what is seen.`);
    if (seconds !== null && !(seconds > 0 && seconds <= LONGEST_SHOT))
      throw bad(i + 1, `Line ${i + 1} of the script lasts ${duration![1]} s; it must be above 0 and up to ${LONGEST_SHOT} s.`); // prettier-ignore
    shots.push({ prompt, seconds, cut: cut && shots.length > 0 });
  });
  return shots;
}

function bad(line: number, message: string): KinoraError {
  return new KinoraError('bad-request', message, { field: 'prompt', line });
}

/** The text with its directions (`[4s]`, `[cut]`) blanked out: what is left is words, each at its old place. */
export function withoutDirections(text: string): string {
  const blank = (found: string) => ' '.repeat(found.length);
  return text
    .split(/([\n\r\u2028\u2029])/)
    .map((line) => line.replace(DURATION, blank).replace(CUT, blank))
    .join('');
}

/** A script in one line for a person to recognise it by: its words, shot after shot. Takes any text. */
export const titleOf = (text: string): string =>
  withoutDirections(text)
    .split(/[\n\r\u2028\u2029]/)
    .map((line) => line.replace(/\s+/g, ' ').trim())
    .filter(Boolean)
    .join(' · ');

/** The script with other words in its first shot, whose directions stay in front. */
export function withFirstShot(text: string, words: string): string {
  const lines = linesOf(text);
  const first = lines.findIndex((line) => line.trim() !== '');
  const line = lines[first] ?? '';
  const directions = [DURATION, CUT].flatMap((direction) => direction.exec(line)?.[0] ?? []);
  return [
    ...lines.slice(0, Math.max(0, first)),
    [...directions, words].join(' '),
    ...lines.slice(first + 1),
  ].join('\n');
}

/**
 * Gives every shot its length. Lines that say nothing share what the others leave of `seconds` evenly, at least
 * `LEAST_SHARE` each; where every line says its length, `seconds` does not count.
 */
export function timeShots(shots: readonly Shot[], seconds: number): TimedShot[] {
  const open = shots.filter((shot) => shot.seconds === null).length;
  const told = shots.reduce((sum, shot) => sum + (shot.seconds ?? 0), 0);
  const rest = seconds - told;
  const share = shots.length === 1 ? rest : Math.max(LEAST_SHARE, rest / Math.max(1, open));
  return shots.map((shot) => ({ ...shot, seconds: shot.seconds ?? share }));
}

/** A line of a script; one that does not say how long it lasts gets a length. Seconds. */
export const withLength = (line: string, seconds: number): string => {
  const one = line.replace(/\s+/g, ' ').trim();
  return DURATION.test(one) ? one : `[${seconds}s] ${one}`;
};

/** It begins as the earlier script did, shot by shot, and then goes on in another way. */
export function isEdited(earlier: readonly TimedShot[], now: readonly TimedShot[]): boolean {
  const told = ({ prompt, seconds, cut }: TimedShot) => JSON.stringify([prompt, Math.round(seconds * 100), cut]); // prettier-ignore
  let common = 0;
  while (common < Math.min(earlier.length, now.length) && told(earlier[common]!) === told(now[common]!)) common++; // prettier-ignore
  return common > 0 && common < Math.max(earlier.length, now.length);
}

/** Seconds of all shots. */
export const totalSeconds = (shots: readonly TimedShot[]): number =>
  shots.reduce((sum, shot) => sum + shot.seconds, 0);

/** The script as text. `parseScript` reads the same shots from it, durations to the hundredth of a second. */
export function writeScript(shots: readonly Shot[]): string {
  if (shots.length === 1 && shots[0]!.seconds === null) return shots[0]!.prompt;
  return shots
    .map(({ prompt, seconds, cut }) =>
      [cut ? '[cut]' : '', seconds === null ? '' : `[${Math.round(seconds * 100) / 100}s]`, prompt]
        .filter(Boolean)
        .join(' '),
    )
    .join('\n');
}
