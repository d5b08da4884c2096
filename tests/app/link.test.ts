/** A recipe to share: an address whose fragment holds it, and that no server ever sees. */
import { afterEach, expect, test, vi } from 'vitest';
import { App } from '../../src/app/app.svelte';
import { readFragment, writeFragment } from '../../src/app/fragment';
import { en } from '../../src/app/words/en';
import { clipOf, memoryStore, RECIPE, ScriptedEngine } from './helpers';

afterEach(() => vi.unstubAllGlobals());

const WORDS = 'a red boat & 100 % “wind” #1\n[2s] 一艘红色的船 🎈';

test('what is written is read again, and nothing else', () => {
  const recipe = { ...RECIPE, prompt: WORDS, window: 9, sink: 3, cacheBits: 8, loop: true } as const;
  expect(readFragment(writeFragment(recipe, 'own'))).toEqual({
    prompt: WORDS,
    seed: '7',
    steps: '2',
    seconds: 1,
    size: { width: 96, height: 64 },
    window: 9,
    sink: 3,
    cacheBits: 8,
    loop: true,
    model: 'own',
    auto: false,
  });
  expect(readFragment(writeFragment(RECIPE, 'pocket'))).toMatchObject({ prompt: RECIPE.prompt, model: undefined, loop: undefined }); // prettier-ignore
});

function open(clipboard: object) {
  const shown: string[] = [];
  vi.stubGlobal(
    'document',
    Object.assign(new EventTarget(), { baseURI: 'https://kinora.example/app/?backend=cpu' }),
  );
  vi.stubGlobal('navigator', { clipboard });
  vi.stubGlobal('history', {
    replaceState: (_: unknown, __: string, address: string) => void shown.push(address),
  });
  const parts = {
    engine: new ScriptedEngine(),
    store: memoryStore(),
    languages: ['en'],
    hash: '',
    search: '',
  };
  const app = new App(parts);
  app.stage.show(clipOf().mp4, { ...RECIPE, prompt: WORDS }, null);
  return { app, shown };
}

test('the link goes to the clipboard; its words are behind the #', async () => {
  const copied: string[] = [];
  const { app } = open({ writeText: async (text: string) => void copied.push(text) });
  await app.copyLink();
  const [before, fragment] = copied[0]!.split('#');
  expect(before).toBe('https://kinora.example/app/');
  expect(readFragment(`#${fragment}`)).toMatchObject({ prompt: WORDS, seed: '7' });
  expect(app.toast?.text).toBe(en.stage.linkCopied);
});

test('where the browser gives no clipboard, it is put into the address bar', async () => {
  const { app, shown } = open({ writeText: () => Promise.reject(new DOMException('no', 'NotAllowedError')) });
  await app.copyLink();
  expect(readFragment(shown[0]!)).toMatchObject({ prompt: WORDS });
  expect(app.toast?.text).toBe(en.stage.linkShown);
});
