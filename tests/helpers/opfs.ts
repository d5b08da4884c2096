/**
 * The part of the origin private file system that Kinora uses, in memory, for Node. Like the real one, a
 * file's new content appears only when its writable is closed. `failWrite` makes writes fail.
 */
const missing = (name: string) => new DOMException(`no ${name}`, 'NotFoundError');

class FakeFile {
  readonly kind = 'file';
  data = new Blob([]);
  constructor(
    readonly name: string,
    readonly disk: FakeDisk,
  ) {}

  async getFile() {
    return new File([this.data], this.name);
  }

  async createWritable() {
    const parts: (Blob | string)[] = [];
    return {
      write: async (part: Blob | string) => {
        this.disk.failWrite?.(this.name);
        parts.push(part);
      },
      close: async () => void (this.data = new Blob(parts)),
      abort: async () => {},
    };
  }
}

class FakeFolder {
  readonly kind = 'directory';
  readonly children = new Map<string, FakeFile | FakeFolder>();
  constructor(
    readonly name: string,
    readonly disk: FakeDisk,
  ) {}

  #child<T extends FakeFile | FakeFolder>(name: string, kind: string, make: (() => T) | false): T {
    if (!name || /[/\\]|^\.\.?$/.test(name)) throw new TypeError(`bad name ${name}`);
    let child = this.children.get(name);
    if (child && child.kind !== kind) throw new DOMException(name, 'TypeMismatchError');
    if (!child) {
      if (!make) throw missing(name);
      this.children.set(name, (child = make()));
    }
    return child as T;
  }

  async getDirectoryHandle(name: string, { create = false } = {}) {
    return this.#child(name, 'directory', create && (() => new FakeFolder(name, this.disk)));
  }

  async getFileHandle(name: string, { create = false } = {}) {
    return this.#child(name, 'file', create && (() => new FakeFile(name, this.disk)));
  }

  async removeEntry(name: string, { recursive = false } = {}) {
    const child = this.children.get(name);
    if (!child) throw missing(name);
    if (child instanceof FakeFolder && child.children.size > 0 && !recursive)
      throw new DOMException(name, 'InvalidModificationError');
    this.children.delete(name);
  }

  async *entries() {
    yield* [...this.children];
  }
}

export class FakeDisk {
  /** Called before each write with the file's name; throw to make it fail. */
  failWrite: ((name: string) => void) | null = null;
  readonly #root = new FakeFolder('', this);

  get root(): FileSystemDirectoryHandle {
    return this.#root as unknown as FileSystemDirectoryHandle;
  }

  /** Every file's path, sorted. */
  paths(folder: FakeFolder = this.#root, prefix = ''): string[] {
    return [...folder.children]
      .flatMap(([name, child]) =>
        child instanceof FakeFolder
          ? [`${prefix}${name}/`, ...this.paths(child, `${prefix}${name}/`)]
          : [prefix + name],
      )
      .sort();
  }

  /** Puts a file in place; its folders are made. */
  async put(path: string, data: Blob | string): Promise<void> {
    const names = path.split('/');
    let folder = this.#root;
    for (const name of names.slice(0, -1)) folder = await folder.getDirectoryHandle(name, { create: true });
    (await folder.getFileHandle(names.at(-1)!, { create: true })).data = new Blob([data]);
  }
}
