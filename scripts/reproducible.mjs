/** `npm run reproducible`: builds the page twice, and fails unless every file of both has the same SHA-256. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';

const ROOT = join(import.meta.dirname, '..');

/** Path → hash of every file of a build made now. */
function build() {
  const folder = mkdtempSync(join(tmpdir(), 'kinora-build-'));
  try {
    const vite = join(ROOT, 'node_modules', 'vite', 'bin', 'vite.js');
    const args = [vite, 'build', '--logLevel', 'warn', '--outDir', folder, '--emptyOutDir'];
    const { status } = spawnSync(process.execPath, args, { cwd: ROOT, stdio: ['ignore', 2, 2] });
    if (status !== 0) throw new Error('The page could not be built.');
    const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((e) => e.isFile());
    return new Map(
      files.map((entry) => {
        const path = join(entry.parentPath, entry.name);
        return [relative(folder, path), createHash('sha256').update(readFileSync(path)).digest('hex')];
      }),
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const [first, second] = [build(), build()];
const names = [...new Set([...first.keys(), ...second.keys()])].sort();
const different = names.filter((name) => first.get(name) !== second.get(name));
for (const name of names)
  console.log(`${first.get(name)}  ${name}${different.includes(name) ? '  DIFFERS' : ''}`);
const all = createHash('sha256').update(names.map((n) => `${first.get(n)} ${n}`).join('\n')).digest('hex'); // prettier-ignore
console.log(different.length === 0 ? `\nTwo builds, the same ${names.length} files: ${all}` : `\n${different.length} files differ.`); // prettier-ignore
process.exit(different.length === 0 ? 0 : 1);
