/**
 * A pickle reader that can make numbers, texts, lists, dictionaries and tensors, and nothing else. Python's
 * own runs whatever program the file contains; this one refuses any name that is not on its list, by name
 * [CPython `Lib/pickletools.py` for the opcodes]. What PyTorch's names stand for is in pickled-tensors.ts.
 */
import { isTorchType, storageOf, tensorOf, type Global, type PickledTensor } from './pickled-tensors';

export type PickledDict = Map<unknown, unknown>;

const MARK = Symbol('mark');

/** What a file may call; storages and dtypes it may name besides. */
const CALLABLE = new Set([
  'collections.OrderedDict',
  'torch._utils._rebuild_tensor_v2',
  'torch._utils._rebuild_tensor_v3',
  'torch._utils._rebuild_parameter',
  'torch.Size',
]);
/**
 * What may be made while a pickle is read: a list, a memo or a copied entry costs 1, a dictionary 8 (it takes as much
 * more memory). An instruction of one byte can make any of these, and can have a remembered list copied as often as it
 * likes, so the bytes of the pickle bound nothing. A tensor costs some 35: this is enough for 14 000, and Wan 14B has 1095.
 */
const MAX_MADE = 500_000;
const DICT_COST = 8;

const isAllowed = (name: string) => CALLABLE.has(name) || isTorchType(name);

/**
 * Reads a pickle.
 * @param fail makes the error of a problem, told in words
 * @returns what it holds: `Map` for dictionaries, arrays for lists and tuples, `PickledTensor`
 */
export function unpickle(bytes: Uint8Array, fail: (problem: string) => Error): unknown {
  return new Machine(bytes, fail).run();
}

class Machine {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #fail: (problem: string) => Error;
  readonly #text = new TextDecoder('utf-8', { fatal: true });
  readonly #memo = new Map<number, unknown>();
  #stack: unknown[] = [];
  #at = 0;
  #made = 0;

  constructor(bytes: Uint8Array, fail: (problem: string) => Error) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#fail = fail;
  }

  run(): unknown {
    for (;;) {
      const op = this.#u8();
      if (op === 0x2e /* STOP */) {
        if (this.#stack.length !== 1)
          throw this.#fail(`its pickle ends with ${this.#stack.length} values, not 1.`);
        return this.#pop();
      }
      this.#step(op);
    }
  }

  #take(n: number): number {
    const at = this.#at;
    if (n < 0 || at + n > this.#bytes.byteLength)
      throw this.#fail(`its pickle ends at byte ${this.#bytes.byteLength}, but goes on to ${at + n}.`);
    this.#at += n;
    return at;
  }

  #u8 = () => this.#bytes[this.#take(1)]!;
  #u16 = () => this.#view.getUint16(this.#take(2), true);
  #i32 = () => this.#view.getInt32(this.#take(4), true);
  #u32 = () => this.#view.getUint32(this.#take(4), true);
  #u64(): number {
    const n = Number(this.#view.getBigUint64(this.#take(8), true));
    return Number.isSafeInteger(n) ? n : Infinity;
  }

  #string(length: number): string {
    const at = this.#take(length);
    try {
      return this.#text.decode(this.#bytes.subarray(at, at + length));
    } catch {
      throw this.#fail(`the text at byte ${at} of its pickle is not UTF-8.`);
    }
  }

  #line(): string {
    const end = this.#bytes.indexOf(0x0a, this.#at);
    if (end < 0) throw this.#fail('a name in its pickle has no end.');
    const line = this.#string(end - this.#at);
    this.#at = end + 1;
    return line;
  }

  #spend(cost: number): void {
    this.#made += cost;
    if (this.#made > MAX_MADE)
      throw this.#fail(
        `its pickle makes more than ${MAX_MADE} values and copies, which no checkpoint does. Save the state dict alone, or as safetensors.`,
      );
  }

  #remember(index: number): void {
    this.#spend(1);
    this.#memo.set(index, this.#top());
  }

  #newDict(): PickledDict {
    this.#spend(DICT_COST);
    return new Map();
  }

  #push(value: unknown): void {
    this.#stack.push(value);
  }

  #pop(): unknown {
    const value = this.#stack.length ? this.#stack.pop() : MARK;
    if (value === MARK) throw this.#fail(`its pickle takes a value that is not there, at byte ${this.#at}.`);
    return value;
  }

  #top(): unknown {
    const value = this.#pop();
    this.#push(value);
    return value;
  }

  /** Values above the last mark, which goes too. */
  #marked(): unknown[] {
    const mark = this.#stack.lastIndexOf(MARK);
    if (mark < 0) throw this.#fail(`its pickle closes what was not opened, at byte ${this.#at}.`);
    this.#spend(1);
    const values = this.#stack.splice(mark + 1);
    this.#stack.pop();
    return values;
  }

  #recall(index: number): void {
    if (!this.#memo.has(index)) throw this.#fail(`its pickle names value ${index}, which is not there.`);
    this.#push(this.#memo.get(index));
  }

  #step(op: number): void {
    switch (op) {
      case 0x80: // PROTO
        if (this.#u8() > 5) throw this.#fail('its pickle is of a newer protocol than 5.');
        return;
      case 0x95: // FRAME
        this.#u64();
        return;
      case 0x28:
        return this.#push(MARK);
      case 0x30:
        return void this.#pop();
      case 0x31: // POP_MARK
        return void this.#marked();
      case 0x4e:
        return this.#push(null);
      case 0x88:
        return this.#push(true);
      case 0x89:
        return this.#push(false);
      case 0x4a:
        return this.#push(this.#i32());
      case 0x4b:
        return this.#push(this.#u8());
      case 0x4d:
        return this.#push(this.#u16());
      case 0x8a: // LONG1
        return this.#push(this.#long(this.#u8()));
      case 0x47: // BINFLOAT
        return this.#push(this.#view.getFloat64(this.#take(8)));
      case 0x8c:
        return this.#push(this.#string(this.#u8()));
      case 0x58: // BINUNICODE
        return this.#push(this.#string(this.#u32()));
      case 0x8d:
        return this.#push(this.#string(this.#u64()));
      case 0x43: // SHORT_BINBYTES, SHORT_BINSTRING: of no use to us, kept as nothing
      case 0x55:
        this.#take(this.#u8());
        return this.#push(null);
      case 0x42:
      case 0x54:
        this.#take(this.#u32());
        return this.#push(null);
      case 0x5d: // EMPTY_LIST, EMPTY_TUPLE
      case 0x29:
        this.#spend(1);
        return this.#push([]);
      case 0x7d:
        return this.#push(this.#newDict());
      case 0x85: // TUPLE1 … TUPLE3
      case 0x86:
      case 0x87: {
        this.#spend(1);
        const values = Array.from({ length: op - 0x84 }, () => this.#pop()).reverse();
        return this.#push(values);
      }
      case 0x74: // TUPLE, LIST
      case 0x6c:
        return this.#push(this.#marked());
      case 0x64: // DICT
        return this.#push(this.#pairs(this.#newDict(), this.#marked()));
      case 0x61: {
        const value = this.#pop();
        return void this.#list().push(value);
      }
      case 0x65: {
        const values = this.#marked();
        const list = this.#list();
        for (const value of values) list.push(value);
        return;
      }
      case 0x73: {
        const value = this.#pop();
        const key = this.#pop();
        return void this.#pairs(this.#dict(), [key, value]);
      }
      case 0x75: {
        const values = this.#marked();
        return void this.#pairs(this.#dict(), values);
      }
      case 0x71: // BINPUT, LONG_BINPUT, MEMOIZE
        return this.#remember(this.#u8());
      case 0x72:
        return this.#remember(this.#u32());
      case 0x94:
        return this.#remember(this.#memo.size);
      case 0x68:
        return this.#recall(this.#u8());
      case 0x6a:
        return this.#recall(this.#u32());
      case 0x63: // GLOBAL
        return this.#global(this.#line(), this.#line());
      case 0x93: {
        const [name, module] = [this.#pop(), this.#pop()];
        // Lists are no names; as texts, those that hold one another many times over would have no end.
        if (typeof module !== 'string' || typeof name !== 'string')
          throw this.#fail(`its pickle names what is no text, at byte ${this.#at}.`);
        return this.#global(module, name);
      }
      case 0x52: {
        const args = this.#pop();
        return this.#push(this.#call(this.#pop(), args));
      }
      case 0x62: // BUILD: attributes of an OrderedDict (a state dict's `_metadata`), of no use to us
        this.#pop();
        this.#dict();
        return;
      case 0x51: // BINPERSID
        return this.#push(storageOf(this.#pop(), this.#at, this.#fail));
      default:
        throw this.#fail(
          `byte ${this.#at - 1} of its pickle is the instruction 0x${op.toString(16)}, which a file of tensors does not need. Kinora refuses it.`,
        );
    }
  }

  #long(length: number): number {
    const at = this.#take(length);
    let value = 0n;
    for (let i = length - 1; i >= 0; i--) value = (value << 8n) | BigInt(this.#bytes[at + i]!);
    return Number(BigInt.asIntN(length * 8, value));
  }

  #list(): unknown[] {
    const list = this.#top();
    if (!Array.isArray(list)) throw this.#fail(`its pickle adds to what is no list, at byte ${this.#at}.`);
    return list;
  }

  #dict(): PickledDict {
    const dict = this.#top();
    if (!(dict instanceof Map))
      throw this.#fail(`its pickle sets entries of what is no dictionary, at byte ${this.#at}.`);
    return dict;
  }

  #pairs(dict: PickledDict, values: readonly unknown[]): PickledDict {
    if (values.length % 2) throw this.#fail(`its pickle has a key without a value, at byte ${this.#at}.`);
    for (let i = 0; i < values.length; i += 2) dict.set(values[i], values[i + 1]);
    return dict;
  }

  #global(module: string, name: string): void {
    const full = `${module}.${name}`;
    if (!isAllowed(full))
      throw this.#fail(
        `it wants to run "${full.slice(0, 100)}". Kinora reads tensors only and runs nothing; save the state dict alone, or as safetensors.`,
      );
    this.#push({ kind: 'global', name: full } satisfies Global);
  }

  #call(callee: unknown, args: unknown): unknown {
    const name = (callee as Global | null)?.kind === 'global' ? (callee as Global).name : '';
    if (!CALLABLE.has(name) || !Array.isArray(args))
      throw this.#fail(`its pickle calls what cannot be called (${name || 'no name'}), at byte ${this.#at}.`);
    if (name === 'torch.Size') return Array.isArray(args[0]) ? args[0] : [];
    if (name === 'torch._utils._rebuild_parameter') {
      if ((args[0] as PickledTensor | null)?.kind !== 'tensor')
        throw this.#fail('a parameter in its pickle is no tensor.');
      return args[0];
    }
    if (name === 'collections.OrderedDict') {
      const dict = this.#newDict();
      const pairs: unknown[] = Array.isArray(args[0]) ? args[0] : [];
      this.#spend(pairs.length);
      for (const pair of pairs) {
        if (!Array.isArray(pair) || pair.length !== 2)
          throw this.#fail('an OrderedDict in its pickle has no pairs.');
        dict.set(pair[0], pair[1]);
      }
      return dict;
    }
    const tensor = tensorOf(args, name.endsWith('_v3'), this.#at, this.#fail);
    this.#spend(1 + 2 * tensor.shape.length);
    return tensor;
  }
}
