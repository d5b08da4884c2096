/** "kinora-a-red-boat-drifting-7.mp4": readable, and safe in every file system; keeps Chinese as it is. */
export function fileName({ prompt, seed }: { prompt: string; seed: number }): string {
  const words = prompt
    .normalize('NFC')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, '-')
    .replace(/^-+|-+$/g, '');
  const letters = [...words];
  let short = letters.slice(0, 40).join('');
  // Not in the middle of a word, where words are written apart.
  if (letters.length > 40 && letters[40] !== '-' && short.includes('-')) short = short.replace(/-[^-]*$/, '');
  return ['kinora', short, String(seed)].filter(Boolean).join('-').replace(/-{2,}/g, '-') + '.mp4';
}

/** Lets the browser save a file. */
export function saveFile(blob: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  // The download has taken its own hold of the bytes by then.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
