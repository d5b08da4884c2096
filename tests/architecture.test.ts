/** Holds the table of levels: who may import whom, and what every shader needs. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { findLongFiles, findViolations, type Tree } from './helpers/architecture';

const ROOT = join(import.meta.dirname, '..');
const FOLDERS = ['src', 'shaders', 'tests', 'scripts', 'training', '.ci'];

function readTree(): Tree {
  const tree = new Map<string, string>();
  for (const folder of FOLDERS)
    for (const entry of readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name).slice(ROOT.length + 1);
      if (/(^|\/)(runs|build|\.venv|__pycache__|node_modules|goldens)\//.test(path)) continue;
      if (entry.isFile() && /(\.(ts|svelte|mjs|wgsl|py|sh|md|toml)|\/run)$/.test(path))
        tree.set(path, readFileSync(join(ROOT, path), 'utf8'));
    }
  return tree;
}

describe('the source tree', () => {
  const tree = readTree();

  test('keeps the rules', () => {
    expect(tree.size).toBeGreaterThan(30);
    expect(findViolations(tree)).toEqual([]);
  }, 60_000);

  test('has small files (a hint only)', () => {
    const long = findLongFiles(tree);
    if (long.length > 0) console.warn(`Long files:\n${long.join('\n')}`);
  });
});

describe('the checker', () => {
  const violations = (files: Record<string, string>) => findViolations(new Map(Object.entries(files)));
  const shader = {
    'shaders/add.wgsl': '',
    'src/ops/add.ts': `import code from '../../shaders/add.wgsl?raw'; import { x } from '../gpu/run';`,
    'src/gpu/run.ts': `import { KinoraError } from '../errors'; import type { T } from '../worker/protocol/a';`,
    'src/errors.ts': `import type { T } from './worker/protocol/a';`,
    'src/worker/protocol/a.ts': `import type { U } from './b'; export type T = U;`,
    'src/worker/protocol/b.ts': `export type U = 1;`,
    'tests/ops/add.gpu.test.ts': `import { add } from '../../src/ops/add';`,
  };

  test('accepts a good tree', () => expect(violations(shader)).toEqual([]));

  test.each([
    ['upward', { 'src/gpu/a.ts': `import '../ops/b';`, 'src/ops/b.ts': '' }, 'gpu must not import'],
    ['re-export', { 'src/text/a.ts': `export * from '../gpu/b';`, 'src/gpu/b.ts': '' }, 'text must not'],
    ['dynamic', { 'src/app/a.ts': `await import('../gpu/b');`, 'src/gpu/b.ts': '' }, 'app must not import'],
    ['page → engine, as type', { 'src/app/a.ts': `import type { X } from '../pipeline/b';`, 'src/pipeline/b.ts': '' }, 'app must not import'], // prettier-ignore
    ['Svelte', { 'src/app/A.svelte': `<script lang="ts">import { x } from '../models/b';</script><p>{x}</p>`, 'src/models/b.ts': '' }, 'app must not import'], // prettier-ignore
    ['catalogue → engine', { 'src/models/catalogue/a.ts': `import { x } from '../names';`, 'src/models/names.ts': '' }, 'models/catalogue must not'], // prettier-ignore
    ['types only', { 'src/models/a.ts': `import { Gpu } from '../gpu/device';`, 'src/gpu/device.ts': '' }, 'as types only'], // prettier-ignore
    ['protocol', { 'src/app/a.ts': `import { x } from '../worker/protocol/b';`, 'src/worker/protocol/b.ts': '' }, 'as types only'], // prettier-ignore
    ['protocol → anything', { 'src/worker/protocol/a.ts': `import type { X } from '../../text/b';`, 'src/text/b.ts': '' }, 'worker/protocol must not import'], // prettier-ignore
    ['raw WebGPU', { 'src/models/a.ts': `device.createBuffer({});` }, 'raw WebGPU (createBuffer)'],
    ['raw type', { 'src/models/a.ts': `export const f = (d: GPUDevice) => d;` }, 'raw WebGPU (GPUDevice)'],
    ['shader outside ops', { ...shader, 'src/models/a.ts': `import c from '../../shaders/add.wgsl?raw';` }, 'models must not import shaders/add.wgsl'], // prettier-ignore
    ['shader without op', { 'shaders/mul.wgsl': '' }, 'no op in src/ops imports it'],
    ['shader without test', { ...shader, 'tests/ops/add.gpu.test.ts': '' }, 'no test in tests/ops'],
    ['cycle', { 'src/gpu/a.ts': `import './b';`, 'src/gpu/b.ts': `import './a';` }, 'in a circle'],
    ['foreign address', { 'src/weights/a.ts': `fetch('https://example.com/x');` }, 'https://example.com'],
    ['address in markup', { 'src/app/A.svelte': `<img src="http://example.com/x" alt="" />` }, 'http://example.com'], // prettier-ignore
    ['template address', { 'src/weights/a.ts': 'fetch(`wss://${host}`);' }, 'wss://'],
    ['machine path', { 'src/gpu/a.ts': `const x = '/ho${''}me/ann/x';` }, "somebody's machine"],
    ['unknown folder', { 'src/misc/a.ts': `import '../gpu/b';`, 'src/gpu/b.ts': '' }, 'no place'],
  ])('finds: %s', (_, files, message) => {
    expect(violations(files as Record<string, string>).join('\n')).toContain(message);
  });

  test('lets namespace names and comments be', () => {
    const text = `// see https://example.com\nexport const ns = 'http://www.w3.org/2000/svg';`;
    expect(violations({ 'src/media/a.ts': text })).toEqual([]);
  });
});
