/**
 * What a browser holds while it makes a clip: the JavaScript heaps of the page and of the engine's worker, garbage
 * collected first (what waits for the collector says when it last came, not what is held), and the memory of the
 * browser's own processes, in bytes; and the processor time that these have taken, in seconds. Null for what this
 * browser or system does not tell.
 */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

/** Milliseconds that a worker is given to answer; one that computes WebAssembly is deaf for a whole network. */
const PATIENCE = 5000;

/**
 * Resident memory of processes, in bytes, by id. What processes share counts in each of them.
 * @param ids process ids
 */
async function residentBytes(ids) {
  if (process.platform === 'win32' || ids.length === 0) return new Map();
  if (process.platform === 'linux') {
    const read = ids.map(async (id) => {
      const status = await readFile(`/proc/${id}/status`, 'utf8').catch(() => '');
      const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1];
      return [id, kilobytes === undefined ? null : Number(kilobytes) * 1024];
    });
    return new Map((await Promise.all(read)).filter(([, bytes]) => bytes !== null));
  }
  const { stdout } = await promisify(execFile)('ps', ['-o', 'pid=,rss=', '-p', ids.join()]).catch(() => ({
    stdout: '',
  }));
  const lines = stdout.trim().split('\n').map((line) => line.trim().split(/\s+/).map(Number)); // prettier-ignore
  return new Map(lines.filter(([id]) => id > 0).map(([id, kilobytes]) => [id, kilobytes * 1024]));
}

/** Objects, and the buffers behind typed arrays where the browser counts them. */
const usedBytes = ({ usedSize, backingStorageSize = 0 }) => usedSize + backingStorageSize;
const [COLLECT, TELL] = ['HeapProfiler.collectGarbage', 'Runtime.getHeapUsage'];

/** Speaks to the page's dedicated workers through the page's own session. */
class Workers {
  #session;
  #collect;
  #open = new Map();
  #waiting = new Map();
  #next = 1;

  constructor(session, collect) {
    this.#session = session;
    this.#collect = collect;
    session.on('Target.attachedToTarget', ({ sessionId, targetInfo }) => {
      if (targetInfo.type === 'worker') this.#open.set(sessionId, targetInfo.targetId);
    });
    session.on('Target.detachedFromTarget', ({ sessionId }) => this.#open.delete(sessionId));
    session.on('Target.receivedMessageFromTarget', ({ message }) => {
      const { id, result } = JSON.parse(message);
      this.#waiting.get(id)?.(result ?? null);
      this.#waiting.delete(id);
    });
  }

  watch() {
    return this.#session.send('Target.setAutoAttach', {
      autoAttach: true,
      waitForDebuggerOnStart: false,
      flatten: false,
    });
  }

  /** Bytes of JavaScript in all workers; null where none answers. */
  async heap() {
    const answers = await Promise.all(
      [...this.#open.keys()].map(
        async (id) => (!this.#collect || (await this.#ask(id, COLLECT))) && this.#ask(id, TELL),
      ),
    );
    const known = answers.filter(Boolean);
    return known.length === 0 ? null : known.reduce((sum, usage) => sum + usedBytes(usage), 0);
  }

  #ask(sessionId, method) {
    const id = this.#next++;
    return new Promise((answered) => {
      this.#waiting.set(id, answered);
      setTimeout(() => {
        this.#waiting.delete(id);
        answered(null);
      }, PATIENCE).unref();
      this.#session
        .send('Target.sendMessageToTarget', { sessionId, message: JSON.stringify({ id, method }) })
        .catch(() => answered(null));
    });
  }
}

/**
 * Watches a page of a Chromium that playwright drives; to be called before the page is opened.
 * @param options `collect` false: garbage counts, for that what is taken at most is wanted
 * @returns a function that tells what is in use now: `{ page, worker, processes }`; `processes` has the resident memory
 *   of the processes by what they are ("browser", "GPU", "renderer", …)
 */
export async function watchMemory(page, { collect = true } = {}) {
  const session = await page.context().newCDPSession(page);
  const workers = new Workers(session, collect);
  await workers.watch();
  const browser = await page.context().browser()?.newBrowserCDPSession().catch(() => null); // prettier-ignore
  return async () => {
    if (collect) await session.send(COLLECT).catch(() => null);
    const own = await session.send(TELL).catch(() => null);
    const info = await browser?.send('SystemInfo.getProcessInfo').catch(() => null);
    const found = info?.processInfo ?? [];
    const bytes = await residentBytes(found.map(({ id }) => id));
    const processes = {};
    for (const { type, id } of found)
      if (bytes.has(id)) processes[type] = (processes[type] ?? 0) + bytes.get(id);
    return {
      page: own && usedBytes(own),
      worker: await workers.heap(),
      processes: Object.keys(processes).length > 0 ? processes : null,
    };
  };
}

/**
 * Watches the processor time of a Chromium that playwright drives. It answers at once, whatever the page is busy with.
 * @returns a function that tells the seconds that all its processes have taken since they were started, or null
 */
export async function watchProcessorTime(page) {
  const browser = await page.context().browser()?.newBrowserCDPSession().catch(() => null); // prettier-ignore
  return async () => {
    const info = await browser?.send('SystemInfo.getProcessInfo').catch(() => null);
    return info ? info.processInfo.reduce((sum, { cpuTime }) => sum + cpuTime, 0) : null;
  };
}
