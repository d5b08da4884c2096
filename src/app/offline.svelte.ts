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
  #letThrough!: () => void;
  readonly #guard = new Promise<void>((resolve) => (this.#letThrough = resolve));

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

  /**
   * Resolves when workers that are begun from now on get their content policy: at once where the host sets headers, else
   * when the service worker has taken the page over, which at a first visit takes as long as it needs to fetch the shell.
   * Also when there is none to wait for, or it takes too long.
   * @param most milliseconds
   */
  guarded(most = 60_000, isolated = globalThis.crossOriginIsolated): Promise<void> {
    if (isolated || this.state === 'none') return Promise.resolve();
    return Promise.race([this.#guard, new Promise<void>((resolve) => setTimeout(resolve, most))]);
  }

  async #register(container: ServiceWorkerContainer): Promise<ServiceWorker | null> {
    try {
      const registration = await container.register(scriptAddress('./sw.js'), { scope: './' });
      const coming = registration.installing ?? registration.waiting;
      if (container.controller || !coming) this.#letThrough();
      container.addEventListener('controllerchange', () => this.#letThrough(), { once: true });
      coming?.addEventListener('statechange', () => coming.state === 'redundant' && this.#letThrough());
      return (await container.ready).active;
    } catch {
      this.state = 'none';
      this.#letThrough();
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
