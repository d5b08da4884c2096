/**
 * Begins a worker in such a way that it has a content policy, whatever host and browser do. A worker has the policy that
 * its own script came with, from the host or from the service worker. Where it came with none (a plain host, and no
 * service worker yet, or none at all), the worker begins as a blob and inherits the page's, which stands in a <meta>.
 */
import { policyFor } from '../policy';
import { inheriting, scriptAddress } from '../trusted';

/** Scripts that came with our policy. */
const fenced = new Set<string>();

/** Whether the script at this address comes with the policy that is meant for it. */
async function isFenced(address: string): Promise<boolean> {
  if (fenced.has(address)) return true;
  const answer = await fetch(address);
  await answer.arrayBuffer(); // whole, so that the browser has it for the worker
  const policy = answer.headers.get('Content-Security-Policy') ?? '';
  if (!policy.includes(policyFor(new URL(address).pathname))) return false;
  fenced.add(address);
  return true;
}

/**
 * A module worker with a content policy.
 * @param otherwise where its script comes with none: the page's is inherited, or (of a worker that may do what the page
 *   may not) there is no worker
 * @param built the dev server knows no policies
 */
export async function beginWorker(
  address: string,
  name: string,
  otherwise: 'inherit' | 'none' = 'inherit',
  built = import.meta.env.PROD,
): Promise<Worker | null> {
  const script = new URL(address, document.baseURI).href;
  const options = { type: 'module', name } as const;
  if (!built || (await isFenced(script))) return new Worker(scriptAddress(script), options);
  return otherwise === 'none' ? null : new Worker(inheriting(script), options);
}
