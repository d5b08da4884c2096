/**
 * The test stages as vitest projects; `scripts/test.mjs` runs them one after another.
 *
 * - architecture: the rules of the source tree
 * - unit: Node, no GPU
 * - gpu: Dawn in Node; every *.gpu.test.ts. Without a Vulkan driver these tests fail
 * - browser: Chromium with SwiftShader; *.browser.test.ts, and the kernel tests (tests/ops) once more
 * - e2e: the built page in Chromium, driven from Node
 */
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { playwright } from '@vitest/browser-playwright';
import { defineConfig } from 'vitest/config';
import { licences, modelCard, ONE_RUNTIME } from './vite.config.ts';
import { browserEnv, findBrowser, SOFTWARE_FLAGS } from './scripts/browser.mjs';

const GPU = 'tests/**/*.gpu.test.ts';
const BROWSER = 'tests/**/*.browser.test.ts';
const E2E = 'tests/**/*.e2e.test.ts';
const ARCHITECTURE = 'tests/architecture.test.ts';

export default defineConfig({
  test: {
    pool: 'forks',
    projects: [
      { extends: true, test: { name: 'architecture', include: [ARCHITECTURE] } },
      {
        extends: true,
        plugins: [svelte({ configFile: false })],
        test: {
          name: 'unit',
          include: ['tests/**/*.test.ts'],
          exclude: [GPU, BROWSER, E2E, ARCHITECTURE],
          testTimeout: 30_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'gpu',
          include: [GPU],
          globalSetup: 'tests/helpers/vulkan.setup.ts',
          // A software driver uses every core already.
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout: 60_000,
        },
      },
      {
        extends: true,
        plugins: [svelte({ configFile: false }), licences('page'), modelCard],
        resolve: ONE_RUNTIME,
        // Found only when a test runs, they would be bundled then, and the page reloaded under the test.
        optimizeDeps: {
          include: [
            '@huggingface/tokenizers',
            '@xenova/transformers',
            'comlink',
            'mediabunny',
            'mp4-muxer',
            'onnxruntime-web/wasm',
          ],
        },
        test: {
          name: 'browser',
          include: [BROWSER, 'tests/ops/**/*.gpu.test.ts'],
          fileParallelism: false,
          testTimeout: 180_000,
          hookTimeout: 60_000,
          browser: {
            enabled: true,
            headless: true,
            screenshotFailures: false,
            provider: playwright({
              launchOptions: {
                executablePath: findBrowser() ?? undefined,
                args: SOFTWARE_FLAGS,
                env: browserEnv(),
              },
            }),
            instances: [{ browser: 'chromium' }],
          },
        },
      },
      {
        extends: true,
        test: {
          name: 'e2e',
          include: [E2E],
          globalSetup: 'tests/e2e/serve.setup.ts',
          fileParallelism: false,
          testTimeout: 600_000,
          hookTimeout: 300_000,
        },
      },
    ],
  },
});
