/**
 * A file on the disk as a Blob, for commands that read checkpoints: that of Node 20's `openAsBlob` has the size of a file
 * over 4 GiB cut to 32 bits. Nothing is held open; each part opens the file, reads, and closes it.
 */
import { open, stat } from 'node:fs/promises';

export class DiskBlob extends Blob {
  readonly #path: string;
  readonly #begin: number;
  readonly #end: number;

  private constructor(path: string, begin: number, end: number) {
    super();
    [this.#path, this.#begin, this.#end] = [path, begin, end];
  }

  /** Rejects, as `stat` does, where there is no such file. */
  static async open(path: string): Promise<DiskBlob> {
    return new DiskBlob(path, 0, (await stat(path)).size);
  }

  /** Bytes. */
  override get size(): number {
    return this.#end - this.#begin;
  }

  /** @param from, to bytes of this part; negative ones count from its end */
  override slice(from = 0, to = this.size): DiskBlob {
    const within = (at: number) => Math.min(Math.max(at < 0 ? at + this.size : at, 0), this.size);
    const [begin, end] = [within(from), within(to)];
    return new DiskBlob(this.#path, this.#begin + begin, this.#begin + Math.max(begin, end));
  }

  /** @throws Error when the file has become shorter */
  override async arrayBuffer(): Promise<ArrayBuffer> {
    const bytes = new Uint8Array(this.size);
    const file = await open(this.#path);
    try {
      for (let done = 0; done < bytes.length;) {
        const { bytesRead } = await file.read(bytes, done, bytes.length - done, this.#begin + done);
        if (bytesRead === 0) throw new Error(`${this.#path} ended ${bytes.length - done} bytes too early`);
        done += bytesRead;
      }
    } finally {
      await file.close();
    }
    return bytes.buffer;
  }

  override async text(): Promise<string> {
    return new TextDecoder().decode(await this.arrayBuffer());
  }

  /** Whoever wants a large file whole is wrong here. */
  override stream(): never {
    throw new Error(`${this.#path} is read in parts, by slice.`);
  }
}
