/** A server started by npm ends with npm, even when npm was killed and could pass no signal on. */
import { spawnSync } from 'node:child_process';

/** The processes above this one, nearest first, as far as npm; empty where `ps` is not to be had (Windows). */
function ancestors(depth = 3) {
  const found = [];
  let pid = process.ppid;
  for (let i = 0; i < depth && pid > 1; i++) {
    found.push(pid);
    const { stdout, status } = spawnSync('ps', ['-o', 'ppid=,comm=', '-p', String(pid)], {
      encoding: 'utf8',
    });
    const [, parent, name] = /^\s*(\d+)\s+(.*)$/m.exec(status === 0 ? stdout : '') ?? [];
    if (!parent) return i === 0 ? [] : found;
    // npm runs scripts through a shell, which would wait for us for ever.
    if (!/\b(sh|bash|dash|zsh)$/.test(name.trim())) break;
    pid = Number(parent);
  }
  return found;
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
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
