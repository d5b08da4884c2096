/** The browser dies in the middle of a clip; started again, the page goes on, and not a bit is different. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type Page } from 'playwright';
import { afterAll, afterEach, beforeAll, expect, inject, test } from 'vitest';
import { browserEnv, ensureBrowser, SOFTWARE_FLAGS } from '../../scripts/browser.mjs';
import type { Clip } from '../../src/worker/protocol/clip';
import type { EngineError } from '../../src/worker/protocol/result';

type Heard = { blocks: number[]; done: Clip | null; error: EngineError | null };

let profile: string;
const children: ChildProcess[] = [];
beforeAll(async () => void (profile = await mkdtemp(join(tmpdir(), 'kinora-profile-'))));
/** What a test that failed has left would keep the profile from the next. */
afterEach(() => killAll());
afterAll(async () => {
  await killAll();
  await rm(profile, { recursive: true, force: true, maxRetries: 5 });
});

async function killAll(): Promise<void> {
  for (const child of children.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }
}

/** A browser of our own making, so that its process id is known. */
async function start(): Promise<{ child: ChildProcess; page: Page }> {
  const flags = [
    ...SOFTWARE_FLAGS,
    '--headless=new',
    '--remote-debugging-port=0',
    `--user-data-dir=${profile}`,
  ];
  const child = spawn(await ensureBrowser(), flags, {
    env: browserEnv(),
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  children.push(child);
  let said = '';
  const endpoint = await new Promise<string>((found, failed) => {
    child.stderr!.on('data', (data) => {
      said += data;
      const match = /DevTools listening on (ws:\S+)/.exec(said);
      if (match) found(match[1]!);
    });
    child.on('exit', () => failed(new Error(said)));
  });
  // Now and then a browser that has just begun to listen leaves the first that speaks to it without an answer.
  const connect = () => chromium.connectOverCDP(endpoint, { timeout: 20_000 });
  const browser = await connect().catch(connect).catch(connect);
  const page = await browser.contexts()[0]!.newPage();
  await page.addInitScript(() => {
    const heard: Heard = { blocks: [], done: null, error: null };
    Object.assign(globalThis, { heard });
    document.addEventListener('kinora:progress', (e) => {
      const { type, stage, block } = (e as CustomEvent).detail;
      if (type === 'progress' && stage === 'denoise') heard.blocks.push(block);
    });
    document.addEventListener('kinora:done', (e) => {
      const { mp4: _, poster: __, latents: ___, ...done } = (e as CustomEvent).detail;
      heard.done = done;
    });
    document.addEventListener('kinora:error', (e) => (heard.error = { ...(e as CustomEvent).detail }));
  });
  return { child, page };
}

const heard = (page: Page) => page.evaluate(() => (globalThis as unknown as { heard: Heard }).heard);
const until = (page: Page, what: 'done' | number) =>
  page.waitForFunction(
    (w) => {
      const { done, error, blocks } = (globalThis as unknown as { heard: Heard }).heard;
      if (error) throw new Error(`${error.code}: ${error.message}`);
      return w === 'done' ? done !== null : blocks.includes(w as number);
    },
    what,
    { timeout: 0, polling: 50 },
  );

const SCRIPT =
  '[1.3s] a red boat drifting on the sea at sunset\n[1.5s] a red boat at night\n[cut] [1.3s] a blue car';
/** On a software adapter our kernels are slow: the smallest picture that still has more than one token. */
const SIZES: Record<string, object> = { webgpu: { width: '32', height: '32' }, cpu: {} };
const address = (backend: string) =>
  `${inject('address')}?backend=${backend}#${new URLSearchParams({ prompt: SCRIPT, seed: '7', seconds: '4', steps: '2', ...SIZES[backend] })}`;

async function generate(page: Page): Promise<void> {
  await page.locator('[data-testid=generate]:not([disabled])').click();
}

test.each(['cpu', 'webgpu'])('on %s: killed, started again, resumed: the same frames', async (backend) => {
  // Uninterrupted.
  const first = await start();
  await first.page.goto(address(backend));
  await generate(first.page);
  await until(first.page, 'done');
  const whole = (await heard(first.page)).done!;
  expect(whole.blocks.length).toBe(6);

  // Killed while the fourth block is made.
  await first.page.goto('about:blank');
  await first.page.goto(address(backend));
  await generate(first.page);
  await until(first.page, 3);
  const gone = once(first.child, 'exit');
  process.kill(first.child.pid!, 'SIGKILL');
  await gone;

  const second = await start();
  await second.page.goto(`${inject('address')}?backend=${backend}`);
  await second.page.getByTestId('unfinished').waitFor({ timeout: 120_000 });
  await second.page.getByTestId('resume').click();
  await until(second.page, 'done');
  const { done, blocks } = await heard(second.page);
  expect(done!.frameHashes).toEqual(whole.frameHashes);
  expect(done!.recipe.prompt).toBe(SCRIPT);
  expect(Math.min(...blocks)).toBeGreaterThanOrEqual(2); // what was finished was not made anew
  await expect.poll(() => second.page.getByTestId('unfinished').count()).toBe(0);
  second.child.kill('SIGKILL');
  await once(second.child, 'exit');
});
