/**
 * The rules of the source tree, as a pure function over file texts, so that the rules themselves can
 * be tested on made-up trees. Imports are read with TypeScript's and Svelte's own parsers.
 */
import { posix } from 'node:path';
import { parse as parseSvelte } from 'svelte/compiler';
import ts from 'typescript';

/** File texts by path from the repository's root, e.g. "src/gpu/device.ts". */
export type Tree = ReadonlyMap<string, string>;

interface Import {
  specifier: string;
  typeOnly: boolean;
}

/** What a part of the source is called in the table of levels. */
function partOf(path: string): string {
  if (path.startsWith('shaders/')) return 'shaders';
  const inner = path.replace(/^src\//, '');
  if (/^weights\/upload\b/.test(inner)) return 'weights/upload';
  if (inner.startsWith('models/catalogue/')) return 'models/catalogue';
  if (inner.startsWith('worker/protocol/')) return 'worker/protocol';
  if (inner.startsWith('worker/')) return inner.replace(/\.ts$/, '');
  if (
    [
      'errors.ts',
      'limits.ts',
      'policy.ts',
      'requests.ts',
      'shut.ts',
      'first.ts',
      'trusted.ts',
      'main.ts',
      'sw.ts',
    ].includes(inner)
  )
    return inner;
  return inner.split('/')[0]!;
}

/** Every part may import itself and, as types, all of worker/protocol (which imports nothing else) and errors. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  'errors.ts': [],
  'limits.ts': [],
  'policy.ts': [],
  'requests.ts': [],
  'shut.ts': [],
  'first.ts': ['shut.ts'],
  'trusted.ts': [],
  'worker/protocol': [],
  shaders: [],
  text: ['errors.ts'],
  sampling: ['errors.ts'],
  story: ['errors.ts'],
  weights: ['errors.ts'],
  gpu: ['errors.ts'],
  ops: ['errors.ts', 'gpu', 'shaders'],
  'weights/upload': ['errors.ts', 'gpu', 'weights'],
  // Data for the page, which may have it without any worker.
  'models/catalogue': [],
  models: ['errors.ts', 'ops', 'gpu', 'weights', 'weights/upload'],
  media: ['errors.ts', 'gpu', 'ops'],
  library: ['errors.ts', 'media'],
  onnx: ['errors.ts', 'text', 'sampling', 'weights', 'pipeline'],
  pipeline: [
    'errors.ts',
    'story',
    'text',
    'sampling',
    'weights',
    'gpu',
    'ops',
    'weights/upload',
    'models',
    'media',
  ],
  'worker/engine.worker': [
    'errors.ts',
    'weights',
    'gpu',
    'pipeline',
    'onnx',
    'media',
    'library',
    'requests.ts',
  ],
  'worker/begin': ['trusted.ts', 'policy.ts'],
  'worker/client': ['worker/begin'],
  // The one door to a hub: opened when the person asks for something there.
  'worker/hub': ['worker/begin', 'errors.ts'],
  'worker/hub.worker': ['errors.ts', 'weights', 'requests.ts'],
  app: [
    'worker/client',
    'worker/hub',
    'models/catalogue',
    'story',
    'library',
    'requests.ts',
    'shut.ts',
    'trusted.ts',
    'sw.ts',
  ],
  'main.ts': ['first.ts', 'app'],
  'sw.ts': ['policy.ts'],
};
/** Parts that may be imported only as types, by importer. */
const TYPES_ONLY: Readonly<Record<string, readonly string[]>> = {
  models: ['weights/upload'],
  app: ['sw.ts'],
};
/** Of gpu, models may run `tensor.ts` (shapes); the rest only as types. */
const GPU_FOR_MODELS = 'src/gpu/tensor.ts';
const RAW_WEBGPU =
  /^(GPU[A-Z]\w*|create(Buffer|BindGroup|BindGroupLayout|ComputePipeline(Async)?|ShaderModule|CommandEncoder|Texture|QuerySet)|writeBuffer|requestAdapter|requestDevice|beginComputePass|dispatchWorkgroups)$/;

/** Hosts that stand in namespace names, which nothing ever fetches. */
const NAMESPACE_HOSTS = [
  'www.w3.org',
  'ns.adobe.com',
  'purl.org',
  'cv.iptc.org',
  'iptc.org',
  'ns.useplus.org',
];

function scripts(path: string, text: string): string[] {
  if (!path.endsWith('.svelte')) return [text];
  const ast = parseSvelte(text, { modern: true });
  const nodes = [ast.module, ast.instance].flatMap((script) => script ?? []);
  return nodes.map((script) => {
    const { start, end } = script.content as unknown as { start: number; end: number };
    return text.slice(start, end);
  });
}

function walk(node: ts.Node, visit: (node: ts.Node) => void): void {
  visit(node);
  node.forEachChild((child) => walk(child, visit));
}

function isTypeOnly(node: ts.ImportDeclaration | ts.ExportDeclaration): boolean {
  if (ts.isExportDeclaration(node)) return node.isTypeOnly;
  const clause = node.importClause;
  if (!clause) return false;
  if (clause.isTypeOnly) return true;
  const named = clause.namedBindings;
  return !clause.name && !!named && ts.isNamedImports(named) && named.elements.every((e) => e.isTypeOnly);
}

interface Facts {
  imports: Import[];
  identifiers: Set<string>;
  urls: string[];
}

/** Imports, identifiers and foreign addresses of one TypeScript or Svelte file. */
function readFacts(path: string, text: string): Facts {
  const facts: Facts = { imports: [], identifiers: new Set(), urls: [] };
  const add = (node: ts.Node | undefined, typeOnly: boolean) => {
    if (node && ts.isStringLiteralLike(node)) facts.imports.push({ specifier: node.text, typeOnly });
  };
  for (const script of scripts(path, text)) {
    walk(ts.createSourceFile(path, script, ts.ScriptTarget.Latest, true, ts.ScriptKind.TS), (node) => {
      if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node))
        add(node.moduleSpecifier, isTypeOnly(node));
      else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword)
        add(node.arguments[0], false);
      else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument))
        add(node.argument.literal, true);
      else if (ts.isIdentifier(node)) facts.identifiers.add(node.text);
      if (ts.isStringLiteralLike(node) || ts.isTemplateHead(node)) facts.urls.push(...foreignUrls(node.text));
    });
  }
  if (path.endsWith('.svelte')) facts.urls.push(...foreignUrls(text));
  return facts;
}

function foreignUrls(text: string): string[] {
  return [...text.matchAll(/\b(?:https?|wss?):\/\/([\w.-]*)/g)]
    .filter(([, host]) => !NAMESPACE_HOSTS.includes(host!))
    .map(([url]) => url);
}

/** Path in the tree of a relative import, or null for a package. */
function resolve(tree: Tree, from: string, specifier: string): string | null {
  // A worker's address is no import: its code runs elsewhere.
  if (!specifier.startsWith('.') || specifier.endsWith('?worker&url')) return null;
  const base = posix.join(posix.dirname(from), specifier.replace(/\?.*$/, ''));
  const tries = [base, `${base}.ts`, `${base}.svelte.ts`, `${base}/index.ts`, base.replace(/\.js$/, '.ts')];
  return tries.find((path) => tree.has(path)) ?? null;
}

function checkImport(from: string, to: string, typeOnly: boolean): string | null {
  const [importer, imported] = [partOf(from), partOf(to)];
  if (importer === imported) return null;
  if (imported === 'worker/protocol')
    return typeOnly ? null : `${from}: import ${to} as types only (import type)`;
  if (imported === 'errors.ts' && typeOnly) return null;
  if (imported === 'limits.ts' || imported === 'policy.ts') return null; // numbers and names, nothing else
  const allowed = MAY_IMPORT[importer];
  if (!allowed) return `${from}: "${importer}" has no place in the table of levels`;
  if (importer === 'gpu' && typeOnly && ['text', 'sampling', 'story', 'weights'].includes(imported))
    return null;
  if (!allowed.includes(imported)) return `${from}: ${importer} must not import ${to}`;
  if (!typeOnly && TYPES_ONLY[importer]?.includes(imported))
    return `${from}: import ${to} as types only (import type)`;
  if (importer === 'models' && imported === 'gpu' && !typeOnly && to !== GPU_FOR_MODELS)
    return `${from}: models may import ${to} as types only (import type)`;
  return null;
}

function findCycle(edges: ReadonlyMap<string, readonly string[]>): string[] | null {
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (file: string): string[] | null => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
    if (done.has(file)) return null;
    path.push(file);
    for (const next of edges.get(file) ?? []) {
      const cycle = visit(next);
      if (cycle) return cycle;
    }
    path.pop();
    done.add(file);
    return null;
  };
  for (const file of edges.keys()) {
    const cycle = visit(file);
    if (cycle) return cycle;
  }
  return null;
}

/** Every shader is read by an op, and every op that reads one is imported by a test of tests/ops. */
function checkShaders(tree: Tree, edges: ReadonlyMap<string, readonly string[]>): string[] {
  const problems: string[] = [];
  for (const shader of tree.keys()) {
    if (!shader.startsWith('shaders/')) continue;
    const ops = [...edges].filter(([, to]) => to.includes(shader)).map(([from]) => from);
    if (ops.length === 0) problems.push(`${shader}: no op in src/ops imports it`);
    if (shader.startsWith('shaders/lib/')) continue;
    const names = ops.map((op) => `src/ops/${posix.basename(op, '.ts')}`);
    const tested = [...tree].some(
      ([path, text]) =>
        /^tests\/ops\/.*\.gpu\.test\.ts$/.test(path) && names.some((n) => new RegExp(`${n}['"]`).test(text)),
    );
    if (ops.length > 0 && !tested) problems.push(`${shader}: no test in tests/ops imports its op`);
  }
  return problems;
}

const MACHINE_PATH = /(^|[\s"'`(=:])(\/(home|root|Users|work|workspace)\/[\w.-]+|[A-Z]:\\\\?Users\\)/;

/** Every rule that the tree breaks, one sentence each, starting with the file. */
export function findViolations(tree: Tree): string[] {
  const problems: string[] = [];
  const edges = new Map<string, string[]>();
  for (const [path, text] of tree) {
    const line = text.split('\n').findIndex((l) => MACHINE_PATH.test(l));
    if (line >= 0) problems.push(`${path}:${line + 1}: names a path of somebody's machine`);
    if (!path.startsWith('src/') || !/\.(ts|svelte)$/.test(path)) continue;
    const { imports, identifiers, urls } = readFacts(path, text);
    // What of them may be reached, and by whom, is decided there.
    for (const url of path === 'src/policy.ts' ? [] : urls)
      problems.push(`${path}: names a foreign address, ${url}`);
    if (partOf(path) === 'models')
      for (const name of identifiers)
        if (RAW_WEBGPU.test(name)) problems.push(`${path}: models must not touch raw WebGPU (${name})`);
    const targets: string[] = [];
    for (const { specifier, typeOnly } of imports) {
      const target = resolve(tree, path, specifier);
      if (!target) continue;
      const problem = checkImport(path, target, typeOnly);
      if (problem) problems.push(problem);
      if (!typeOnly) targets.push(target);
    }
    edges.set(path, targets);
  }
  const cycle = findCycle(edges);
  if (cycle) problems.push(`${cycle[0]}: imports in a circle: ${cycle.join(' → ')}`);
  return [...problems, ...checkShaders(tree, edges)];
}

/** Files that are longer than the house's measure; a hint, not a rule. */
export function findLongFiles(tree: Tree): string[] {
  const limit = (path: string): number | null => {
    if (path.endsWith('.wgsl')) return 200;
    if (path.startsWith('src/ops/')) return 120;
    if (path.endsWith('.svelte')) return 150;
    return path.startsWith('src/') ? 400 : null;
  };
  return [...tree].flatMap(([path, text]) => {
    const lines = text.split('\n').length;
    const most = limit(path);
    return most !== null && lines > most ? [`${path}: ${lines} lines, the measure is ${most}`] : [];
  });
}
