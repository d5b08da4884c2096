/** SHA-256 piece by piece [FIPS 180-4], for files that may not be held whole, as WebCrypto wants them. */

/** The first 32 bits of the fractional parts of the cube roots (K) and square roots (start) of the first primes. */
const { K, START } = constants();

function constants(): { K: Uint32Array; START: Uint32Array } {
  const primes: number[] = [];
  for (let n = 2; primes.length < 64; n++) if (primes.every((p) => n % p)) primes.push(n);
  // 2^32 times the root, in integers: floats have too few digits.
  const root = (value: bigint, power: bigint): number => {
    let [low, high] = [0n, 1n << 40n];
    while (low < high - 1n) {
      const middle = (low + high) / 2n;
      if (middle ** power <= value) low = middle;
      else high = middle;
    }
    return Number(low & 0xffffffffn);
  };
  return {
    K: Uint32Array.from(primes, (p) => root(BigInt(p) << 96n, 3n)),
    START: Uint32Array.from(primes.slice(0, 8), (p) => root(BigInt(p) << 64n, 2n)),
  };
}

export class Sha256 {
  readonly #state = START.slice();
  readonly #block = new Uint8Array(64);
  readonly #words = new Int32Array(64);
  #filled = 0;
  #bytes = 0;

  update(data: Uint8Array): this {
    this.#bytes += data.byteLength;
    let at = 0;
    if (this.#filled) {
      at = Math.min(64 - this.#filled, data.byteLength);
      this.#block.set(data.subarray(0, at), this.#filled);
      this.#filled += at;
      if (this.#filled < 64) return this;
      this.#compress(this.#block, 0);
      this.#filled = 0;
    }
    for (; at + 64 <= data.byteLength; at += 64) this.#compress(data, at);
    this.#block.set(data.subarray(at));
    this.#filled = data.byteLength - at;
    return this;
  }

  /** Lower-case hex. Ends the hash. */
  digest(): string {
    const bits = BigInt(this.#bytes) * 8n;
    const pad = new Uint8Array((this.#filled < 56 ? 56 : 120) - this.#filled + 8);
    pad[0] = 0x80;
    new DataView(pad.buffer).setBigUint64(pad.length - 8, bits);
    this.update(pad);
    return Array.from(this.#state, (word) => word.toString(16).padStart(8, '0')).join('');
  }

  #compress(data: Uint8Array, at: number): void {
    const w = this.#words;
    for (let i = 0; i < 16; i++, at += 4)
      w[i] = (data[at]! << 24) | (data[at + 1]! << 16) | (data[at + 2]! << 8) | data[at + 3]!;
    for (let i = 16; i < 64; i++) {
      const [x, y] = [w[i - 15]!, w[i - 2]!];
      const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
      const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
      w[i] = (w[i - 16]! + s0 + w[i - 7]! + s1) | 0;
    }
    const state = this.#state;
    let a = state[0]! | 0, b = state[1]! | 0, c = state[2]! | 0, d = state[3]! | 0; // prettier-ignore
    let e = state[4]! | 0, f = state[5]! | 0, g = state[6]! | 0, h = state[7]! | 0; // prettier-ignore
    for (let i = 0; i < 64; i++) {
      const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
      const t1 = (h + s1 + ((e & f) ^ (~e & g)) + K[i]! + w[i]!) | 0;
      const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
      const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      h = g;
      g = f;
      f = e;
      e = (d + t1) | 0;
      d = c;
      c = b;
      b = a;
      a = (t1 + t2) | 0; // prettier-ignore
    }
    state[0]! += a;
    state[1]! += b;
    state[2]! += c;
    state[3]! += d; // prettier-ignore
    state[4]! += e;
    state[5]! += f;
    state[6]! += g;
    state[7]! += h; // prettier-ignore
  }
}
