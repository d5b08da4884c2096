/**
 * Which of a long clip's blocks the strip shows: those around the one in work, so that what the page holds does not grow
 * with the clip.
 * @param count of all
 * @param at index of the one in work; `count` when all are done
 * @returns indices, `to` not included
 */
export function around(count: number, at: number, most: number): { from: number; to: number } {
  const from = Math.max(0, Math.min(at - Math.floor(most / 2), count - most));
  return { from, to: Math.min(count, from + most) };
}
