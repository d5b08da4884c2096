/**
 * `npm test`: every stage of vitest.config.ts, one after another; the last line is `N passed, N failed`.
 *
 *   npm test -- --stage unit,gpu     some stages only
 *   npm test -- attention            only test files whose path contains the word
 *
 * What a stage needs (a Chromium, a Vulkan driver) is found or installed first; where that fails, the
 * stage fails and says what to install.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { ensureBrowser } from './browser.mjs';
import { ensureVulkan } from './vulkan.mjs';

const STAGES = {
  architecture: {},
  unit: {},
  gpu: { prepare: ensureVulkan },
  browser: { prepare: ensureBrowser },
  e2e: { prepare: ensureBrowser },
};
/** A stage that hangs must not hang the whole run. */
const STAGE_LIMIT_MINUTES = 15;

function usage(message) {
  console.error(`${message}\nUsage: npm test -- [--stage ${Object.keys(STAGES).join(',')}] [FILTER…]`);
  process.exit(2);
}

function readArguments() {
  try {
    const { values, positionals } = parseArgs({
      options: { stage: { type: 'string' } },
      allowPositionals: true,
    });
    const stages = values.stage?.split(',') ?? Object.keys(STAGES);
    for (const stage of stages) if (!(stage in STAGES)) usage(`There is no stage "${stage}".`);
    return { stages, filters: positionals };
  } catch (error) {
    usage(error.message);
  }
}

/** Runs vitest; resolves to its exit code, or null when it was ended for taking too long. */
function runVitest(args) {
  const vitest = join('node_modules', 'vitest', 'vitest.mjs');
  const child = spawn(process.execPath, [vitest, 'run', ...args], { stdio: 'inherit' });
  return new Promise((resolve) => {
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      child.kill('SIGTERM');
      setTimeout(() => child.kill('SIGKILL'), 10_000).unref();
    }, STAGE_LIMIT_MINUTES * 60_000);
    child.on('exit', (code) => {
      clearTimeout(timer);
      resolve(late ? null : (code ?? 1));
    });
  });
}

/** Totals of one vitest JSON report. A file that could not even be loaded counts as one failure. */
function readReport(path) {
  let report;
  try {
    report = JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return { passed: 0, skipped: 0, failures: [] };
  }
  const failures = [];
  for (const file of report.testResults) {
    const failed = file.assertionResults.filter((test) => test.status === 'failed');
    const name = relative(process.cwd(), file.name);
    for (const test of failed) failures.push(`${name}: ${test.fullName}`);
    if (file.status === 'failed' && failed.length === 0) failures.push(`${name}: could not be run`);
  }
  const skipped = report.numPendingTests + report.numTodoTests;
  return { passed: report.numPassedTests, skipped, failures };
}

async function runStage(stage, filters) {
  const folder = mkdtempSync(join(tmpdir(), 'kinora-test-'));
  const file = join(folder, 'report.json');
  const filtered = filters.length > 0;
  try {
    await STAGES[stage].prepare?.();
    const code = await runVitest([
      `--project=${stage}`,
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${file}`,
      ...(filtered ? ['--passWithNoTests'] : []),
      ...filters,
    ]);
    const result = readReport(file);
    const { passed, failures } = result;
    if (code === null) failures.push(`${stage}: ended after ${STAGE_LIMIT_MINUTES} minutes`);
    else if (code !== 0 && failures.length === 0) failures.push(`${stage}: vitest ended with code ${code}`);
    else if (!filtered && passed + failures.length === 0) failures.push(`${stage}: no test was run`);
    return result;
  } catch (error) {
    return { passed: 0, skipped: 0, failures: [`${stage}: ${error.message}`] };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const { stages, filters } = readArguments();
process.chdir(join(import.meta.dirname, '..'));
const lines = [];
const failures = [];
let passed = 0;
for (const stage of stages) {
  const start = performance.now();
  const result = await runStage(stage, filters);
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  passed += result.passed;
  failures.push(...result.failures);
  const counts = `${result.passed} passed, ${result.failures.length} failed, ${result.skipped} skipped`;
  lines.push(`${stage.padEnd(13)}${counts} in ${seconds} s`);
}
if (passed + failures.length === 0) failures.push(`no test file matches ${filters.join(' ')}`);
console.log(`\n${lines.join('\n')}`);
for (const failure of failures) console.log(`FAILED ${failure}`);
console.log(`${passed} passed, ${failures.length} failed`);
process.exit(failures.length > 0 ? 1 : 0);
