/** Draws what the page reports as one moving line on a terminal, or as few plain lines in a log. */

const WIDTH = 28;
const mebibytes = (bytes) => (bytes / 2 ** 20).toFixed(1);

/** Words and share done (0…1) of one event: LoadEvent or GenerateEvent of src/worker/protocol. */
export function describe(event) {
  switch (event.type) {
    case 'download':
    case 'upload': {
      const { type, loaded, total } = event;
      return { stage: type, share: loaded / total, text: `${mebibytes(loaded)} of ${mebibytes(total)} MiB` };
    }
    case 'compile':
      return { stage: 'compile', share: event.done / event.total, text: `${event.done} of ${event.total}` };
    default: {
      const { stage, block, blocks, step, steps, fraction, secondsLeft, known } = event;
      const place = known
        ? ', made before, decoded again'
        : stage === 'denoise'
          ? `, step ${step + 1} of ${steps}`
          : '';
      const left = secondsLeft === null ? '' : `, ${Math.ceil(secondsLeft)} s left`;
      return { stage, share: fraction, text: `block ${block + 1} of ${blocks}${place}${left}` };
    }
  }
}

/** @param stream where to draw; `show(event)` draws, `end()` leaves the line clean. */
export function drawProgress(stream) {
  let drawn = false;
  let stage = '';
  let tenths = -1;

  const line = ({ stage, share, text }) => {
    const done = Math.round(Math.min(1, Math.max(0, share || 0)) * WIDTH);
    const percent = String(Math.round((share || 0) * 100)).padStart(3);
    return `${stage.padEnd(8)} ${'█'.repeat(done)}${'░'.repeat(WIDTH - done)} ${percent} % ${text}`;
  };

  return {
    show(event) {
      const what = describe(event);
      if (stream.isTTY) {
        stream.write(`\r\x1b[2K${line(what).slice(0, (stream.columns ?? 100) - 1)}`);
        drawn = true;
        return;
      }
      const now = Math.floor((what.share || 0) * 10);
      if (what.stage === stage && now <= tenths) return;
      stage = what.stage;
      tenths = now;
      stream.write(`${line(what)}\n`);
    },
    end() {
      if (drawn) stream.write('\r\x1b[2K');
      drawn = false;
    },
  };
}
