/** Numbers as people read them. */

/** 1,234,567 bytes → "1.2 MB"; from 10 MB on without a fraction. Decimal units, as browsers' own downloads. */
export function bytes(n: number, language: string): string {
  const [value, unit] = n >= 1e9 ? [n / 1e9, 'GB'] : n >= 1e6 ? [n / 1e6, 'MB'] : [n / 1e3, 'KB'];
  const digits = value >= 10 || unit === 'KB' ? 0 : 1;
  const number = new Intl.NumberFormat(language, {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
  return `${number.format(value)} ${unit}`;
}

/** Seconds with as many digits as they need, at most two. */
export function seconds(s: number): string {
  return String(Math.round(s * 100) / 100);
}

/** 3.4375 → "0:03.4" */
export function clock(s: number): string {
  const tenths = Math.floor(s * 10 + 1e-6);
  const minutes = Math.floor(tenths / 600);
  return `${minutes}:${String(Math.floor(tenths / 10) % 60).padStart(2, '0')}.${tenths % 10}`;
}

/** 96 × 64 → "3:2": the exact ratio where it is a small one, else the nearest known shape. */
export function shape(width: number, height: number): string {
  const divisor = gcd(width, height);
  const [w, h] = [width / divisor, height / divisor];
  if (w <= 21 && h <= 21) return `${w}:${h}`;
  const known: [number, number][] = [[21, 9], [16, 9], [5, 3], [3, 2], [4, 3], [5, 4], [1, 1], [4, 5], [3, 4], [2, 3], [3, 5], [9, 16]]; // prettier-ignore
  const error = ([a, b]: [number, number]) => Math.abs(Math.log(a / b / (width / height)));
  const [a, b] = known.reduce((best, next) => (error(next) < error(best) ? next : best));
  return `${a}:${b}`;
}

const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b));
