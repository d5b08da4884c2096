/**
 * A clip from its request to its files: what is known of it already (an interrupted clip, an earlier one that begins
 * alike, a picture) and the journal that it leaves behind. The making itself is generate.ts.
 */
import { KinoraError } from '../errors';
import type { Clip, GenerateEvent, GenerateRequest, Recipe } from '../worker/protocol';
import type { Latents, Model } from './backend';
import type { GenerateOptions, KnownBlocks } from './generate';
import { generateSafely, type RecoverOptions } from './recover';
import { Journal, makeId, plainRequest } from './journal';
import { openRecords, type Records } from './records';
import { scaleOf } from './draft';
import { Storyline } from './storyline';

export interface SessionOptions extends Pick<RecoverOptions, 'reopen' | 'isLost'> {
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
    const last = known.count > 0 ? await known.read(known.count - 1) : null;
    const request = { ...state.request, ...(last && { prompt: last.text }) };
    const { strength } = request;
    const remix = source && strength ? { strength, source: blocksOf(await openRecords(source)) } : undefined;
    return await run(model, request, journal, options, { known: blocksOf(known), remix, firstSize: firstSizeOf(model, known) }); // prettier-ignore
  } catch (e) {
    journal.close();
    throw e;
  }
}

async function begin(model: Model, asked: GenerateRequest, options: SessionOptions): Promise<Clip> {
  const { source, picture } = asked;
  const extra: Partial<GenerateOptions> = {};
  let remixed: Blob | null = null;
  if (picture) {
    const latents = await encodePicture(model, asked);
    extra.known = { count: 1, read: async () => latents };
    extra.firstSize = 1;
  } else if (source?.use === 'again') {
    const records = await openRecords(source.latents);
    extra.known = { ...blocksOf(records), count: commonBlocks(model, asked, source.recipe, records) };
    extra.firstSize = firstSizeOf(model, records);
  } else if (source) {
    const { strength } = asked;
    if (!(typeof strength === 'number' && strength > 0 && strength <= 1))
      throw new KinoraError('bad-request', `strength must be a number above 0 and up to 1, but it is ${strength}.`, { field: 'strength', found: String(strength) }); // prettier-ignore
    checkSameSize(model, asked, source.recipe);
    remixed = source.latents;
    extra.remix = { strength, source: blocksOf(await openRecords(remixed)) };
  }
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

async function run(
  model: Model,
  request: GenerateRequest,
  journal: Journal | null,
  { isPaused, ...options }: SessionOptions,
  extra: Partial<GenerateOptions>,
): Promise<Clip> {
  const kept = journal?.known.count ?? 0;
  try {
    const clip = await generateSafely(model, request, {
      ...options,
      ...extra,
      ...(journal && { id: journal.state.id, kept: async () => blocksOf(await journal.reread()) }),
      keep: async (block, latents, text) => {
        if (block.index >= kept) await journal?.add(block, latents, text);
      },
    });
    return { ...clip, latents: (await journal?.finish()) ?? null };
  } catch (e) {
    journal?.close();
    const code = e instanceof KinoraError ? e.code : 'internal';
    if (code === 'cancelled' && isPaused() && journal)
      throw new KinoraError('paused', 'The clip was paused.', { id: journal.state.id });
    // A clip that was not wanted, or cannot be, is forgotten; any other can be gone on with.
    if (journal && ['cancelled', 'bad-request', 'not-finite'].includes(code)) await journal.drop();
    throw e;
  }
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

/** How many blocks of an earlier clip would come out the same: settings and, from the beginning, words. */
export function commonBlocks(
  model: Model,
  asked: GenerateRequest,
  earlier: Recipe,
  { count, sizes }: Pick<Records, 'count' | 'sizes'>,
): number {
  // prettier-ignore
  const scale = scaleOf(asked, model.grid);
  const settings = ({ seed, window, sink, loop, strength }: GenerateRequest | Recipe) => [seed, window, sink, loop ?? false, strength]; // prettier-ignore
  const same =
    JSON.stringify(settings(asked)) === JSON.stringify(settings(earlier)) &&
    scale.width === earlier.width &&
    scale.height === earlier.height &&
    scale.steps === earlier.steps &&
    (scale.factor === 2) === (earlier.draft !== undefined && earlier.draft.width !== earlier.width) &&
    earlier.model === model.manifest.id &&
    earlier.edition === model.manifest.edition &&
    earlier.strength === undefined;
  if (!same) return 0;
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
  const { width, height } = scaleOf(asked, model.grid);
  if (source.model === model.manifest.id && width === source.width && height === source.height) return;
  throw new KinoraError(
    'bad-request',
    `The clip is ${source.width} × ${source.height} of ${source.model}; only the same size and model can be remixed.`,
    { field: 'size', found: `${source.width} × ${source.height}` },
  );
}

async function encodePicture(model: Model, asked: GenerateRequest): Promise<Latents> {
  const { picture, loop } = asked;
  if (!model.encode)
    throw new KinoraError('bad-request', `${model.manifest.name} cannot begin with a picture: it has no encoder here.`, { field: 'picture' }); // prettier-ignore
  if (loop) throw new KinoraError('bad-request', 'A loop cannot begin with a picture.', { field: 'picture' });
  const { width, height } = scaleOf(asked, model.grid);
  const { rgba } = picture!;
  if (picture!.width !== width || picture!.height !== height || rgba.length !== 4 * width * height)
    throw new KinoraError('bad-request', `The picture is ${picture!.width} × ${picture!.height}, but the clip ${width} × ${height}.`, { field: 'picture' }); // prettier-ignore
  const rgb = new Float32Array(3 * width * height);
  for (let i = 0, at = 0; i < rgba.length; i++) if (i % 4 !== 3) rgb[at++] = rgba[i]! / 255;
  return model.encode(rgb, { width, height });
}
