/**
 * Models of our own origin: fetched once, kept in OPFS, checked at every load.
 *
 * In OPFS a model has a folder, models/<its address>/, with `model.json` and one file per weight file,
 * named by the SHA-256 of its content. So a file needs no temporary name and no mark of completeness: it
 * is checked against its name before every use, what a killed tab left half-written fails the check,
 * and two editions share what they have in common. `model.json` is written last. An earlier edition stays beside the
 * newest, with a model.json of another name, as long as a clip that was begun with it can be gone on with.
 *
 * Runs in a worker (sync access handles). Without OPFS, as in private windows, everything stays in memory.
 */
import { KinoraError } from '../errors';
import { Folder, openFolder } from './folder';
import { fetchFile, fetchManifest } from './download';
import { readModelManifest, type ModelFile, type ModelManifest } from './manifest';
import type { BackendKind } from '../worker/protocol/machine';
import type { ByteSource, WeightFile } from './source';

export interface OpenModelOptions {
  /** Whose files are needed: the checkpoint's (default), or the tokenizer and the ONNX export. */
  backend?: BackendKind;
  /** Once, before something is downloaded: bytes to fetch, and bytes that the browser offers (null: it does not say). */
  onPlan?: (plan: { bytes: number; free: number | null }) => void;
  /** Only while something is downloaded. Bytes of all files that must be; `file` is the present one. */
  onDownload?: (progress: { file: string; loaded: number; total: number }) => void;
  /** While the hash of a large downloaded file is taken. Bytes of that file. */
  onCheck?: (progress: { file: string; loaded: number; total: number }) => void;
  /** Called before any file is fetched. What it throws ends the opening. */
  onManifest?: (manifest: ModelManifest) => void;
  /** An edition that was here once, in place of the newest; nothing is swept then. */
  edition?: string | undefined;
  /** Which earlier editions stay here; default: none. */
  needed?: () => Promise<(manifest: ModelManifest) => boolean>;
  signal?: AbortSignal;
  /** For tests. Defaults: the global fetch; the origin's file system. */
  fetch?: typeof fetch;
  storage?: () => Promise<FileSystemDirectoryHandle>;
  estimate?: () => Promise<StorageEstimate>;
  wait?: (ms: number) => Promise<void>;
}

/** A model whose files are all here and are what model.json promised. */
export interface ModelFiles {
  manifest: ModelManifest;
  /** False: the next visit will download again. `problem` says why. */
  persisted: boolean;
  problem: string | null;
  /** True: model.json, or what it promises, could not be had or was not wanted, and one that is here is used. */
  offline: boolean;
  /** A file by its path in model.json. Throws `bad-model` for one that it does not list. */
  source(path: string): ByteSource;
  /** A small file whole, as JSON. */
  json(path: string): Promise<unknown>;
  /** A checkpoint that is more than one file, or that was opened already; else its source is read. */
  weights?(path: string): Promise<WeightFile>;
}

/**
 * Opens a model, downloading what is not here yet.
 * @param baseUrl absolute address of the folder of model.json, e.g. https://host/app/models/pocket/
 * @throws KinoraError `network`, `bad-model`, `hash-mismatch` (after a second try), `cancelled`; the first three only
 *   where nothing whole is here of an earlier visit; `storage`, naming it, for an edition that is to be had nowhere
 */
export async function openModel(baseUrl: string, options: OpenModelOptions = {}): Promise<ModelFiles> {
  const base = new URL(baseUrl.endsWith('/') ? baseUrl : `${baseUrl}/`);
  const lock = lockOf(base.pathname);
  const { signal } = options;
  // Two tabs at once: the second waits, and then finds everything there.
  const locks = (globalThis.navigator as Navigator | undefined)?.locks;
  if (!locks) return open(base, options);
  try {
    return await locks.request(lock, signal ? { signal } : {}, () => open(base, options));
  } catch (e) {
    if (signal?.aborted) throw new KinoraError('cancelled', 'Loading the model was cancelled.');
    throw e;
  }
}

/** Name of a model's folder below models/, by its address. */
export const folderName = (base: URL): string => encodeURIComponent(base.pathname);

/** The Web Lock of a model's folder, by the path of its address: who holds it may write there. */
export const lockOf = (path: string): string => `kinora ${path}`;

async function open(base: URL, options: OpenModelOptions): Promise<ModelFiles> {
  const folder = await openFolder(folderName(base), options.storage);
  const kept = await readKept(folder);
  const { edition } = options;
  if (edition !== undefined) {
    const known = [...(await readEditions(folder)).values()].find((manifest) => manifest.edition === edition);
    if (known) return collect(base, known, folder, options, true).catch(gone(edition));
  }
  let fetched: unknown;
  try {
    fetched = await fetchManifest(base, options);
  } catch (e) {
    if (!kept || isCode(e, 'cancelled')) throw e;
    return collect(base, kept, folder, options, true);
  }
  // A new edition that cannot be read, or not be had completely, must not take away the one that is here.
  let manifest: ModelManifest | null = null;
  try {
    manifest = readModelManifest(fetched);
    if (edition !== undefined && manifest.edition !== edition) return gone(edition)(null);
    return await collect(base, manifest, folder, options, false);
  } catch (e) {
    const theirs = isCode(e, 'bad-model') || isCode(e, 'network') || isCode(e, 'hash-mismatch');
    if (!kept || !theirs || (manifest && sameFiles(kept, manifest))) throw e;
    return collect(base, kept, folder, options, true).catch((again: unknown) => {
      throw isCode(again, 'cancelled') ? again : e;
    });
  }
}

/** Finds or fetches every file, then keeps the manifest and removes what it does not name. */
async function collect(
  base: URL,
  manifest: ModelManifest,
  folder: Folder,
  options: OpenModelOptions,
  offline: boolean,
): Promise<ModelFiles> {
  options.onManifest?.(manifest);
  const sources = await gather(base, neededFiles(manifest, options.backend), folder, options);
  if (!offline) await commit(folder, manifest, options);
  return {
    manifest,
    persisted: folder.problem === null,
    problem: folder.problem,
    offline,
    source: (path) => getSource(sources, path),
    async json(path) {
      const source = getSource(sources, path);
      const bytes = await source.read(0, source.size);
      try {
        return JSON.parse(new TextDecoder().decode(bytes));
      } catch (e) {
        throw new KinoraError('bad-model', `${path} is not JSON.`, { file: path }, String(e));
      }
    },
  };
}

const allFiles = ({ files, onnx }: ModelManifest): ModelFile[] => [...files, ...(onnx?.files ?? [])];

/** Makes this the edition that is here; of others, those stay that are needed. */
async function commit(
  folder: Folder,
  manifest: ModelManifest,
  { needed }: Pick<OpenModelOptions, 'needed'>,
): Promise<void> {
  const isNeeded = (await needed?.()) ?? (() => false);
  const earlier = [...(await readEditions(folder))].filter(([, one]) => one.edition !== manifest.edition && isNeeded(one)); // prettier-ignore
  await folder.commit(
    JSON.stringify(manifest),
    allFiles(manifest),
    new Map(earlier.map(([text, one]) => [text, allFiles(one)])),
  );
}

/** Removes earlier editions that are not needed any more, unless somebody is at the model's folder: the next load does it. */
export async function sweepEditions(
  baseUrl: string,
  options: Required<Pick<OpenModelOptions, 'needed'>> & Pick<OpenModelOptions, 'storage'>,
): Promise<void> {
  const base = new URL(baseUrl);
  const sweep = async () => {
    const folder = await openFolder(folderName(base), options.storage);
    const kept = (await folder.readEarlier()).length > 0 && (await readKept(folder));
    if (kept) await commit(folder, kept, options);
  };
  const locks = (globalThis.navigator as Navigator | undefined)?.locks;
  if (!locks) return sweep();
  await locks.request(lockOf(base.pathname), { ifAvailable: true }, (lock) => (lock ? sweep() : undefined));
}

/** Of an edition that is not here whole, and that the host has not either. */
const gone = (edition: string) => (e: unknown) => {
  if (isCode(e, 'cancelled')) throw e;
  throw new KinoraError(
    'storage',
    `The edition of the model that this clip was begun with (${edition}) is not in this browser any more, and its host has another. The clip can only be made anew.`,
    { edition },
    String(e ?? ''),
  );
};

/** Finds the files in the folder, and fetches into it what is missing. By their paths. */
async function gather(
  base: URL,
  files: readonly ModelFile[],
  folder: Folder,
  options: FetchingOptions,
): Promise<Map<string, ByteSource>> {
  const sources = new Map<string, ByteSource>();
  const missing: ModelFile[] = [];
  for (const file of files) {
    const kept = await folder.find(file);
    if (kept) sources.set(file.path, kept);
    else missing.push(file);
  }
  const fetched = await fetchMissing(missing, ({ path }) => new URL(path, base), folder, options);
  for (const [path, source] of fetched) sources.set(path, source);
  return sources;
}

type FetchingOptions = Omit<OpenModelOptions, 'backend' | 'onManifest' | 'storage'>;

/** Fetches files that are not here, after a look whether there is room. By their paths. */
export async function fetchMissing<F extends ModelFile>(
  missing: readonly F[],
  addressOf: (file: F) => URL,
  folder: Folder,
  options: FetchingOptions,
): Promise<Map<string, ByteSource>> {
  const sources = new Map<string, ByteSource>();
  const total = missing.reduce((sum, file) => sum + file.bytes, 0);
  if (total > 0) await makePlan(missing, total, folder, options);
  let before = 0;
  for (const file of missing) {
    const onBytes = (n: number) => options.onDownload?.({ file: file.path, loaded: before + n, total });
    const onCheck = (n: number) => options.onCheck?.({ file: file.path, loaded: n, total: file.bytes });
    sources.set(file.path, await fetchFile(addressOf(file), file, folder, { ...options, onBytes, onCheck }));
    before += file.bytes;
  }
  return sources;
}

/** Bytes that the browser offers still; null: it does not say. */
export async function freeBytes(ask?: () => Promise<StorageEstimate>): Promise<number | null> {
  ask ??= async () => navigator.storage.estimate();
  const { quota, usage } = await ask().catch((): StorageEstimate => ({}));
  return quota === undefined || usage === undefined ? null : Math.max(0, quota - usage);
}

/** Looks whether there is room before anything is fetched. Where there is not, files stay in memory. */
async function makePlan(
  missing: readonly ModelFile[],
  total: number,
  folder: Folder,
  options: Pick<OpenModelOptions, 'estimate' | 'onPlan'>,
): Promise<void> {
  const free = await freeBytes(options.estimate);
  options.onPlan?.({ bytes: total, free });
  if (free === null) return;
  // What an earlier download left of them is counted as used already.
  const here = await Promise.all(missing.map((file) => folder.size(file)));
  const room = free + here.reduce<number>((sum, n) => sum + (n ?? 0), 0);
  if (room < total) folder.fail(`QuotaExceededError: ${total} bytes are needed, the browser offers ${room}`);
}

function neededFiles(
  { files, onnx, components }: ModelManifest,
  backend: BackendKind = 'webgpu',
): ModelFile[] {
  if (backend === 'webgpu') return files;
  return [...files.filter(({ path }) => path === components.tokenizer.file), ...(onnx?.files ?? [])];
}

function getSource(sources: ReadonlyMap<string, ByteSource>, path: string): ByteSource {
  const source = sources.get(path);
  if (!source) throw new KinoraError('bad-model', `model.json lists no file "${path}".`, { file: path });
  return source;
}

/** Every edition of which something is here, the newest included, by the text of its model.json. */
async function readEditions(folder: Folder): Promise<Map<string, ModelManifest>> {
  const editions = new Map<string, ModelManifest>();
  for (const text of [await folder.readManifest(), ...(await folder.readEarlier())])
    try {
      if (text !== null) editions.set(text, readModelManifest(JSON.parse(text)));
    } catch {
      // an older format, or damaged: as good as none
    }
  return editions;
}

/** The last good model.json, if there is one. */
async function readKept(folder: Folder): Promise<ModelManifest | null> {
  try {
    const text = await folder.readManifest();
    return text === null ? null : readModelManifest(JSON.parse(text));
  } catch {
    return null; // an older format, or damaged: as good as none
  }
}

function sameFiles(a: ModelManifest, b: ModelManifest): boolean {
  const hashes = (m: ModelManifest) =>
    m.files
      .map((f) => f.sha256)
      .sort()
      .join();
  return hashes(a) === hashes(b);
}

function isCode(e: unknown, code: KinoraError['code']): boolean {
  return e instanceof KinoraError && e.code === code;
}
