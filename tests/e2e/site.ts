/** Drives the built page in a real browser, as a person would. */
import type { Browser, BrowserContextOptions, Page } from 'playwright';
import { inject } from 'vitest';
import { launchBrowser } from '../../scripts/browser.mjs';
import type { Clip, GenerateEvent } from '../../src/worker/protocol/clip';
import type { EngineError } from '../../src/worker/protocol/result';

export type Facts = Omit<Clip, 'mp4' | 'poster'>;
export type Outcome = { done: Facts } | { error: EngineError };

/** What the end-to-end tests ask for; small, for SwiftShader does some 2 GFLOP/s. */
export interface Settings {
  prompt?: string;
  seed?: number;
  seconds?: number;
  width?: number;
  height?: number;
  steps?: number;
  auto?: 1;
}

export const PROMPT = 'a red boat drifting on the sea at sunset';
export const SMALL: Settings = { seed: 7, seconds: 1, width: 96, height: 64, steps: 2 };

/**
 * For a worker to evaluate: the directive of its content policy that stops a script from elsewhere, or "nothing". As
 * text, for the bundler of these tests would take the import for one of its own.
 */
export const STOPPED = `new Promise((told) => {
  addEventListener('securitypolicyviolation', (e) => told(e.effectiveDirective));
  import('https://elsewhere.invalid/x.js').catch(() => {});
  setTimeout(() => told('nothing'), 10000);
})`;

interface Heard {
  outcomes: Outcome[];
  progress: GenerateEvent[];
  /** Everything is kept: the network may go. */
  offline: boolean;
}

/** The page's address with settings in its fragment, as a recipe link has them. */
function addressOf(base: string, settings: Settings, backend: string): string {
  const fields = Object.entries(settings).map(([name, value]): [string, string] => [name, String(value)]);
  return `${base}?backend=${backend}#${new URLSearchParams(fields)}`;
}

export interface OpenOptions extends BrowserContextOptions {
  settings?: Settings;
  /** Default webgpu: on the software adapter of these tests the page would choose the CPU. */
  backend?: 'auto' | 'webgpu' | 'cpu';
  browser?: Browser;
  /** Of the site; default: the one that all tests share. */
  address?: string;
  /** Runs before the page is opened. */
  before?: (page: Page) => Promise<unknown>;
}

/** An open page of Kinora with everything that it reported and everything that it asked the network for. */
export class Site {
  readonly page: Page;
  /** Addresses asked for that are not the page's own origin. Must stay empty. */
  readonly foreign: string[] = [];
  /** Errors that nobody caught, and console errors. Must stay empty. */
  readonly failures: string[] = [];

  private constructor(page: Page) {
    this.page = page;
  }

  static async open(
    browser: Browser,
    {
      settings = SMALL,
      backend = 'webgpu',
      address = inject('address'),
      before,
      ...options
    }: OpenOptions = {},
  ): Promise<Site> {
    const context = await browser.newContext({ locale: 'en-GB', acceptDownloads: true, ...options });
    const page = await context.newPage();
    await before?.(page);
    const site = new Site(page);
    const own = new URL(address).origin;
    context.on('request', (request) => {
      const url = new URL(request.url());
      if (url.protocol.startsWith('http') && url.origin !== own) site.foreign.push(request.url());
    });
    page.on('pageerror', (error) => site.failures.push(error.stack ?? error.message));
    page.on('console', (message) => {
      if (message.type() === 'error') site.failures.push(message.text());
    });
    await page.addInitScript(() => {
      const heard: Heard = { outcomes: [], progress: [], offline: false };
      Object.assign(globalThis, { heard });
      document.addEventListener('kinora:offline', () => (heard.offline = true));
      document.addEventListener('kinora:progress', (e) => {
        const { type, ...rest } = (e as CustomEvent).detail;
        if (type === 'progress') heard.progress.push({ type, ...rest });
      });
      document.addEventListener('kinora:error', (e) =>
        heard.outcomes.push({ error: { ...(e as CustomEvent).detail } }),
      );
      document.addEventListener('kinora:done', (e) => {
        const done = { ...(e as CustomEvent).detail };
        delete done.mp4;
        delete done.poster;
        heard.outcomes.push({ done });
      });
    });
    await page.goto(addressOf(address, settings, backend));
    await page.getByTestId('prompt').waitFor();
    return site;
  }

  at(id: string) {
    return this.page.getByTestId(id);
  }

  /** Types a sentence into the prompt, in place of what stands there. */
  async type(prompt: string): Promise<void> {
    await this.at('prompt').fill(prompt);
  }

  /** What the page reported so far. */
  heard(): Promise<Heard> {
    return this.page.evaluate(() => (globalThis as unknown as { heard: Heard }).heard);
  }

  /** Waits for the end of the n-th generation (from 0): the clip's facts, or the error. */
  async outcome(n: number): Promise<Outcome> {
    await this.page.waitForFunction(
      (i) => (globalThis as unknown as { heard: Heard }).heard.outcomes.length > i,
      n,
      { timeout: 0, polling: 250 },
    );
    return (await this.heard()).outcomes[n]!;
  }

  /** Waits until the page has everything that it needs without a network. */
  async kept(): Promise<void> {
    await this.page.waitForFunction(
      () => (globalThis as unknown as { heard: Heard }).heard.offline,
      undefined,
      { timeout: 120_000, polling: 250 },
    );
  }

  /** Presses Generate and waits for the clip. */
  async generate(): Promise<Facts> {
    const before = (await this.heard()).outcomes.length;
    await this.at('generate').click();
    const outcome = await this.outcome(before);
    if ('done' in outcome) return outcome.done;
    const { code, message, detail } = outcome.error;
    throw new Error(`${code}: ${message}\n${detail}`);
  }

  /** Downloads the clip on the stage to `path`. */
  async download(path: string): Promise<string> {
    const [download] = await Promise.all([this.page.waitForEvent('download'), this.at('download').click()]);
    await download.saveAs(path);
    return download.suggestedFilename();
  }

  close(): Promise<void> {
    return this.page.context().close();
  }
}

export function launch(options: Record<string, unknown> = {}): Promise<Browser> {
  return launchBrowser(options);
}
