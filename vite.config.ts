import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vite';
import { VitePWA } from 'vite-plugin-pwa';

/** Cross-origin isolation: exact timers, and threads for the CPU backend. The page works without it. */
const headers = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

/**
 * transformers.js brings an onnxruntime-web of its own, and asks for its 27 MB WebGPU build: one copy, the small one.
 */
export const ONE_RUNTIME = {
  dedupe: ['onnxruntime-web', 'onnxruntime-common'],
  alias: [{ find: /^onnxruntime-web\/webgpu$/, replacement: 'onnxruntime-web/wasm' }],
};

export default defineConfig({
  base: './', // works in any folder of any host
  appType: 'mpa', // a missing file is a 404, not the page
  plugins: [
    svelte({ configFile: false }),
    VitePWA({
      registerType: 'prompt', // a new version waits until no tab runs the old one
      injectRegister: 'script-defer',
      strategies: 'injectManifest',
      srcDir: 'src',
      filename: 'sw.ts',
      injectManifest: {
        // The shell only: neither weights nor what only the CPU backend needs.
        globPatterns: ['**/*.{js,css,html,svg,png,webmanifest}'],
        globIgnores: ['models/**', 'assets/{ort,transformers}*'],
      },
      manifest: {
        name: 'Kinora',
        short_name: 'Kinora',
        description: 'Text to video in a browser tab',
        display: 'standalone',
        start_url: './',
        background_color: '#101114',
        theme_color: '#101114',
      },
    }),
  ],
  worker: { format: 'es' },
  resolve: ONE_RUNTIME,
  build: { target: 'es2023' },
  server: { host: '127.0.0.1', headers },
  preview: { host: '127.0.0.1', headers },
});
