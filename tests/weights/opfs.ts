/**
 * OPFS with sync access handles, in memory, for Node: what src/weights/folder.ts uses, with a worker's
 * rules (one open handle per file). `room` limits all bytes, as a quota does.
 */
const missing = (name: string) => new DOMException(`no ${name}`, 'NotFoundError');

class FakeFile {
  readonly kind = 'file';
  data = new Uint8Array();
  #open = false;
  constructor(
    readonly name: string,
    readonly disk: FakeDisk,
  ) {}

  async getFile() {
    return new File([this.data.slice()], this.name);
  }

  async createSyncAccessHandle() {
    if (this.#open) throw new DOMException(this.name, 'NoModificationAllowedError');
    this.#open = true;
    return {
      truncate: (size: number) => void (this.data = this.data.slice(0, size)),
      write: (bytes: Uint8Array, { at = 0 } = {}) => {
        this.disk.writes++;
        const end = Math.max(this.data.length, at + bytes.length);
        if (this.disk.used() - this.data.length + end > this.disk.room)
          throw new DOMException('full', 'QuotaExceededError');
        const grown = new Uint8Array(end);
        grown.set(this.data);
        grown.set(bytes, at);
        this.data = grown;
        return bytes.length;
      },
      read: (into: Uint8Array, { at = 0 } = {}) => {
        const part = this.data.subarray(at, at + into.length);
        into.set(part);
        return part.length;
      },
      getSize: () => this.data.length,
      flush: () => {},
      close: () => void (this.#open = false),
    };
  }
}

class FakeFolder {
  readonly kind = 'directory';
  readonly children = new Map<string, FakeFile | FakeFolder>();
  constructor(readonly disk: FakeDisk) {}

  async getDirectoryHandle(name: string, { create = false } = {}): Promise<FakeFolder> {
    if (/[/\\]/.test(name)) throw new TypeError(`bad name ${name}`);
    let child = this.children.get(name);
    if (!child && create) this.children.set(name, (child = new FakeFolder(this.disk)));
    if (!(child instanceof FakeFolder)) throw missing(name);
    return child;
  }

  async getFileHandle(name: string, { create = false } = {}): Promise<FakeFile> {
    if (/[/\\]/.test(name)) throw new TypeError(`bad name ${name}`);
    let child = this.children.get(name);
    if (!child && create) this.children.set(name, (child = new FakeFile(name, this.disk)));
    if (!(child instanceof FakeFile)) throw missing(name);
    return child;
  }

  async removeEntry(name: string) {
    if (!this.children.delete(name)) throw missing(name);
  }

  async *keys() {
    yield* [...this.children.keys()];
  }

  async *entries() {
    yield* [...this.children];
  }
}

export class FakeDisk {
  room = Infinity;
  writes = 0;
  readonly #root = new FakeFolder(this);

  readonly storage = async () => this.#root as unknown as FileSystemDirectoryHandle;

  #files(): [string, FakeFile][] {
    const walk = (folder: FakeFolder, prefix: string): [string, FakeFile][] =>
      [...folder.children].flatMap(([name, child]): [string, FakeFile][] =>
        child instanceof FakeFile ? [[prefix + name, child]] : walk(child, `${prefix}${name}/`),
      );
    return walk(this.#root, '');
  }

  used(): number {
    return this.#files().reduce((n, [, f]) => n + f.data.length, 0);
  }

  /** Names of all files, without their folders, sorted. */
  names(): string[] {
    return this.#files()
      .map(([path]) => path.split('/').at(-1)!)
      .sort();
  }

  /** Puts a file beside another. */
  beside(name: string, other: string, data = new Uint8Array()): void {
    const [path] = this.#files().find(([file]) => file.endsWith(`/${other}`))!;
    let folder = this.#root;
    for (const part of path.split('/').slice(0, -1)) folder = folder.children.get(part) as FakeFolder;
    const file = new FakeFile(name, this);
    file.data = data;
    folder.children.set(name, file);
  }

  file(name: string): FakeFile {
    return this.#files().find(([path]) => path.endsWith(`/${name}`))![1];
  }
}
