import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { marked, type Token, type Tokens } from 'marked';
import type { Part } from 'virtual:model-card';
import { defineConfig, type Plugin } from 'vite';
import { VitePWA } from 'vite-plugin-pwa';
import { headersFor, ISOLATION, META_POLICY } from './src/policy.ts';

/** The content policy in the built page, and in what `npm start` serves. The dev server needs inline styles. */
const policy: Plugin = {
  name: 'kinora-policy',
  apply: (_, { command, isPreview }) => command === 'build' || isPreview === true,
  transformIndexHtml: () => [
    {
      tag: 'meta',
      attrs: { 'http-equiv': 'Content-Security-Policy', content: META_POLICY },
      injectTo: 'head-prepend',
    },
  ],
  configurePreviewServer(server) {
    server.middlewares.use((request, response, next) => {
      const { pathname } = new URL(request.url ?? '/', 'http://kinora.invalid');
      for (const [name, value] of Object.entries(headersFor(pathname))) response.setHeader(name, value);
      next();
    });
  },
};

/**
 * transformers.js brings an onnxruntime-web of its own, and asks for its 27 MB WebGPU build: one copy, the small one.
 */
export const ONE_RUNTIME = {
  dedupe: ['onnxruntime-web', 'onnxruntime-common'],
  alias: [{ find: /^onnxruntime-web\/webgpu$/, replacement: 'onnxruntime-web/wasm' }],
};

/** Folders of node_modules of which something is in the built page or its workers. The build fails for any other. */
const OTHERS = [
  '@huggingface/jinja', // inside of transformers.js
  '@huggingface/tokenizers',
  '@xenova/transformers',
  'comlink',
  'mediabunny',
  'mp4-muxer',
  'onnxruntime-common',
  'onnxruntime-web',
  'svelte',
];

interface Package {
  name: string;
  version: string;
  license: string;
}
const packageOf = (folder: string) =>
  JSON.parse(readFileSync(`node_modules/${folder}/package.json`, 'utf8')) as Package;

/** The package's own words. */
function licenceText(folder: string): string {
  const { name, version, license } = packageOf(folder);
  const files = readdirSync(`node_modules/${folder}`).filter((file) => /^(licen[cs]e|notice)/i.test(file));
  const texts = files.sort().map((file) => readFileSync(join('node_modules', folder, file), 'utf8').trim());
  // Microsoft's packages come without it; it is that of Kinora's own, with another holder.
  if (texts.length === 0 && license === 'MIT' && name.startsWith('onnxruntime'))
    texts.push(readFileSync('LICENSE', 'utf8').trim().replace(/^Copyright.*$/m, 'Copyright (c) Microsoft Corporation')); // prettier-ignore
  if (texts.length === 0) throw new Error(`${name} brings no text of its licence.`);
  return [`${name} ${version}: ${license}`, ...texts].join('\n\n');
}

/**
 * What the built page holds of other people's work: `import { licences } from 'virtual:licences'` for the drawer, and
 * `licences.txt` with the whole texts, which the licences ask to be passed on.
 */
export const licences = (part: 'page' | 'worker'): Plugin => ({
  name: 'kinora-licences',
  resolveId: (id) => (id === 'virtual:licences' ? '\0licences' : null),
  load(id) {
    if (id !== '\0licences') return null;
    const listed = OTHERS.map(packageOf).map(({ name, version, license }) => ({ name, version, license }));
    return `export const licences = ${JSON.stringify(listed)};`;
  },
  generateBundle(_, bundle) {
    for (const chunk of Object.values(bundle))
      for (const id of chunk.type === 'chunk' ? chunk.moduleIds : []) {
        const [, folder] = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(id) ?? [];
        if (folder && !OTHERS.includes(folder))
          this.error(
            `${folder} is in the ${part}, but its licence is not listed: add it to OTHERS in vite.config.ts`,
          );
      }
    if (part === 'worker') return;
    const own = `Kinora: MIT\n\n${readFileSync('LICENSE', 'utf8').trim()}`;
    const source = [own, ...OTHERS.map(licenceText)].join(`\n\n${'-'.repeat(80)}\n\n`);
    this.emitFile({ type: 'asset', fileName: 'licences.txt', source: `${source}\n` });
  },
});

/** Marks of emphasis and code are left out: the page takes no HTML from strings. */
const plainText = ({ text }: { text: string }) => text.replace(/\*\*|`/g, '').replace(/\s+/g, ' ');

/** A block of a Markdown file as the page shows it. */
function partOf(token: Token): Part {
  const { type } = token;
  if (type === 'heading') return { type, depth: (token as Tokens.Heading).depth, text: plainText(token as Tokens.Heading) }; // prettier-ignore
  if (type === 'paragraph') return { type, text: plainText(token as Tokens.Paragraph) };
  if (type === 'list') return { type, texts: (token as Tokens.List).items.map(plainText) };
  if (type !== 'table') throw new Error(`The page cannot show a ${type} of a model card: ${token.raw}`);
  const { header, rows } = token as Tokens.Table;
  return { type, head: header.map(plainText), rows: rows.map((row) => row.map(plainText)) };
}

/** The model card of the model that comes with the page, to be read there: `import card from 'virtual:model-card'`, see licences.d.ts. */
export const modelCard: Plugin = {
  name: 'kinora-model-card',
  resolveId: (id) => (id === 'virtual:model-card' ? '\0model-card' : null),
  load(id) {
    if (id !== '\0model-card') return null;
    const file = resolve('public/models/pocket/MODEL.md');
    this.addWatchFile(file);
    const parts = marked
      .lexer(readFileSync(file, 'utf8'))
      .filter(({ type }) => type !== 'space')
      .map(partOf);
    return `export default ${JSON.stringify(parts)};`;
  },
};

export default defineConfig({
  base: './', // works in any folder of any host
  appType: 'mpa', // a missing file is a 404, not the page
  plugins: [
    svelte({ configFile: false }),
    policy,
    licences('page'),
    modelCard,
    VitePWA({
      injectRegister: false, // src/app/offline.svelte.ts does it
      strategies: 'injectManifest',
      srcDir: 'src',
      filename: 'sw.ts',
      injectManifest: {
        // The shell, and what only the CPU backend needs, which is fetched only where that is used; what models are, so
        // that a new edition of one is a new edition of the page. No weights.
        globPatterns: [
          '*.{html,svg,txt,webmanifest}',
          '{assets,icons}/**',
          'models/*/{model.json,vocabulary.json,showcase.mp4}',
        ],
        maximumFileSizeToCacheInBytes: 64 * 2 ** 20,
        dontCacheBustURLsMatching: /^assets\//, // their names have a hash
      },
      manifest: {
        name: 'Kinora',
        short_name: 'Kinora',
        description: 'Text to video in a browser tab',
        display: 'standalone',
        id: './',
        start_url: './',
        background_color: '#0d0e11',
        theme_color: '#0d0e11',
        categories: ['entertainment', 'graphics', 'video'],
        icons: [
          { src: 'icons/192.png', sizes: '192x192', type: 'image/png' },
          { src: 'icons/512.png', sizes: '512x512', type: 'image/png' },
          { src: 'icons/maskable.png', sizes: '512x512', type: 'image/png', purpose: 'maskable' },
        ],
      },
    }),
  ],
  worker: { format: 'es', plugins: () => [licences('worker')] },
  resolve: ONE_RUNTIME,
  build: { target: 'es2023' },
  server: { host: '127.0.0.1', headers: ISOLATION },
  preview: { host: '127.0.0.1' },
});
