/**
 * The folder beside a clip that is being made, `.NAME.mp4.work`: the browser's profile, in whose storage the page keeps
 * every finished block, and what is needed to open the same page again. It goes when the clip is done, or when nothing
 * of it was finished.
 */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { BadUsage } from './generate-arguments.mjs';

const FORMAT = 'kinora-work/1';

const folderOf = (out) => join(dirname(resolve(out)), `.${basename(out)}.work`);

export class Work {
  #folder;
  #finished = false;
  /** Something of the clip is finished. */
  keeps;

  /** @param job `{ backend, adapter, model, port }` */
  constructor(folder, job, keeps) {
    this.#folder = folder;
    this.job = job;
    this.keeps = keeps;
  }

  /** A new clip; one of the same name that was interrupted is given up, which stderr is told. */
  static begin({ out, backend, adapter, model }) {
    const folder = folderOf(out);
    if (existsSync(folder)) {
      console.error(
        `What was left of an interrupted ${basename(out)} is given up; --resume would have gone on with it.`,
      );
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    }
    mkdirSync(folder);
    return new Work(folder, { format: FORMAT, backend, adapter, model, port: 0 }, false);
  }

  /** The clip of this name that was interrupted. Throws `BadUsage` where there is none. */
  static resume(out) {
    const folder = folderOf(out);
    let job;
    try {
      job = JSON.parse(readFileSync(join(folder, 'job.json'), 'utf8'));
    } catch {
      throw new BadUsage(
        `--resume: nothing is left of an interrupted ${out}. Make it anew, without --resume.`,
      );
    }
    if (job?.format !== FORMAT) throw new BadUsage(`--resume: ${folder} is of another edition of Kinora.`);
    return new Work(folder, job, true);
  }

  /** Folder of the browser's profile. */
  get profile() {
    return join(this.#folder, 'profile');
  }

  /** Where the page was, for storage belongs to an address; 0 where it is not chosen yet. */
  get port() {
    return this.job.port;
  }

  /** The page is at this address. */
  serve(address) {
    const port = Number(new URL(address).port);
    if (this.job.port !== 0 && this.job.port !== port)
      throw new Error(
        `Port ${this.job.port}, under which this clip is kept, is in use. Free it and try again.`,
      );
    this.job.port = port;
    writeFileSync(join(this.#folder, 'job.json'), JSON.stringify(this.job));
  }

  /** A block that another follows is finished. */
  hear({ type, stage, block }) {
    if (type === 'progress' && stage === 'denoise' && block > 0) this.keeps = true;
  }

  /** The clip is where it belongs. */
  done() {
    this.#finished = true;
    this.keeps = false;
  }

  /** To be called when the browser is gone. */
  close() {
    if (this.#finished || !this.keeps)
      rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }
}
