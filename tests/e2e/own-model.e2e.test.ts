/** A model of the person's own files: picked in the drawer, recognised, loaded and used, in the built page. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Browser } from 'playwright';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { collected, diffusersFolder, type Files } from '../helpers/wan-family';
import { launch, Site } from './site';

let browser: Browser;
let folder: string;
beforeAll(async () => {
  browser = await launch();
  folder = mkdtempSync(join(tmpdir(), 'kinora-own-'));
});
afterAll(async () => {
  await browser?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Writes the files and returns their paths. */
function write(files: Files): string[] {
  return Object.entries(files).map(([name, bytes]) => {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, bytes);
    return path;
  });
}

/** Loads what the drawer has, and waits for it. */
async function use(site: Site): Promise<{ name: string; edition: string }> {
  const loaded = site.page.evaluate(
    () => new Promise<{ name: string; edition: string }>((resolve, reject) => {
      const told = (e: Event) => resolve((e as CustomEvent).detail as { name: string; edition: string });
      document.addEventListener('kinora:loaded', told, { once: true });
      document.addEventListener('kinora:error', (e) => reject(new Error((e as CustomEvent).detail.message)), { once: true }); // prettier-ignore
    }),
  ); // prettier-ignore
  await site.at('own-use').click();
  return loaded;
}

test('a GGUF, a safetensors and a .pth make the clip that their diffusers folder makes', async () => {
  const settings = { prompt: 'a red boat', seed: 7, seconds: 0.7, width: 48, height: 32 };
  const site = await Site.open(browser, { settings });
  await site.page.waitForFunction(() => !document.querySelector('[data-testid=generate]')?.hasAttribute('disabled')); // prettier-ignore
  await site.at('settings').click();
  const [gguf, text, decoder, tokenizer] = write(collected()) as [string, string, string, string];
  await site.at('own-files').setInputFiles([gguf, text, decoder]);
  await expect.poll(() => site.at('own-missing').innerText(), { timeout: 120_000 }).toContain('Tokenizer');
  expect(await site.at('own-use').isDisabled()).toBe(true);
  await site.at('own-files').setInputFiles([tokenizer]);
  await site.at('own-plan').waitFor({ timeout: 120_000 });
  expect(await site.at('own-sampling').inputValue()).toBe('wan');
  await site.at('own-sampling').selectOption('self-forcing');
  await site.at('own-size').selectOption('48 × 32');
  await expect.poll(() => site.at('own-use').isEnabled(), { timeout: 120_000 }).toBe(true);
  expect(await site.at('own-fits').innerText()).toMatch(/that can be counted on here/);
  expect(await use(site)).toMatchObject({ name: 'wan-1.3b', edition: 'self-forcing' });
  const mine = await site.generate();
  expect(mine).toMatchObject({ width: 48, height: 32, frames: 11 });
  expect(mine.recipe.model).toMatch(/^file-[0-9a-f]{16}$/);

  write(diffusersFolder());
  await site.at('settings').click();
  await site.at('own-folder').setInputFiles(join(folder, 'wan'));
  await expect.poll(() => site.at('own-findings').innerText(), { timeout: 120_000 }).toContain('index.json');
  await site.at('own-sampling').selectOption('self-forcing');
  await expect.poll(() => site.at('own-use').isEnabled(), { timeout: 120_000 }).toBe(true);
  expect((await use(site)).name).toBe('diffusion_pytorch_model.safetensors');
  expect((await site.generate()).frameHashes).toEqual(mine.frameHashes);
  expect(site.foreign).toEqual([]);
  expect(site.failures).toEqual([]);
  await site.close();
});
