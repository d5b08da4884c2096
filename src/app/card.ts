/**
 * What the page says of a model before it is loaded: the public part of model.json, read leniently. The
 * engine reads the same file strictly; this only fills the header, the controls and the stage early.
 */
import type { Size } from '../worker/protocol/clip';
import type { Unsaid } from './lexicon/complete';
import type { Offer } from './settings.svelte';
import { field } from './store';

export interface Card {
  name: string;
  bytes: number;
  prompts: Record<string, string[]>;
  offer: Offer | null;
  /** File of a clip that the model made, relative to its folder, if it has one. */
  showcase: string | null;
  vocabulary: string | null;
  /** What the seed may choose where a prompt says nothing of it. */
  unsaid: Unsaid;
}

const strings = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
const number = (value: unknown): number => (typeof value === 'number' && value > 0 ? value : 0);
/** A file in the model's own folder, never an address. */
const file = (value: unknown): string | null =>
  typeof value === 'string' && /^[\w-][\w.-]*$/.test(value) ? value : null;

export function readCard(json: unknown): Card {
  const files = field(json, 'files');
  const listed = Array.isArray(files) ? files : [];
  const prompts = Object.entries(Object(field(json, 'prompts')));
  const isShowcase = (item: unknown) => field(item, 'path') === 'showcase.mp4';
  return {
    name: String(field(json, 'name') ?? ''),
    bytes: listed.reduce((sum: number, item) => sum + number(field(item, 'bytes')), 0),
    prompts: Object.fromEntries(prompts.map(([language, texts]) => [language, strings(texts)])),
    offer: readOffer(json),
    showcase: file(field(json, 'showcase')) ?? (listed.some(isShowcase) ? 'showcase.mp4' : null),
    vocabulary: file(field(json, 'vocabulary')),
    unsaid: readUnsaid(field(json, 'unsaid')),
  };
}

const entries = (value: unknown): [string, unknown][] =>
  typeof value === 'object' && value !== null ? Object.entries(value) : [];
const readUnsaid = (value: unknown): Unsaid =>
  Object.fromEntries(entries(value).map(([attribute, by]) => [
    attribute,
    Object.fromEntries(entries(by).map(([subject, values]) => [subject, strings(values)])),
  ])); // prettier-ignore

function readOffer(json: unknown): Offer | null {
  const found = field(json, 'sizes');
  const sizes = (Array.isArray(found) ? found : []).flatMap((item): Size[] => {
    const [width, height] = [number(field(item, 'width')), number(field(item, 'height'))];
    return width && height ? [{ width, height }] : [];
  });
  const seconds = { default: number(field(field(json, 'seconds'), 'default')), max: number(field(field(json, 'seconds'), 'max')) }; // prettier-ignore
  const timesteps = field(field(json, 'sampler'), 'timesteps');
  const steps = Array.isArray(timesteps) ? timesteps.length : 0;
  return sizes.length && seconds.default && seconds.max && steps ? { sizes, seconds, steps } : null;
}

/** JSON from the model's folder, null when it cannot be had. */
export async function fetchJson(address: string): Promise<unknown> {
  try {
    const response = await fetch(address);
    return response.ok ? await response.json() : null;
  } catch {
    return null;
  }
}
