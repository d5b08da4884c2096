import { readFileSync } from 'node:fs';
import { svelte } from '@sveltejs/vite-plugin-svelte';
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

/** What the built page holds of other people's work, with licences: `import { licences } from 'virtual:licences'`. */
const licences: Plugin = {
  name: 'kinora-licences',
  resolveId: (id) => (id === 'virtual:licences' ? '\0licences' : null),
  load(id) {
    if (id !== '\0licences') return null;
    const read = (path: string) => JSON.parse(readFileSync(path, 'utf8')) as Record<string, string>;
    const { dependencies } = read('package.json') as unknown as { dependencies: Record<string, string> };
    const listed = [...Object.keys(dependencies), 'onnxruntime-common', 'svelte'].map((folder) => {
      const { name, version, license } = read(`node_modules/${folder}/package.json`);
      return { name, version, license };
    });
    return `export const licences = ${JSON.stringify(listed)};`;
  },
};

export default defineConfig({
  base: './', // works in any folder of any host
  appType: 'mpa', // a missing file is a 404, not the page
  plugins: [
    svelte({ configFile: false }),
    policy,
    licences,
    VitePWA({
      injectRegister: false, // src/app/offline.svelte.ts does it
      strategies: 'injectManifest',
      srcDir: 'src',
      filename: 'sw.ts',
      injectManifest: {
        // The shell, and what only the CPU backend needs, which is fetched only where that is used. No weights.
        globPatterns: ['**/*.{js,mjs,css,html,svg,png,webmanifest,wasm}'],
        globIgnores: ['models/**'],
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
  worker: { format: 'es' },
  resolve: ONE_RUNTIME,
  build: { target: 'es2023' },
  server: { host: '127.0.0.1', headers: ISOLATION },
  preview: { host: '127.0.0.1' },
});
