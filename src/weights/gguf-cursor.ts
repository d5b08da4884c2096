/** A cursor over the head of a GGUF file. Checks every length against the file before it reads. */
import { damaged, type MetadataValue } from './source';

/** The head that was read ends before byte `needed`, but the file goes on. */
export class NeedMore extends Error {
  constructor(readonly needed: number) {
    super(`header longer than the ${needed} bytes read`);
  }
}

/** Metadata value types [gguf.md `gguf_metadata_value_type`] as arrays; 7 are yes/no values, 0 or 1. */
const ARRAYS = {
  0: Uint8Array,
  1: Int8Array,
  2: Uint16Array,
  3: Int16Array,
  4: Uint32Array,
  5: Int32Array,
  6: Float32Array,
  7: Uint8Array,
  10: BigUint64Array,
  11: BigInt64Array,
  12: Float64Array,
} as const;
const BOOL = 7;
const STRING = 8;
const ARRAY = 9;

export class HeaderCursor {
  /** Bytes from the start of the file. */
  at = 0;
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #view: DataView;
  readonly #text = new TextDecoder('utf-8', { fatal: true });

  constructor(
    readonly file: string,
    bytes: Uint8Array<ArrayBuffer>,
    /** Of the whole file. */
    readonly size: number,
  ) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  fail(problem: string, params: Record<string, string | number> = {}): Error {
    return damaged(this.file, problem, params);
  }

  /** Steps over `length` bytes and returns where they start. */
  #take(length: number, what: string): number {
    const start = this.at;
    const end = start + length;
    if (end > this.size)
      throw this.fail(
        `${what} ends at byte ${end}, but the file has ${this.size}. It is cut off, or damaged.`,
        {
          end,
          size: this.size,
        },
      );
    if (end > this.#bytes.byteLength) throw new NeedMore(end);
    this.at = end;
    return start;
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4, 'its header'), true);
  }

  /** A 64-bit number that must fit JavaScript's integers. */
  u64(what: string): number {
    const value = this.#view.getBigUint64(this.#take(8, what), true);
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw this.fail(`${what} says ${value}, which cannot be.`);
    return Number(value);
  }

  /** How many things follow that take at least `least` bytes each. */
  count(what: string, least: number): number {
    const n = this.u64(`the number of ${what}`);
    const room = Math.floor((this.size - this.at) / least);
    if (n > room)
      throw this.fail(`it says it has ${n} ${what}, but the file has room for at most ${room}.`, {
        count: n,
        room,
      });
    return n;
  }

  string(what: string): string {
    const length = this.u64(`the length of ${what}`);
    const start = this.#take(length, what);
    try {
      return this.#text.decode(this.#bytes.subarray(start, start + length));
    } catch {
      throw this.fail(`${what} at byte ${start} is not UTF-8 text.`, { offset: start });
    }
  }

  /** A metadata value; 64-bit integers become numbers where they fit, arrays of numbers stay as they are. */
  value(type: number, key: string): MetadataValue {
    const what = `the metadata "${key}"`;
    if (type === STRING) return this.string(what);
    if (type !== ARRAY)
      return this.#scalar(type, this.#take(this.#array(type, what).BYTES_PER_ELEMENT, what), what);
    const inner = this.u32();
    if (inner === STRING) {
      const n = this.count(`texts in ${what}`, 8);
      return Array.from({ length: n }, () => this.string(what));
    }
    const array = this.#array(inner, what);
    const n = this.count(`values in ${what}`, array.BYTES_PER_ELEMENT);
    const start = this.#take(n * array.BYTES_PER_ELEMENT, what);
    // A copy, for the file has them at any byte; one copy, whatever their number.
    const values = new array(this.#bytes.slice(start, this.at).buffer);
    if (inner === BOOL && (values as Uint8Array).some((bit) => bit > 1))
      throw this.fail(`${what} has yes/no values that are neither 0 nor 1.`);
    return values;
  }

  #array(type: number, what: string): (typeof ARRAYS)[keyof typeof ARRAYS] {
    const array = (ARRAYS as Partial<Record<number, (typeof ARRAYS)[keyof typeof ARRAYS]>>)[type];
    if (array === undefined)
      throw this.fail(
        type === ARRAY
          ? `${what} is a list of lists, which Kinora does not read.`
          : `${what} has the unknown type ${type}.`,
        { type },
      );
    return array;
  }

  #scalar(type: number, at: number, what: string): number | bigint | boolean {
    const v = this.#view;
    switch (type) {
      case 0:
        return v.getUint8(at);
      case 1:
        return v.getInt8(at);
      case 2:
        return v.getUint16(at, true);
      case 3:
        return v.getInt16(at, true);
      case 4:
        return v.getUint32(at, true);
      case 5:
        return v.getInt32(at, true);
      case 6:
        return v.getFloat32(at, true);
      case 7: {
        const bit = v.getUint8(at);
        if (bit > 1) throw this.fail(`${what} is a yes/no value of ${bit}.`);
        return bit === 1;
      }
      case 10:
        return narrow(v.getBigUint64(at, true));
      case 11:
        return narrow(v.getBigInt64(at, true));
      default:
        return v.getFloat64(at, true);
    }
  }
}

function narrow(n: bigint): number | bigint {
  const small = Number(n);
  return Number.isSafeInteger(small) ? small : n;
}
