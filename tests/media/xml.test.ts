import { describe, expect, it } from 'vitest';
import { escapeXml, findProperty, unescapeXml } from '../../src/media/xml';

const NS = 'urn:test/';

describe('escapeXml', () => {
  it.each([
    ['a < b & "c" > \'d\'', 'a &lt; b &amp; &quot;c&quot; &gt; &apos;d&apos;'],
    ['line\r\nbreak\ttab', 'line&#13;\nbreak\ttab'],
    ['\u0000\u0008\u000b\u001f\ufffe\uffffx', 'x'],
    ['夕阳下的红船 🛶', '夕阳下的红船 🛶'],
    ['\ud83d alone \udef6', '\ufffd alone \ufffd'],
  ])('%j', (text, escaped) => expect(escapeXml(text)).toBe(escaped));

  it('is undone by unescapeXml', () => {
    const text = `<&>"'\r\n 夕阳 🛶 &amp; &#65;`;
    expect(unescapeXml(escapeXml(text))).toBe(text);
  });
});

it('unescapeXml reads numbers and leaves what it does not know', () => {
  expect(unescapeXml('&#65;&#x1F6F6;&nbsp;&#x110000;&;&lt')).toBe('A🛶&nbsp;&#x110000;&;&lt');
});

describe('findProperty', () => {
  it.each([
    ['an element', `<a xmlns:k="${NS}"><k:P>v &amp; w</k:P></a>`, 'v & w'],
    ['an attribute', `<a xmlns:k="${NS}" k:P="v &quot;w&quot;"/>`, 'v "w"'],
    ['single quotes and spaces', `<a  xmlns:k = '${NS}'\n k:P = 'v'  />`, 'v'],
    ['any prefix', `<a xmlns:other="${NS}"><other:P>v</other:P></a>`, 'v'],
    ['an empty element', `<a xmlns:k="${NS}"><k:P/></a>`, ''],
    [
      'behind comments, CDATA, instructions',
      `<?x <k:P>?><a xmlns:k="${NS}"><!-- <k:P>1</k:P> --><![CDATA[<k:P>2</k:P>]]><k:P>3</k:P></a>`,
      '3',
    ],
  ])('finds %s', (_, xml, value) => expect(findProperty(xml, NS, 'P')).toBe(value));

  it.each([
    ['no such property', `<a xmlns:k="${NS}"><k:Q>v</k:Q></a>`],
    ['another namespace', `<a xmlns:k="urn:other/"><k:P>v</k:P></a>`],
    ['the words as text', `<a xmlns:k="${NS}"><k:Q>k:P="v" &lt;k:P>v&lt;/k:P></k:Q></a>`],
    ['a structure', `<a xmlns:k="${NS}"><k:P><b>v</b></k:P></a>`],
    ['an unclosed element', `<a xmlns:k="${NS}"><k:P>v`],
    ['an unclosed attribute', `<a xmlns:k="${NS}" k:P="v`],
    ['no XML', 'hello < world'],
    ['nothing', ''],
  ])('finds nothing in %s', (_, xml) => expect(findProperty(xml, NS, 'P')).toBeNull());

  it.each(['<', '<a ', '<a b="', `<a b="'<`, '<!--', '<![CDATA[', '<a>', '</', `<a x=">" `, '<a b=\'>"'])(
    'takes time linear in the length: %j repeated',
    (unit) => {
      const start = performance.now();
      findProperty(`<r xmlns:k="${NS}">` + unit.repeat(1_000_000 / unit.length), NS, 'P');
      expect(performance.now() - start).toBeLessThan(2000);
    },
  );
});
