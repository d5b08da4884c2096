/** A clip made by the built page in a browser that Playwright drives: its address, its facts, its bytes. */

/** Without any event for so long, the page is taken to hang. One step takes seconds even in software. */
const SILENCE_MINUTES = 15;
const CHUNK = 3 * 2 ** 20; // a multiple of 3, so that base64 pieces join

/** What goes wrong while making the clip, with a message for the person. */
export class Failure extends Error {}

/** The page's address with the settings in its fragment. */
export function addressOf(base, { backend, ...settings }) {
  const fields = Object.entries(settings).filter(([, value]) => value !== undefined);
  return `${base}?backend=${backend}#${new URLSearchParams(fields)}`;
}

/** Who is told what each page says: the clip that it is making. */
const hearers = new WeakMap();

/**
 * Opens the page and resolves to the finished clip's facts; its bytes stay in the page. A page that is open at the same
 * address but for the fragment stays, with its model loaded, and takes over the settings.
 * @param begin called when the page is open, for a clip that does not begin by itself
 */
export async function makeClip(page, address, progress, begin) {
  const told = new AbortController();
  let timer;
  try {
    return await new Promise((done, failed) => {
      const fail = (message) => failed(new Failure(message));
      const failOn = (source, event, say) => {
        const listener = (detail) => fail(say(detail));
        source.on(event, listener);
        told.signal.addEventListener('abort', () => source.off(event, listener));
      };
      const heard = () => {
        clearTimeout(timer);
        timer = setTimeout(
          () => fail(`The page said nothing for ${SILENCE_MINUTES} minutes.`),
          SILENCE_MINUTES * 60_000,
        );
      };
      heard();
      failOn(page, 'crash', () => 'The page crashed; perhaps memory ran out.');
      failOn(page, 'pageerror', (error) => `The page failed: ${error.message}`);
      failOn(page.context(), 'close', () => 'The browser ended unexpectedly.');
      const fresh = !hearers.has(page);
      hearers.set(page, (name, detail) => {
        heard();
        if (name === 'progress') progress(detail);
        else if (name === 'done') done(detail);
        else if (name === 'error')
          failed(Object.assign(new Failure(detail.message), { code: detail.code, detail: detail.detail }));
      });
      const open = async () => {
        if (fresh) {
          await page.exposeFunction('kinoraReport', (name, detail) => hearers.get(page)(name, detail));
          await page.addInitScript(listen);
        }
        await page.goto(address);
        await begin?.();
      };
      open().catch(failed);
    });
  } finally {
    clearTimeout(timer);
    told.abort();
  }
}

/** Runs in the page, before its own scripts: passes its events on to us, without pictures and blobs. */
function listen() {
  const report = (name, detail) => void globalThis.kinoraReport(name, detail);
  document.addEventListener('kinora:progress', ({ detail }) => {
    if (['progress', 'download', 'upload', 'compile'].includes(detail.type)) report('progress', detail);
  });
  document.addEventListener('kinora:loaded', () => (globalThis.kinoraLoaded = true));
  document.addEventListener('kinora:taken', ({ detail }) => (globalThis.kinoraTaken = detail));
  document.addEventListener('kinora:error', ({ detail }) => report('error', { ...detail }));
  document.addEventListener('kinora:done', ({ detail }) => {
    globalThis.kinoraClip = detail.mp4;
    const facts = { ...detail };
    delete facts.mp4;
    delete facts.poster;
    delete facts.latents;
    report('done', facts);
  });
}

/** The bytes of the clip, moved out of the page piece by piece. */
export async function readClip(page) {
  const size = await page.evaluate(() => globalThis.kinoraClip.size);
  const pieces = [];
  for (let start = 0; start < size; start += CHUNK) {
    const url = await page.evaluate(
      ([from, to]) =>
        new Promise((done, failed) => {
          const reader = new FileReader();
          reader.onload = () => done(reader.result);
          reader.onerror = () => failed(reader.error);
          reader.readAsDataURL(globalThis.kinoraClip.slice(from, to));
        }),
      [start, Math.min(start + CHUNK, size)],
    );
    pieces.push(Buffer.from(url.slice(url.indexOf(',') + 1), 'base64'));
  }
  return Buffer.concat(pieces, size);
}
