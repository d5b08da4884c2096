/** A model: loading it, what it can do, and what this browser keeps of it. */
import type { Size } from './clip';
import type { OpenedFiles } from './files';
import type { BackendKind } from './machine';

/** What the page needs to know of a loaded model; a part of `model.json`. */
export interface ModelInfo {
  id: string;
  name: string;
  edition: string;
  fps: number;
  /** Sizes it was trained for; the first is native. Other multiples of 16 px work, less well. */
  sizes: Size[];
  seconds: { default: number; max: number };
  /** The default step list, unwarped, from 1000 downwards. */
  timesteps: number[];
  /** Example prompts by language ("en", "zh", "de"). */
  prompts: Record<string, string[]>;
  /** It can begin with a picture. */
  encodes?: boolean;
  /** Latent frames of a block, those that a block sees, and those of them that stay when the window moves on. */
  sight?: { block: number; window: number; sink: number };
  /** It is guided away from a negative prompt, at noise levels of a shift; what it takes where nothing else is said. */
  guidance?: { scale: number; negative: string; shift: number };
  /** Bytes of all its files. */
  bytes: number;
  /** Why its files are not kept for the next visit; absent when they are. */
  unkept?: string;
}

export interface LoadRequest {
  /** As `check` chose it; default webgpu. */
  backend?: BackendKind;
  /** Folder of model.json, relative to the page, e.g. "models/pocket/"; the client makes it absolute. */
  model: string;
  /** The person's own files, in place of `model`. WebGPU only. */
  opened?: OpenedFiles;
  /** The picture size that is waited for; one that will not do here is refused before any download. */
  wanted?: Size;
  /** The edition that an interrupted clip was begun with; default: the newest. */
  edition?: string;
}

export type LoadEvent =
  /** Before a download: bytes to fetch, and bytes that the browser offers (null: it does not say). */
  | { type: 'plan'; bytes: number; free: number | null }
  | { type: 'download'; file: string; loaded: number; total: number }
  /** A downloaded file's hash is taken. */
  | { type: 'check'; file: string; loaded: number; total: number }
  /** Weights become smaller; the small form is kept. */
  | { type: 'convert'; file: string; loaded: number; total: number }
  | { type: 'upload'; loaded: number; total: number }
  | { type: 'compile'; done: number; total: number };

/** What a browser has stored of a model. */
export interface StoredModel {
  /** Name of its folder. */
  id: string;
  /** '' when its download was never finished. */
  name: string;
  edition: string;
  license: string;
  bytes: number;
  /** The small form of one of the person's own files, which is not downloaded but made. */
  small?: boolean;
  /** It came from a hub. */
  hub?: boolean;
}

export interface VerifyReport {
  /** Files whose hash is right. */
  whole: number;
  /** Files that were not what model.json says; they are deleted by now. */
  damaged: string[];
  /** Files that were never needed here, such as those of the other backend. */
  missing: number;
}
