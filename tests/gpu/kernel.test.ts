import { expect, test } from 'vitest';
import { readInterface } from '../../src/gpu/kernel';

const WHOLE = `
// @group(0) @binding(7) var<storage, read> commented: array<f32>;
/* @group(0) @binding(8) var<storage, read> too: array<f32>;
   struct Params { no: vec4<f32> } */
struct Params { count: u32, shift: i32, // a comment: u64
  scale: f32 }
@group(0) @binding(1) var<storage, read_write> out: array<f32>;
@group(0) @binding(0)
var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(2) var<storage,read> y : array<f32>;
@group(0) @binding(3) var<uniform> params: Params;
@compute @workgroup_size(64) fn main() {}
`;

test('reads bindings in their order and the fields of Params', () => {
  expect(readInterface('k', WHOLE)).toEqual({
    bindings: [
      { name: 'x', binding: 0, writable: false },
      { name: 'out', binding: 1, writable: true },
      { name: 'y', binding: 2, writable: false },
    ],
    params: [
      { name: 'count', type: 'u32' },
      { name: 'shift', type: 'i32' },
      { name: 'scale', type: 'f32' },
    ],
    paramsBinding: 3,
  });
});

test('storage without access is read only, and Params may be absent', () => {
  const face = readInterface('k', '@group(0) @binding(0) var<storage> x: array<f32>;');
  expect(face).toEqual({
    bindings: [{ name: 'x', binding: 0, writable: false }],
    params: [],
    paramsBinding: null,
  });
});

test.each([
  ['struct Params { v: vec2 }', 'k: Params.v is vec2; only u32, i32 and f32 can be packed'],
  ['struct Params { n: u32 }', 'k: a uniform binding and a struct Params go together'],
  ['@group(0) @binding(0) var<uniform> params: P;', 'k: a uniform binding and a struct Params go together'],
  [
    `struct Params { ${Array.from({ length: 65 }, (_, i) => `f${i}: u32`).join(', ')} }
     @group(0) @binding(0) var<uniform> params: Params;`,
    'k: Params has 65 fields; 64 fit in a slot',
  ],
])('refuses %s', (code, message) => expect(() => readInterface('k', code)).toThrow(message));
