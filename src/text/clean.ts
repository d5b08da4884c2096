/**
 * Prompt cleaning as Wan does it before tokenizing: `ftfy.fix_text`, HTML unescaped twice, white space
 * collapsed [Wan-Video/Wan2.1 `wan/modules/tokenizers.py`].
 *
 * Of ftfy this has every plain step (control characters, terminal colours, ligatures, width, quotes, lone
 * surrogates, NFC) and a careful part of its mojibake repair: text that is as a whole UTF-8 read as
 * windows-1252, as often as that was done. Text that is only partly broken, or broken through other code
 * pages, stays as it is; ftfy guesses there.
 */
import { KinoraError } from '../errors';
import { MAX_PROMPT } from '../limits';
import { unescapeHtml, WINDOWS_1252 } from './entities';

/** The prompt as the tokenizer wants it; "" when nothing is left. Any text will do. */
export function cleanPrompt(text: string): string {
  const fixed = fixText(text);
  return unescapeHtml(unescapeHtml(fixed)).replace(WHITE_SPACE, ' ').trim();
}

/** Cleans a prompt that a person typed. Throws `bad-request` when it is empty or too long. */
export function checkPrompt(text: string): string {
  if (text.length > MAX_PROMPT)
    throw new KinoraError(
      'bad-request',
      `The prompt has ${text.length} characters; at most ${MAX_PROMPT} are read. Shorten it.`,
      { field: 'prompt', length: text.length, max: MAX_PROMPT },
    );
  const prompt = cleanPrompt(text);
  // Marks of direction and joiners alone say nothing.
  if (prompt.replace(/[\p{Cf}\s]/gu, '') === '')
    throw new KinoraError('bad-request', 'The prompt is empty. Say in a sentence what should be seen.', {
      field: 'prompt',
      length: 0,
    });
  return prompt;
}

/** Python's `\s`, which knows some more than JavaScript's. */
const WHITE_SPACE = /[\s\x1c-\x1f\x85]+/g;
const TERMINAL = /\x1b\[[\d;]*[a-zA-Z]/g;
/** ftfy's list: C0 without white space, old format characters, byte order mark, annotations. */
const CONTROLS = /[\0-\x08\x0b\x0e-\x1f\x7f\u206a-\u206f\ufeff\ufff9-\ufffc]/g;
const LIGATURES = /[\u0132\u0133\u0149\u01f1-\u01f3\u01c4-\u01cc\ufb00-\ufb06]/g;
const WIDE = /[\uff01-\uffef\u3000]/g;

/** `ftfy.fix_text` with its default settings, within the limits told above: steps until nothing changes. */
function fixText(text: string): string {
  for (let times = 0; times < 100; times++) {
    const fixed = fixOnce(text);
    if (fixed === text) break;
    text = fixed;
  }
  return text;
}

function fixOnce(text: string): string {
  const unescaped = text.includes('<') ? text : unescapeHtml(text);
  return fixMojibake(unescaped)
    .replace(/[\x80-\x9f]/g, (c) => WINDOWS_1252[c.charCodeAt(0) - 0x80]!)
    .replace(LIGATURES, expandLigature)
    .replace(WIDE, (c) => c.normalize('NFKC'))
    .replace(/[\u02bc\u2018-\u201b]/g, "'")
    .replace(/[\u201c-\u201f]/g, '"')
    .replace(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, '\ufffd')
    .replace(TERMINAL, '')
    .replace(CONTROLS, '')
    .normalize('NFC');
}

/** NFKC writes most ligatures out; ŉ is not one to Unicode. "ﬅ" keeps its long s, as in ftfy. */
function expandLigature(c: string): string {
  if (c === '\u0149') return '\u02bcn';
  return c === '\ufb05' ? 'ſt' : c.normalize('NFKC');
}

/** Byte of a character in windows-1252, holes included; -1 where it has none. */
function toByte(c: string): number {
  const code = c.charCodeAt(0);
  if (code < 0x80 || (code >= 0xa0 && code <= 0xff)) return code;
  const high = WINDOWS_1252.indexOf(c);
  if (high >= 0) return 0x80 + high;
  return code < 0x100 ? code : -1;
}

/**
 * What two-byte mojibake starts with: Â Ã Ä Å (Latin), Î Ï (Greek), Ð Ñ (Cyrillic), × Ø Ù (Hebrew, Arabic).
 * Others, as in "CAFÉ™", are more often meant. Three and four bytes in a row are never an accident.
 */
const LEADS = new Set([0xc2, 0xc3, 0xc4, 0xc5, 0xce, 0xcf, 0xd0, 0xd1, 0xd7, 0xd8, 0xd9]);
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Text that is UTF-8 read as windows-1252, read aright; any other as it is. */
function fixMojibake(text: string): string {
  if (!/[\x80-\uffff]/.test(text)) return text;
  const codes = Array.from(text, toByte);
  if (codes.some((b) => b < 0 || (b >= 0xc0 && b < 0xe0 && !LEADS.has(b)))) return text;
  try {
    return utf8.decode(Uint8Array.from(codes));
  } catch {
    return text; // not UTF-8: it is what it seems to be
  }
}
