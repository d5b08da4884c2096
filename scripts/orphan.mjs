/** A server started by npm ends with npm, even when npm was killed and could pass no signal on. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** Parent and name of a process; null when it is gone, or where nobody tells (Windows). */
function lookUp(pid) {
  try {
    // Linux; `ps` is missing in many containers.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const end = stat.lastIndexOf(')'); // a name may hold blanks and brackets
    const [state, parent] = stat.slice(end + 2).split(' ');
    return state === 'Z' ? null : { parent: Number(parent), name: stat.slice(stat.indexOf('(') + 1, end) };
  } catch {
    const { stdout, status } = spawnSync('ps', ['-o', 'ppid=,comm=', '-p', String(pid)], { encoding: 'utf8' }); // prettier-ignore
    const [, parent, name] = /^\s*(\d+)\s+(.*)$/m.exec(status === 0 ? stdout : '') ?? [];
    return parent ? { parent: Number(parent), name: name.trim() } : null;
  }
}

/** The processes above this one, nearest first, as far as npm. */
function ancestors(depth = 4) {
  const found = [];
  let pid = process.ppid;
  for (let i = 0; i < depth && pid > 1; i++) {
    const above = lookUp(pid);
    if (!above) break;
    found.push(pid);
    // npm runs scripts through a shell, which would wait for us for ever.
    if (!/(^|\/)(sh|bash|dash|zsh|ash|busybox)$/.test(above.name)) break;
    pid = above.parent;
  }
  return found;
}

/** There, and no zombie: one that was killed stays in the list of processes until its own parent looks. */
function isAlive(pid) {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return error.code === 'EPERM';
  }
  return process.platform === 'win32' || lookUp(pid) !== null;
}

/** Calls `end` once when npm, which started this script, is gone. Does nothing when npm did not start it. */
export function onOrphaned(end) {
  if (!process.env.npm_lifecycle_event) return;
  const parent = process.ppid;
  const watched = ancestors();
  const timer = setInterval(() => {
    if (process.ppid === parent && watched.every(isAlive)) return;
    clearInterval(timer);
    end();
  }, 500);
  timer.unref(); // the server keeps the process, not this
}
