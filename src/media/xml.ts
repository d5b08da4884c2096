/**
 * The few things XMP needs of XML: escaping, and finding one simple property. Not an XML library: there is
 * no DTD and no entity expansion on purpose, and every scan runs forward only, so a hostile packet costs
 * time linear in its length. Works without DOMParser, for workers and Node.
 */

/** Text as XML 1.0 content: `&<>"'` and CR escaped; characters XML forbids are dropped, lone surrogates → U+FFFD. */
export function escapeXml(text: string): string {
  return (
    text
      // eslint-disable-next-line no-control-regex -- these are exactly the characters XML 1.0 has no place for
      .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '')
      .replace(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, '\ufffd')
      // A bare CR would be read back as LF.
      .replace(/[&<>"'\r]/g, (c) => (c === '\r' ? '&#13;' : ENTITIES[c]!))
  );
}

const ENTITIES: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
};
const CHARACTERS: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

/** The reverse of `escapeXml`, numeric references included; unknown references stay as they are. */
export function unescapeXml(text: string): string {
  return text.replace(/&(?:#x([0-9a-f]{1,6})|#(\d{1,7})|(\w{2,4}));/gi, (whole, hex, dec, name) => {
    if (name) return CHARACTERS[name as string] ?? whole;
    const code = hex ? parseInt(hex as string, 16) : Number(dec);
    return code <= 0x10ffff ? String.fromCodePoint(code) : (whole as string);
  });
}

interface Tag {
  name: string;
  attributes: Map<string, string>;
  /** Offset just behind the `>`. */
  end: number;
  empty: boolean;
}

/** Behind the comment, CDATA section, declaration or end tag that begins with the `<` at `at`. */
function skipMarkup(xml: string, at: number): number {
  const behind = (mark: string, from: number) => {
    const found = xml.indexOf(mark, from);
    return found < 0 ? xml.length : found + mark.length;
  };
  if (xml.startsWith('<!--', at)) return behind('-->', at + 4);
  if (xml.startsWith('<![CDATA[', at)) return behind(']]>', at + 9);
  if (xml.startsWith('<?', at)) return behind('?>', at + 2);
  return behind('>', at + 1);
}

const NAME = /[^\s=/>"'<]+/y;
const SPACE = /\s*/y;

function match(pattern: RegExp, xml: string, at: number): string {
  pattern.lastIndex = at;
  return pattern.exec(xml)?.[0] ?? '';
}

/** The start tag at `at`, or null when it is not well-formed. */
function readTag(xml: string, at: number): Tag | null {
  const name = match(NAME, xml, at + 1);
  if (!name) return null;
  const attributes = new Map<string, string>();
  let i = at + 1 + name.length;
  for (;;) {
    i += match(SPACE, xml, i).length;
    if (xml[i] === '>') return { name, attributes, end: i + 1, empty: false };
    if (xml.startsWith('/>', i)) return { name, attributes, end: i + 2, empty: true };
    const key = match(NAME, xml, i);
    if (!key) return null;
    i += key.length;
    i += match(SPACE, xml, i).length;
    if (xml[i] !== '=') return null;
    i += 1 + match(SPACE, xml, i + 1).length;
    const quote = xml[i];
    if (quote !== '"' && quote !== "'") return null;
    const close = xml.indexOf(quote, i + 1);
    if (close < 0) return null;
    attributes.set(key, unescapeXml(xml.slice(i + 1, close)));
    i = close + 1;
  }
}

/**
 * The first value of the simple property `name` in `namespace` (its URI), be it written as an element
 * (`<p:Name>value</p:Name>`) or as an attribute (`p:Name="value"`), under whatever prefix; null if none.
 * XMP writers choose freely between the two forms, and tools that edit a file change one into the other.
 */
export function findProperty(xml: string, namespace: string, name: string): string | null {
  // Prefixes are taken as valid from their declaration to the end: XMP packets do not rebind them.
  const names = new Set<string>();
  for (let at = xml.indexOf('<'); at >= 0; at = xml.indexOf('<', at)) {
    if ('/!?'.includes(xml[at + 1] ?? '/')) {
      at = skipMarkup(xml, at);
      continue;
    }
    const tag = readTag(xml, at);
    // Not XML. Going on behind the fault would also make the time quadratic for a packet made to do so.
    if (!tag) return null;
    for (const [key, value] of tag.attributes)
      if (key.startsWith('xmlns:') && value === namespace) names.add(`${key.slice(6)}:${name}`);
    for (const [key, value] of tag.attributes) if (names.has(key)) return value;
    if (names.has(tag.name)) {
      if (tag.empty) return '';
      const close = xml.indexOf('<', tag.end);
      // Anything but plain text up to the end tag is not the simple property that is looked for.
      return xml.startsWith(`</${tag.name}`, close) ? unescapeXml(xml.slice(tag.end, close)) : null;
    }
    at = tag.end;
  }
  return null;
}
