/**
 * A clip from its request to its files: what is known of it already (an interrupted clip, an earlier one that begins
 * alike, a picture) and the journal that it leaves behind. The making itself is generate.ts.
 */
import { KinoraError } from '../errors';
import type { Clip, GenerateEvent, GenerateRequest, Recipe } from '../worker/protocol/clip';
import type { Latents, Model } from './backend';
import { encodeFootage, encodePicture } from './footage';
import { generate, type GenerateOptions, type KnownBlocks } from './generate';
import { generateSafely, type RecoverOptions } from './recover';
import { Journal, makeId, plainRequest } from './journal';
import type { OpenOutput } from './output';
import { openRecords, writeRecord, type Records } from './records';
import { scaleOf } from './draft';
import { fittingBits, isRefusal } from './memory-plan';
import { seeing, windowOf } from './window';
import { Storyline } from './storyline';

export interface SessionOptions extends Pick<RecoverOptions, 'reopen' | 'isLost' | 'openOutput'> {
  emit: (event: GenerateEvent) => void;
  isCancelled: () => boolean;
  /** The person wants to go on later: what is cancelled is then kept. */
  isPaused: () => boolean;
  steer: () => string | null;
}

/** Makes a clip, or goes on with one. Throws a KinoraError; `paused` when it can be gone on with. */
export async function makeClip(model: Model, asked: GenerateRequest, options: SessionOptions): Promise<Clip> {
  const journal = asked.resume === undefined ? null : await Journal.resume(asked.resume);
  return journal ? goOn(model, journal, options) : begin(model, asked, options);
}

async function goOn(model: Model, journal: Journal, options: SessionOptions): Promise<Clip> {
  const { state, known, source } = journal;
  const { id, edition } = model.manifest;
  try {
    if (state.model !== id || state.edition !== edition || state.backend !== model.backend)
      throw new KinoraError(
        'bad-request',
        `This clip was begun with ${state.model} ${state.edition} on ${state.backend}, but ${id} ${edition} on ${model.backend} is loaded.`,
        { field: 'model', found: `${state.model} ${state.edition}` },
      );
    const { request } = state;
    const { strength } = request;
    const remix = source && strength ? { strength, source: blocksOf(await openRecords(source)) } : undefined;
    return await run(model, request, journal, options, { known: blocksOf(known), remix, firstSize: firstSizeOf(model, known) }); // prettier-ignore
  } catch (e) {
    journal.close();
    throw e;
  }
}

async function begin(model: Model, wish: GenerateRequest, options: SessionOptions): Promise<Clip> {
  const { request: asked, extra, remixed } = await gather(model, wish, options);
  const { id, edition } = model.manifest;
  const state = {
    id: makeId(),
    request: plainRequest(asked),
    ...{ model: id, edition, backend: model.backend, created: new Date().toISOString(), blocks: 0 },
  };
  state.blocks = lineOf(model, state.request, extra.firstSize).plan.blocks.length;
  const journal = await Journal.begin(state, remixed);
  return run(model, asked, journal, options, extra);
}

/** What a clip is made of besides words. */
interface Material {
  /** As it was asked for, and what its recipe has to say of this. */
  request: GenerateRequest;
  extra: Partial<GenerateOptions>;
  /** Latents of what is remixed. */
  remixed: Blob | null;
}

async function gather(model: Model, asked: GenerateRequest, options: SessionOptions): Promise<Material> {
  const { source, picture, footage, of } = asked;
  const plain = { request: asked, extra: {}, remixed: null };
  if (picture) {
    const latents = await encodePicture(model, asked);
    const known = { count: 1, read: async () => latents };
    return { ...plain, request: { ...asked, begins: 'picture' }, extra: { known, firstSize: 1 } };
  }
  if (footage) {
    const { blocks, seconds } = await encodeFootage(model, asked, options.isCancelled);
    const request: GenerateRequest = { ...asked, begins: 'video' };
    if (footage.use === 'remix') return remixOf(request, await asRecords(model, blocks));
    const known = { count: blocks.length, read: async (index: number) => blocks[index]!.slice() };
    // Nothing is said of what is there already: its words are never read.
    const prompt = `[${Math.round(seconds * 100) / 100}s] …\n${asked.prompt}`;
    return { ...plain, request: { ...request, prompt, seconds: seconds + asked.seconds }, extra: { known } };
  }
  if (source && source.use !== 'remix') {
    const records = await openRecords(source.latents);
    const count = commonBlocks(model, asked, source.recipe, records, source.use);
    if (count === 0) return plain;
    // Where other settings made the beginning, or a remix did, those of now alone do not make it again.
    const mine = commonBlocks(model, asked, source.recipe, records) === count;
    const lost = source.recipe.begins ?? (mine ? undefined : 'clip');
    const { crop } = source.recipe;
    const known = { ...blocksOf(records), count };
    return { ...plain, request: { ...asked, ...(lost && { begins: lost }), ...(crop !== undefined && { crop }) }, extra: { known, firstSize: firstSizeOf(model, records) } }; // prettier-ignore
  }
  if (source) {
    checkSameSize(model, asked, source.recipe);
    // What cannot be made again makes a recipe that cannot, either.
    const { begins } = source.recipe;
    const request: GenerateRequest = begins ? { ...asked, begins } : { ...asked, of: source.recipe };
    return remixOf(request, source.latents);
  }
  if (!of) return plain;
  checkSameSize(model, asked, of);
  return remixOf(asked, await asRecords(model, await makeAgain(model, of, options)));
}

async function remixOf(request: GenerateRequest, latents: Blob): Promise<Material> {
  const { strength } = request;
  if (!(typeof strength === 'number' && strength > 0 && strength <= 1))
    throw new KinoraError('bad-request', `strength must be a number above 0 and up to 1, but it is ${strength}.`, { field: 'strength', found: String(strength) }); // prettier-ignore
  const records = await openRecords(latents);
  return { request, extra: { remix: { strength, source: blocksOf(records) } }, remixed: latents };
}

/** Blocks as a file of latents; see records.ts. */
async function asRecords({ manifest }: Model, blocks: readonly Latents[]): Promise<Blob> {
  const size = manifest.sampler.num_frame_per_block;
  return new Blob(await Promise.all(blocks.map((latents) => writeRecord({ text: '', latents, size }))));
}

/** The latents of a clip of which only the recipe is left: it is made once more, for nobody to see. */
async function makeAgain(model: Model, recipe: Recipe, options: SessionOptions): Promise<Latents[]> {
  const { draft, ...settings } = recipe;
  const request: GenerateRequest = draft ? { ...settings, ...draft, draft: true } : settings;
  const { request: full, extra } = await gather(model, request, options);
  const blocks: Latents[] = [];
  await generate(model, full, {
    ...extra,
    emit: (event) => event.type === 'progress' && options.emit(event),
    isCancelled: options.isCancelled,
    openOutput: unseen,
    keep: async (_block, latents) => void blocks.push(latents.slice()),
  });
  return blocks;
}

const unseen: OpenOutput = async () => ({
  write: async () => {},
  finish: async () => ({ mp4: new Blob(), poster: new Blob(), codec: '', frameHashes: [], seam: null }),
  abort: () => {},
});

async function run(
  model: Model,
  request: GenerateRequest,
  journal: Journal | null,
  { isPaused, ...options }: SessionOptions,
  extra: Partial<GenerateOptions>,
): Promise<Clip> {
  const kept = journal?.known.count ?? 0;
  if (journal) options.emit({ type: 'journal', id: journal.state.id });
  let full = false;
  let now = request;
  try {
    const clip = await generateSafely(model, request, {
      ...options,
      ...extra,
      ...(journal && { id: journal.state.id, kept: async () => blocksOf(await journal.reread()) }),
      changed: async (change, block) => {
        now = { ...now, ...change };
        await journal?.change(block, change);
      },
      keep: async (block, latents, text) => {
        if (!journal || block.index < kept || (await journal.add(block, latents, text)) || full) return;
        full = true;
        options.emit({ type: 'full' });
      },
    });
    return { ...clip, latents: (await journal?.finish()) ?? null };
  } catch (e) {
    const code = e instanceof KinoraError ? e.code : 'internal';
    const paused = code === 'cancelled' && isPaused();
    if (paused && journal) await keepPaused(model, journal, now, { ...options, firstSize: extra.firstSize });
    journal?.close();
    if (paused && journal) throw new KinoraError('paused', 'The clip was paused.', { id: journal.state.id });
    // A clip that was not wanted, or cannot be, is forgotten; any other can be gone on with.
    const vain = ['cancelled', 'bad-request', 'not-finite'].includes(code) || (isRefusal(e) && kept === 0);
    if (journal && vain) await journal.drop();
    throw e;
  }
}

/** What was said in the block that a pause broke off is taken up when the clip goes on. */
async function keepPaused(
  model: Model,
  journal: Journal,
  now: GenerateRequest,
  { steer, firstSize }: Pick<SessionOptions, 'steer'> & Pick<GenerateOptions, 'firstSize'>,
): Promise<void> {
  await journal.pause();
  const text = steer();
  if (!text) return;
  const { count } = await journal.reread();
  const line = lineOf(model, now, firstSize);
  try {
    // The first block follows the words that the clip was begun with.
    line.steer(text, Math.max(1, count));
  } catch {
    return; // what cannot be told changes nothing
  }
  await journal.change(count, { prompt: line.text });
}

const blocksOf = (records: Records): KnownBlocks => ({
  count: records.count,
  read: async (index) => (await records.read(index)).latents,
});

/** A clip that began with a picture has a shorter first block. */
function firstSizeOf(model: Model, { sizes }: Pick<Records, 'sizes'>): number | undefined {
  const [first] = sizes;
  return first === model.manifest.sampler.num_frame_per_block ? undefined : first;
}

function lineOf(
  { manifest }: Model,
  { prompt, seconds, loop }: Pick<Recipe, 'prompt' | 'seconds' | 'loop'>,
  first?: number,
): Storyline {
  // prettier-ignore
  const { fps, latent, sampler } = manifest;
  return new Storyline(prompt, seconds, { fps, perBlock: sampler.num_frame_per_block, stride: latent.stride[0], loop, first }); // prettier-ignore
}

/**
 * How many blocks of an earlier clip are taken over. again: those that would come out the same, by settings and, from the
 * beginning, words. extend: those of the same words; whatever settings made them, they stay.
 */
export function commonBlocks(
  model: Model,
  asked: GenerateRequest,
  earlier: Recipe,
  { count, sizes }: Pick<Records, 'count' | 'sizes'>,
  use: 'again' | 'extend' = 'again',
): number {
  // prettier-ignore
  const scale = scaleOf(asked, model.grid, model.manifest.sizes);
  const settings = ({ completed, seed, window, sink, loop, guidance, negative, shift, strength }: GenerateRequest | Recipe) => [completed, seed, window, sink, loop ?? false, guidance, negative, shift, strength]; // prettier-ignore
  const bits = () => fittingBits(seeing(model.manifest, windowOf(model.manifest, asked)), scale, model.room, asked.cacheBits); // prettier-ignore
  const same =
    JSON.stringify(settings(asked)) === JSON.stringify(settings(earlier)) &&
    scale.width === earlier.width &&
    scale.height === earlier.height &&
    scale.steps === earlier.steps &&
    scale.final.width === (earlier.draft ?? earlier).width &&
    scale.final.height === (earlier.draft ?? earlier).height &&
    earlier.model === model.manifest.id &&
    earlier.edition === model.manifest.edition &&
    earlier.strength === undefined &&
    bits() === (earlier.cacheBits ?? 16);
  if (use === 'extend') checkSameSize(model, asked, earlier);
  else if (!same) return 0;
  const first = firstSizeOf(model, { sizes });
  const [mine, theirs] = [lineOf(model, asked, first), lineOf(model, earlier, first)];
  const story = (line: Storyline, index: number) => {
    const block = line.plan.blocks[index];
    return block && JSON.stringify([line.shots[block.shot]!.prompt, block.enter, block.size]);
  };
  let common = 0;
  const most = Math.min(count, mine.plan.blocks.length);
  while (common < most && story(mine, common) === story(theirs, common)) common++;
  // The last block of a loop is not like the others.
  return asked.loop && mine.plan.blocks.length !== theirs.plan.blocks.length ? Math.min(common, theirs.plan.blocks.length - 1) : common; // prettier-ignore
}

function checkSameSize(model: Model, asked: GenerateRequest, source: Recipe): void {
  const { width, height } = scaleOf(asked, model.grid, model.manifest.sizes);
  if (source.model === model.manifest.id && width === source.width && height === source.height) return;
  throw new KinoraError(
    'bad-request',
    `The clip is ${source.width} × ${source.height} of ${source.model}; only the same size and model can be extended or remixed.${asked.draft ? ' This would be a draft: switch that off.' : ''}`,
    { field: 'size', found: `${source.width} × ${source.height}` },
  );
}
