/** The fixtures of `fixtures/make.py`. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fromBytes, type ByteSource } from '../../src/weights/source';

export interface Expected {
  dtype: string;
  shape: number[];
  /** float32 bit patterns, hex, little-endian. */
  f32?: string;
  int?: number[];
  offset?: number;
  bytes?: number;
}

const path = (name: string) => join(import.meta.dirname, 'fixtures', name);

export function fixtureBytes(name: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(readFileSync(path(name)));
}

export function fixture(name: string): ByteSource {
  return fromBytes(name, fixtureBytes(name));
}

export const expected = JSON.parse(readFileSync(path('expected.json'), 'utf8')) as {
  safetensors: Record<string, Expected>;
  gguf: Record<'v2' | 'v3', Record<string, Expected>>;
};

/** Floats as the hex of their bits: equal only when every bit is. */
export function bitsOf(values: Float32Array): string {
  return Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString('hex');
}
