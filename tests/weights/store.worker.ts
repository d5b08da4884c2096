/** src/weights/store in a worker with the browser's own OPFS, as the engine uses it. */
import { openModel } from '../../src/weights/store';

export interface StoreReport {
  first: Visit;
  second: Visit;
  offline: Visit;
  /** After a byte of the file was flipped on the disk. */
  mended: Visit;
  names: string[];
}

interface Visit {
  persisted: boolean;
  problem: string | null;
  offline: boolean;
  asked: string[];
  /** The autoencoder's bytes are right. */
  intact: boolean;
}

const BASE = 'https://kinora.example/models/test/';
const data = Uint8Array.from({ length: 3_000_000 }, (_, i) => (i * 7) % 251);
const digest = await crypto.subtle.digest('SHA-256', data);
const sha256 = Array.from(new Uint8Array(digest), (b) => b.toString(16).padStart(2, '0')).join('');

async function visit(manifest: object, online: boolean): Promise<Visit> {
  const asked: string[] = [];
  const fetch = async (url: URL | RequestInfo) => {
    const path = String(url).slice(BASE.length);
    asked.push(path);
    if (!online) throw new TypeError('offline');
    return path === 'model.json' ? Response.json(manifest) : new Response(data);
  };
  const { source, persisted, problem, offline } = await openModel(BASE, { fetch });
  const file = source('taehv.safetensors');
  const bytes = await file.read(0, file.size);
  const intact = bytes.length === data.length && bytes.every((b, i) => b === data[i]);
  return { persisted, problem, offline, asked, intact };
}

async function work(manifest: object): Promise<StoreReport> {
  const first = await visit(manifest, true);
  const second = await visit(manifest, true);
  const offline = await visit(manifest, false);
  const models = await (await navigator.storage.getDirectory()).getDirectoryHandle('models');
  const folder = await models.getDirectoryHandle(encodeURIComponent('/models/test/'));
  const handle = await (await folder.getFileHandle(sha256)).createSyncAccessHandle();
  handle.write(new Uint8Array([255]), { at: 1000 });
  handle.close();
  const mended = await visit(manifest, true);
  const names: string[] = [];
  for await (const name of folder.keys()) names.push(name);
  await models.removeEntry(encodeURIComponent('/models/test/'), { recursive: true });
  return { first, second, offline, mended, names: names.sort() };
}

onmessage = ({ data: manifest }: MessageEvent<{ files: object[] }>) => {
  const files = [{ path: 'taehv.safetensors', bytes: data.length, sha256 }];
  work({ ...manifest, files }).then(postMessage, (e) => postMessage({ error: String(e) }));
};
postMessage({ ready: sha256 });
