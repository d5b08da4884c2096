/** A file that is not the promised one: damaged, or of a newer edition that the site has by now. */
import { flushSync, mount, unmount } from 'svelte';
import { expect, test, vi } from 'vitest';
import { userEvent } from 'vitest/browser';
import { bareApp } from './bare';
import NoticesHarness from './NoticesHarness.svelte';

const at = (id: string) => document.querySelector<HTMLElement>(`[data-testid=${id}]`);

test('files of a newer edition are said to be that, and the edition is a press away', async () => {
  const app = bareApp();
  const shown = mount(NoticesHarness, { target: document.body, props: { app } });
  app.studio.error = {
    code: 'hash-mismatch',
    message: 'a.gguf is not the file that was promised.',
  };
  flushSync();
  expect(at('error')!.innerText).toContain('is not the file that was promised');
  expect(at('outdated')).toBeNull();

  const accept = vi.spyOn(app, 'acceptUpdate').mockResolvedValue();
  app.offline.update = true;
  flushSync();
  expect(at('error')!.innerText).toContain('The site has a newer edition by now');
  await userEvent.click(at('outdated')!);
  expect(accept).toHaveBeenCalledOnce();
  await unmount(shown);
});
