/**
 * Logarithm, sine and cosine that give the same bits on every machine. `Math.log` and the like may differ
 * in the last bit between engines; these use only + − × ÷ in f64, which IEEE 754 defines to the bit. The
 * polynomials are fdlibm's [e_log.c, k_sin.c, k_cos.c; Sun Microsystems 1993, free to use]: within an ulp.
 */

/** 2^0 … 2^33. Made by doubling, for `**` too is an engine's own. */
const POWERS = [1];
while (POWERS.length < 34) POWERS.push(POWERS.at(-1)! * 2);

const LN2_HIGH = 6.9314718036912381649e-1;
const LN2_LOW = 1.90821492927058770002e-10;

/** ln of the uniform number (word + ½) / 2^32, which is never 0. `word` is an unsigned 32-bit integer. */
export function logUniform(word: number): number {
  const odd = 2 * word + 1; // (word + ½) / 2^32 = odd / 2^33
  let exponent = 32 - Math.clz32(word);
  let fraction = odd / POWERS[exponent]!; // exact, in [1, 2)
  if (fraction > 1.4142135623730951) {
    fraction /= 2;
    exponent++;
  }
  const k = exponent - 33;
  const f = fraction - 1;
  const s = f / (2 + f);
  const z = s * s;
  const w = z * z;
  const even = w * (0.3999999999940942 + w * (0.22222198432149784 + w * 0.15313837699209373));
  const uneven =
    z * (0.6666666666666735 + w * (0.2857142874366239 + w * (0.1818357216161805 + w * 0.14798198605116586)));
  const half = 0.5 * f * f;
  return k * LN2_HIGH - (half - (s * (half + (even + uneven)) + k * LN2_LOW) - f);
}

const TAU = 6.283185307179586;

function sine(x: number): number {
  const z = x * x;
  const r =
    0.00833333333332249 +
    z *
      (-0.0001984126982985795 +
        z * (2.7557313707070068e-6 + z * (-2.5050760253406863e-8 + z * 1.58969099521155e-10)));
  return x + z * x * (-0.16666666666666632 + z * r);
}

function cosine(x: number): number {
  const z = x * x;
  const r =
    0.0416666666666666 +
    z *
      (-0.001388888888887411 +
        z *
          (2.480158728947673e-5 +
            z * (-2.7557314351390663e-7 + z * (2.087572321298175e-9 + z * -1.1359647557788195e-11))));
  return 1 - (0.5 * z - z * z * r);
}

/** Sine and cosine of the angle 2π · word / 2^32, into `out`. */
export function sinCosTurn(out: [sin: number, cos: number], word: number): void {
  // Eighths of a turn: the polynomials are for angles up to π/4. The remainder is exact.
  const eighth = word >>> 29;
  const rest = word & 0x1fffffff;
  const odd = (eighth & 1) === 1;
  const angle = ((odd ? 0x20000000 - rest : rest) / 4294967296) * TAU;
  const [s, c] = odd ? [cosine(angle), sine(angle)] : [sine(angle), cosine(angle)];
  // Now within the quarter that `word` lies in.
  switch (eighth >> 1) {
    case 0:
      [out[0], out[1]] = [s, c];
      break;
    case 1:
      [out[0], out[1]] = [c, -s];
      break;
    case 2:
      [out[0], out[1]] = [-s, -c];
      break;
    default:
      [out[0], out[1]] = [-c, s];
  }
}
