/** The page's small pure parts: keys, browser advice, file names, model card, storage. */
import { describe, expect, test } from 'vitest';
import { around } from '../../src/app/around';
import { adviseFor, readBrowser } from '../../src/app/browser';
import { readCard } from '../../src/app/card';
import { fileName } from '../../src/app/filename';
import { actionOf, type Place } from '../../src/app/keys';
import { browserStore } from '../../src/app/store';

describe('keys', () => {
  const free: Place = { typing: false, control: false, arrows: false, singleKeys: true, busy: false };
  const press = (key: string, place: Partial<Place> = {}, more: object = {}) =>
    actionOf(
      { key, ctrlKey: false, metaKey: false, altKey: false, isComposing: false, ...more },
      { ...free, ...place },
    );

  test('single keys work outside of text fields alone, and can be switched off', () => {
    expect(press(' ')).toEqual({ do: 'toggle' });
    expect(press('?')).toEqual({ do: 'help' });
    expect(press('ArrowLeft')).toEqual({ do: 'step', by: -1 });
    expect(press('L')).toEqual({ do: 'skip', by: 1 });
    for (const key of [' ', '?', 'ArrowLeft', 'j', 'k', 'l']) {
      expect(press(key, { typing: true })).toBeNull();
      expect(press(key, { singleKeys: false })).toBeNull();
    }
  });

  test('a button keeps its Space, a slider its arrows', () => {
    expect(press(' ', { control: true })).toBeNull();
    expect(press('ArrowRight', { control: true })).toEqual({ do: 'step', by: 1 });
    expect(press('ArrowRight', { control: true, arrows: true })).toBeNull();
  });

  test('Ctrl and ⌘ work everywhere', () => {
    const typing = { typing: true, singleKeys: false };
    expect(press('Enter', typing, { ctrlKey: true })).toEqual({ do: 'generate' });
    expect(press('s', typing, { metaKey: true })).toEqual({ do: 'download' });
    expect(press('a', typing, { ctrlKey: true })).toBeNull();
  });

  test('Escape cancels only what is being made; an input method’s keys are its own', () => {
    expect(press('Escape')).toBeNull();
    expect(press('Escape', { busy: true, typing: true })).toEqual({ do: 'cancel' });
    expect(press('Escape', { busy: true }, { isComposing: true })).toBeNull();
  });
});

describe('what to do in this browser', () => {
  const chrome = (os: string, version = 140) => `Mozilla/5.0 (${os}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/${version}.0.0.0 Safari/537.36`; // prettier-ignore
  const safari = (os: string) => `Mozilla/5.0 (${os}) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.3 Safari/605.1.15`; // prettier-ignore
  const firefox = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0';

  test.each([
    [chrome('X11; Linux x86_64'), 0, 'no-adapter', 'chromeLinux'],
    [chrome('Windows NT 10.0; Win64; x64', 100), 0, 'no-webgpu', 'chromeOld'],
    [chrome('Windows NT 10.0; Win64; x64'), 0, 'no-adapter', 'chromeSettings'],
    [chrome('Linux; Android 14; Pixel 8', 119), 5, 'no-webgpu', 'chromeOld'],
    [firefox, 0, 'no-webgpu', 'firefox'],
    [safari('Macintosh; Intel Mac OS X 10_15_7'), 0, 'no-webgpu', 'safariMac'],
    [safari('Macintosh; Intel Mac OS X 10_15_7'), 5, 'no-webgpu', 'safariIos'],
    [chrome('iPhone; CPU iPhone OS 18_0 like Mac OS X'), 5, 'no-webgpu', 'safariIos'],
    ['curl/8', 0, 'no-webgpu', 'other'],
    [chrome('X11; Linux x86_64'), 0, 'no-encoder', 'encoder'],
  ] as const)('%s, %d touch points, %s: %s', (userAgent, touchPoints, code, first) => {
    expect(adviseFor(code, readBrowser(userAgent, touchPoints), true)[0]).toBe(first);
  });

  test('over plain http nothing else helps', () => {
    expect(adviseFor('no-webgpu', readBrowser(firefox, 0), false)).toEqual(['insecure']);
  });
});

test.each([
  ['A red boat, drifting!', 7, 'kinora-a-red-boat-drifting-7.mp4'],
  ['一艘红色的帆船', 4, 'kinora-一艘红色的帆船-4.mp4'],
  ['../../etc/passwd', 1, 'kinora-etc-passwd-1.mp4'],
  ['🙂 / \\ : *', 2, 'kinora-2.mp4'],
  ['one two three four five six seven eight nine ten', 3, 'kinora-one-two-three-four-five-six-seven-eight-3.mp4'], // prettier-ignore
])('a clip of %j is saved as a safe name', (prompt, seed, name) => {
  expect(fileName({ prompt, seed })).toBe(name);
});

describe('the card of a model', () => {
  const json = {
    name: 'Kinora Pocket',
    files: [{ path: 'a.gguf', bytes: 100 }, { path: 'showcase.mp4', bytes: 20 }],
    prompts: { en: ['a', 7], de: ['b'], zh: '船' },
    sizes: [{ width: 96, height: 64 }, { width: 'x' }],
    seconds: { default: 2, max: 5 },
    sampler: { timesteps: [1000, 500] },
    vocabulary: 'vocabulary.json',
  }; // prettier-ignore

  test('is read', () => {
    expect(readCard(json)).toEqual({
      name: 'Kinora Pocket',
      bytes: 120,
      prompts: { en: ['a'], de: ['b'], zh: [] },
      offer: { sizes: [{ width: 96, height: 64 }], seconds: { default: 2, max: 5 }, steps: 2 },
      showcase: 'showcase.mp4',
      vocabulary: 'vocabulary.json',
      unsaid: {},
    });
  });

  test('never names a file outside of the model’s folder', () => {
    const { showcase, vocabulary } = readCard({ showcase: '../x.mp4', vocabulary: '//example/x' });
    expect([showcase, vocabulary]).toEqual([null, null]);
  });

  test.each([null, 7, 'x', [], {}, { files: 7, sizes: [], seconds: {} }])('%j is an empty one', (value) => {
    expect(readCard(value)).toMatchObject({ bytes: 0, offer: null, showcase: null });
  });
});

test('a browser that refuses storage is no harm', () => {
  const refusing = browserStore(() => {
    throw new DOMException('denied', 'SecurityError');
  });
  refusing.write('x', 1);
  expect(refusing.read('x')).toBeNull();
  const broken = browserStore(() => ({ getItem: () => '{' }) as unknown as Storage);
  expect(broken.read('x')).toBeNull();
});

test('of a long clip the strip shows the blocks around the one in work', () => {
  expect(around(0, 0, 48)).toEqual({ from: 0, to: 0 });
  expect(around(17, 9, 48)).toEqual({ from: 0, to: 17 });
  expect(around(300, 0, 48)).toEqual({ from: 0, to: 48 });
  expect(around(300, 24, 48)).toEqual({ from: 0, to: 48 });
  expect(around(300, 150, 48)).toEqual({ from: 126, to: 174 });
  for (const at of [276, 299, 300]) expect(around(300, at, 48)).toEqual({ from: 252, to: 300 });
});
