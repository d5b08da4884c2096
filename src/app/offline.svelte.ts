/**
 * The page without a network, and new editions of it: talks to the service worker (src/sw.ts). What is served is
 * what the person agreed to; `update` says that something newer waits.
 */
import type { Order, Versions } from '../sw';
import { scriptAddress } from '../trusted';

export class Offline {
  /** `ready`: everything that this visit needed is kept; the network may go. */
  state = $state<'unknown' | 'none' | 'keeping' | 'ready'>('unknown');
  /** A newer edition waits for the person's yes. */
  update = $state(false);
  #ready: Promise<ServiceWorker | null> | null = null;

  /** Registers the service worker. Without one (private windows, plain http) the page works as before. */
  start(container: ServiceWorkerContainer | undefined = globalThis.navigator?.serviceWorker): void {
    if (this.#ready) return;
    if (!container) {
      this.state = 'none';
      return;
    }
    this.#ready = this.#register(container);
    container.addEventListener('controllerchange', () => void this.#look());
  }

  async #register(container: ServiceWorkerContainer): Promise<ServiceWorker | null> {
    try {
      await container.register(scriptAddress('./sw.js'), { scope: './' });
      return (await container.ready).active;
    } catch {
      this.state = 'none';
      return null;
    } finally {
      void this.#look();
    }
  }

  /** Keeps what this visit needed besides the shell: small files of the model, the CPU backend's libraries. */
  async keep(files: string[], runtime: boolean): Promise<void> {
    if (this.state === 'none') return;
    this.state = 'keeping';
    const done = await this.#tell({ order: 'keep', files, runtime });
    this.state = done === true ? 'ready' : 'none';
  }

  /** The person agrees: the next page is the newest. True when it may be opened. */
  async accept(): Promise<boolean> {
    return (await this.#tell({ order: 'update' })) === true;
  }

  async #look(): Promise<void> {
    const versions = (await this.#tell({ order: 'versions' })) as Versions | null;
    if (versions) this.update = versions.agreed !== versions.newest;
  }

  /** Null when there is nobody, or no answer. */
  async #tell(order: Order): Promise<unknown> {
    await this.#ready;
    const registration = await navigator.serviceWorker?.getRegistration();
    const worker = registration?.active;
    if (!worker) return null;
    const { port1, port2 } = new MessageChannel();
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(null), 120_000);
      port1.onmessage = ({ data }: MessageEvent<{ value?: unknown }>) => {
        clearTimeout(timer);
        port1.close();
        resolve(data.value ?? null);
      };
      worker.postMessage(order, [port2]);
    });
  }
}
