/** HTML character references, as Python's `html.unescape` reads them, for the names that people meet. */

/** Names of U+00A0…U+00FF, in order; they and the four of `ESSENTIAL` may lack their semicolon. */
const LATIN1 = (
  'nbsp iexcl cent pound curren yen brvbar sect uml copy ordf laquo not shy reg macr deg plusmn sup2 sup3 ' +
  'acute micro para middot cedil sup1 ordm raquo frac14 frac12 frac34 iquest Agrave Aacute Acirc Atilde Auml ' +
  'Aring AElig Ccedil Egrave Eacute Ecirc Euml Igrave Iacute Icirc Iuml ETH Ntilde Ograve Oacute Ocirc Otilde ' +
  'Ouml times Oslash Ugrave Uacute Ucirc Uuml Yacute THORN szlig agrave aacute acirc atilde auml aring aelig ' +
  'ccedil egrave eacute ecirc euml igrave iacute icirc iuml eth ntilde ograve oacute ocirc otilde ouml divide ' +
  'oslash ugrave uacute ucirc uuml yacute thorn yuml'
).split(' ');
const ESSENTIAL = { amp: '&', lt: '<', gt: '>', quot: '"' };
const LEGACY = new Map<string, string>([
  ...Object.entries(ESSENTIAL),
  ...LATIN1.map((name, i) => [name, String.fromCharCode(160 + i)] as const),
]);
/** With a semicolon only. HTML has some 2000 more, for mathematics; they stay as they are written. */
const NAMED = new Map<string, string>([
  ...LEGACY,
  // prettier-ignore
  ...Object.entries({
    apos: "'", ndash: '–', mdash: '—', lsquo: '‘', rsquo: '’', sbquo: '‚', ldquo: '“', rdquo: '”', bdquo: '„',
    lsaquo: '‹', rsaquo: '›', hellip: '…', bull: '•', dagger: '†', Dagger: '‡', permil: '‰', prime: '′',
    euro: '€', trade: '™', larr: '←', uarr: '↑', rarr: '→', darr: '↓', harr: '↔', infin: '∞', ne: '≠', le: '≤',
    ge: '≥', asymp: '≈', minus: '−', radic: '√', hearts: '♥', ensp: '\u2002', emsp: '\u2003', thinsp: '\u2009',
    zwnj: '\u200c', zwj: '\u200d', lrm: '\u200e', rlm: '\u200f', OElig: 'Œ', oelig: 'œ', Scaron: 'Š',
    scaron: 'š', Yuml: 'Ÿ', fnof: 'ƒ', circ: 'ˆ', tilde: '˜', alpha: 'α', beta: 'β', gamma: 'γ', delta: 'δ',
    lambda: 'λ', mu: 'μ', pi: 'π', sigma: 'σ', omega: 'ω', Delta: 'Δ', Omega: 'Ω',
  }),
]);

/** What windows-1252 has at 0x80…0x9F; the five holes stay control characters. */
export const WINDOWS_1252 = '€\x81‚ƒ„…†‡ˆ‰Š‹Œ\x8dŽ\x8f\x90‘’“”•–—˜™š›œ\x9džŸ';

/** Replaces HTML character references once: "&amp;lt;" becomes "&lt;". */
export function unescapeHtml(text: string): string {
  return text.replace(/&(?:#x([0-9a-f]+);?|#(\d+);?|(\w{1,32};?))/gi, (whole, hex, decimal, name) => {
    if (name === undefined) return fromCode(hex ? parseInt(hex, 16) : parseInt(decimal, 10));
    return fromName(name) ?? whole;
  });
}

function fromName(name: string): string | null {
  if (name.endsWith(';')) {
    const found = NAMED.get(name.slice(0, -1));
    if (found !== undefined) return found;
  }
  for (let n = Math.min(name.length, 6); n > 1; n--) {
    const found = LEGACY.get(name.slice(0, n));
    if (found !== undefined) return found + name.slice(n);
  }
  return null;
}

function fromCode(code: number): string {
  if (code >= 0x80 && code <= 0x9f) return WINDOWS_1252[code - 0x80]!;
  if (code === 0 || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return '\ufffd';
  // Controls other than white space, and code points that are no characters, vanish.
  const control = (code < 32 && ![9, 10, 12, 13].includes(code)) || code === 127;
  const none = (code & 0xfffe) === 0xfffe || (code >= 0xfdd0 && code <= 0xfdef);
  return control || none ? '' : String.fromCodePoint(code);
}
