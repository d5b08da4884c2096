/**
 * What holds the page in on the plainest of hosts and in a browser without service workers, as in some private windows:
 * every worker has a content policy all the same. And what no content policy knows (WebRTC, windows, going elsewhere) is
 * shut by the page itself.
 */
import type { Browser } from 'playwright';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ISOLATION } from '../../src/policy';
import { Host } from './host';
import { launch, PROMPT, Site, SMALL, STOPPED } from './site';

const HALF = { ...SMALL, prompt: PROMPT, seconds: 0.5 };

let browser: Browser;
let host: Host;
beforeAll(async () => {
  browser = await launch();
  host = await Host.start();
});
afterAll(async () => {
  await browser?.close();
  await host?.stop();
});

describe.sequential.each([
  ['without headers', 'cpu', {}],
  ['without headers', 'webgpu', {}],
  ['with headers that isolate, and no policy', 'cpu', ISOLATION],
] as const)('%s and without a service worker, on %s', (_, backend, headers) => {
  let site: Site;
  beforeAll(async () => {
    host.headers = headers;
    const options = { settings: HALF, backend, address: host.address, serviceWorkers: 'block' } as const;
    site = await Site.open(browser, options);
  });
  afterAll(() => site?.close());

  test('the engine has the page’s policy, and makes a clip; nothing leaves', async () => {
    const { backend: used, frames } = await site.generate();
    expect([used, frames]).toEqual([backend, 8]);
    expect(await site.page.evaluate(() => navigator.serviceWorker.controller)).toBeNull();
    expect(await site.page.evaluate(() => crossOriginIsolated)).toBe(headers === ISOLATION);
    expect(site.failures).toEqual([]);
    const [engine, ...others] = site.page.workers();
    expect(others).toEqual([]);
    expect(engine!.url()).toMatch(/^blob:/);
    const tried = await engine!.evaluate(async () => {
      const outcome = (work: () => Promise<unknown>) => work().then(() => 'done', () => 'refused'); // prettier-ignore
      return {
        own: await outcome(() => fetch(new URL('/some/where/index.html', location.origin))),
        eval: await outcome(async () => new Promise((done, no) => setTimeout(() => { try { done(globalThis.eval('1')); } catch (e) { no(e); } }))), // prettier-ignore
      };
    });
    expect(tried).toEqual({ own: 'refused', eval: 'refused' });
    expect(site.foreign).toEqual([]);
    expect(await engine!.evaluate(STOPPED)).toMatch(/^script-src/); // told as a request, which the policy ended
  });

  test('a hub is not asked, for nothing would hold its worker to the hub; the person is told', async () => {
    await site.at('settings').click();
    const model = site.at('hub-self-forcing-fp8');
    await model.locator('summary').click();
    await model.getByTestId('hub-ask').click();
    await expect.poll(() => model.innerText()).toContain('Nothing was asked of the hub');
    expect(site.foreign.filter((url) => !url.startsWith('https://elsewhere.invalid/'))).toEqual([]);
  });
});

/** As code of the page's own would try it, each by itself: "done", or how it was refused. */
type Tries = Record<string, string>;

test('WebRTC and all that would give a fresh one is refused before any other script, and counted', async () => {
  const site = await Site.open(browser, { settings: HALF, backend: 'cpu' });
  const stopped = async () =>
    Number(/content policy\s*(\d+)/.exec(await site.at('privacy').innerText())?.[1]);
  await site.kept();
  await site.at('settings').click();
  const before = await stopped();
  const tried = await site.page.evaluate(async () => {
    const tries: Tries = {};
    const attempt = async (name: string, work: () => unknown) => {
      try {
        const got = await work();
        tries[name] = got === null || got === undefined ? 'nothing' : 'done';
      } catch (e) {
        tries[name] = (e as Error).message.startsWith('Kinora does without') ? 'shut' : (e as Error).name;
      }
    };
    const own = globalThis as unknown as Record<string, new (...args: unknown[]) => unknown>;
    await attempt('connection', () => new RTCPeerConnection({ iceServers: [{ urls: 'stun:127.0.0.1:9' }] }));
    await attempt('old name', () => new own.webkitRTCPeerConnection!());
    await attempt('put back', () => {
      own.RTCPeerConnection = class {};
      return null;
    });
    await attempt('and then', () => new RTCPeerConnection());
    await attempt('deleted', () => (Reflect.deleteProperty(globalThis, 'RTCPeerConnection') ? 1 : null));
    await attempt('frame', () => document.createElement('iframe'));
    await attempt('FRAME', () => document.createElement('IFrame'));
    await attempt('old frame', () => document.createElement('frame'));
    await attempt('object', () => document.createElement('object'));
    await attempt('by namespace', () => document.createElementNS('http://www.w3.org/1999/xhtml', 'x:iframe'));
    await attempt('of another document', () => document.implementation.createHTMLDocument().createElement('iframe')); // prettier-ignore
    await attempt('as a document', () => document.implementation.createDocument('http://www.w3.org/1999/xhtml', 'iframe')); // prettier-ignore
    await attempt('changing name', () => {
      let asked = 0;
      return document.createElement({
        toString: () => (asked++ === 0 ? 'iframe' : 'b'),
      } as unknown as string);
    });
    await attempt('own element', () => customElements.define('x-frame', class extends HTMLIFrameElement {}, { extends: 'iframe' })); // prettier-ignore
    await attempt('markup', () => (document.createElement('div').innerHTML = '<iframe></iframe>'));
    await attempt('fragment', () => document.createRange().createContextualFragment('<iframe></iframe>'));
    await attempt('parser', () => new DOMParser().parseFromString('<iframe></iframe>', 'text/html'));
    await attempt('stylesheet', () => new own.XSLTProcessor!());
    await attempt('document that comes as one', () => new XMLHttpRequest());
    await attempt('other rules', () => {
      const { test, exec } = RegExp.prototype;
      RegExp.prototype.test = () => false;
      RegExp.prototype.exec = () => null;
      try {
        return document.createElement('iframe');
      } finally {
        Object.assign(RegExp.prototype, { test, exec });
      }
    });
    await attempt('window', () => open('about:blank'));
    await attempt('window by document', () => document.open('about:blank', '_blank', ''));
    await attempt('little window', () => (globalThis as unknown as { documentPictureInPicture: { requestWindow(): unknown } }).documentPictureInPicture.requestWindow()); // prettier-ignore
    return { tries, frames: globalThis.length };
  });
  const { tries, frames } = tried;
  expect(tries).toEqual({
    connection: 'shut',
    'old name': 'shut',
    'put back': 'nothing', // it is fixed
    'and then': 'shut',
    deleted: 'nothing',
    frame: 'shut',
    FRAME: 'shut',
    'old frame': 'shut',
    object: 'shut',
    'by namespace': 'shut',
    'of another document': 'shut',
    'as a document': 'shut',
    'changing name': 'shut',
    'own element': 'shut',
    markup: 'TypeError', // Trusted Types
    fragment: 'TypeError',
    parser: 'TypeError',
    stylesheet: 'shut',
    'document that comes as one': 'shut',
    'other rules': 'shut',
    window: 'shut',
    'window by document': 'shut',
    'little window': 'shut',
  });
  expect(frames).toBe(0);
  const shut = Object.values(tries).filter((outcome) => outcome === 'shut').length;
  await expect.poll(stopped).toBeGreaterThanOrEqual(before + shut);
  expect(await site.page.evaluate(() => typeof document.createElement('video').play)).toBe('function');

  // Going elsewhere by itself, with what it knows in the address; and WebTransport, which the policy covers.
  const count = await stopped();
  const transport = await site.page.evaluate(async () => {
    const go = async (address: string) => {
      location.href = address;
      await new Promise((done) => setTimeout(done, 500));
    };
    await go('https://elsewhere.invalid/?words');
    await go(URL.createObjectURL(new Blob(['of our origin, with no rules'], { type: 'text/html' })));
    try {
      Event.prototype.preventDefault = () => {};
    } catch {
      // it is frozen
    }
    await go('https://elsewhere.invalid/?more');
    return new WebTransport('https://elsewhere.invalid/').ready.then(() => 'done', (e) => String(e)); // prettier-ignore
  });
  expect(transport).toContain('Content Security Policy');
  expect(new URL(site.page.url()).hostname).toBe('127.0.0.1');
  await expect.poll(stopped).toBeGreaterThanOrEqual(count + 4);
  expect(site.foreign).toEqual([]);
  await site.close();
});
