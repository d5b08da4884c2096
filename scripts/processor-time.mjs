/**
 * Processor time of a browser. Where a software adapter computes, it is what a kernel costs, and other work on the
 * machine does not count in it.
 */
import { readdir, readFile } from 'node:fs/promises';

/** Nanoseconds that a process's living threads have run; null where the system does not tell (it is Linux that does). */
async function nanosecondsOf(pid) {
  try {
    const threads = await readdir(`/proc/${pid}/task`);
    const times = threads.map((thread) =>
      readFile(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').then(
        (text) => Number(text.split(' ')[0]),
        () => 0, // it has just ended
      ),
    );
    return (await Promise.all(times)).reduce((a, b) => a + b, 0);
  } catch {
    return null;
  }
}

/**
 * @param browser of playwright
 * @returns a function that tells the seconds that its processes have run: to the nanosecond on Linux, elsewhere as
 *   Chromium tells (to a hundredth of a second)
 */
export async function processorTimeOf(browser) {
  const session = await browser.newBrowserCDPSession();
  return async () => {
    const { processInfo } = await session.send('SystemInfo.getProcessInfo');
    const exact = await Promise.all(processInfo.map(({ id }) => nanosecondsOf(id)));
    return processInfo.reduce(
      (sum, { cpuTime }, i) => sum + (exact[i] === null ? cpuTime : exact[i] / 1e9),
      0,
    );
  };
}
