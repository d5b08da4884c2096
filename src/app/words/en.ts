/** Every word of the interface, in English. `Words` is its shape: a language that lacks one does not compile. */
import { drawer } from './en-drawer';
import { notices } from './en-notices';
import { bytes, seconds } from './format';

const mb = (n: number) => bytes(n, 'en');

export const en = {
  language: 'English',
  title: 'Kinora: text to video in a browser tab',
  example: 'a red boat drifting on the sea at sunset',

  header: {
    local: 'On this device',
    sent: (n: number) => (n === 1 ? '1 request' : `${n} requests`),
    sentHint: (own: number, elsewhere: number) =>
      `Counted by the browser since the model was loaded. Since the page was opened: ${own} for its own files, ${elsewhere} to anywhere else. Your words and your clips never leave this machine.`,
    settings: 'Settings',
    help: 'Help and keys',
    skip: 'Skip to the prompt',
  },

  model: (name: string, size: number) => `${name} · ${mb(size)}`,

  stage: {
    label: 'Stage',
    showcase: (name: string) => `Made by ${name}`,
    emptyTitle: 'Say it. Watch it appear.',
    emptyText: 'A sentence becomes a video, here on your own machine.',
    preview: 'The picture being made',
    video: (prompt: string) => `Clip: ${prompt}`,
    play: 'Play',
    pause: 'Pause',
    position: 'Position',
    positionOf: (at: string, all: string) => `${at} of ${all}`,
    download: 'Download',
    downloadHint: 'Save the MP4 (Ctrl or ⌘ S)',
    use: 'Use these settings',
    completed: (text: string) =>
      `What you left open, the seed chose: ${text}. Click to have these words in the prompt.`,
    link: 'Copy a link to these words and settings',
    linkCopied:
      'The link is copied. Words and settings stand in it behind the #, which browsers send to no server.',
    linkShown:
      'The link stands in the address bar, to be copied from there. What is behind the # is sent to no server.',
    remove: 'Delete',
    close: 'Close',
    seed: (n: number) => `Seed ${n}`,
    length: (s: number) => `${seconds(s)} s`,
    steps: (n: number) => (n === 1 ? '1 step' : `${n} steps`),
    drop: 'Drop a Kinora clip to bring back its settings, a picture or video to begin with, a text with the script, or the files of a model',
  },

  progress: {
    label: 'Progress',
    checking: 'Looking at this browser …',
    download: (name: string, done: number, all: number) =>
      `Downloading ${name} · ${mb(done)} of ${mb(all)}, once`,
    free: (n: number) => `the browser offers ${mb(n)}`,
    convert: (file: string, done: number, all: number) =>
      `Making ${file} smaller · ${mb(done)} of ${mb(all)}, once`,
    check: (file: string, done: number, all: number) => `Checking ${file} · ${mb(done)} of ${mb(all)}`,
    upload: (done: number, all: number) => `Moving the model to the GPU · ${mb(done)} of ${mb(all)}`,
    compile: (done: number, all: number) => `Preparing the GPU · ${done} of ${all} programs`,
    opening: (name: string) => `Opening ${name} …`,
    ready: 'Ready',
    queued: 'starts when it is ready',
    starting: 'Starting …',
    text: 'Reading the prompt',
    denoise: (block: number, blocks: number, step: number, steps: number) =>
      `Block ${block} of ${blocks} · step ${step} of ${steps}`,
    decode: (block: number, blocks: number) => `Block ${block} of ${blocks} · developing the frames`,
    known: (block: number, blocks: number) =>
      `Block ${block} of ${blocks} is there already · developing its frames`,
    encode: 'Writing the MP4',
    finish: 'Finishing the file',
    stopping: 'Stopping after this step …',
    stopped: 'Stopped. Your words and settings are kept.',
    done: (total: number) => `Done in ${seconds(Math.round(total * 10) / 10)} s`,
    left: (s: number) => (s >= 90 ? `about ${Math.round(s / 60)} min left` : `about ${Math.ceil(s)} s left`),
    paused: 'Paused. What is made so far is kept.',
    realTime: (x: number) => `real time ×${x >= 10 ? Math.round(x) : x.toFixed(x >= 1 ? 1 : 2)}`,
    measuring: 'measuring how long this takes here',
    percent: (n: number) => `${n} %`,
  },

  prompt: {
    label: 'Prompt',
    placeholder: 'What should be seen?',
    generate: 'Generate',
    cancel: 'Cancel',
    stopping: 'Stopping',
    surprise: 'Surprise me',
    surpriseHint: 'Compose a prompt from words that the model knows',
    replaced: 'Your prompt was replaced.',
    unknown: (model: string) => `${model} does not know:`,
    moreWords: (n: number) => `and ${n} more`,
    comma: ', ',
    replaceWord: (word: string, by: string) => `Write “${by}” instead of “${word}”`,
    offers: 'Words that the model knows: Down to choose, Tab to take one',
  },

  steer: {
    label: 'What happens next',
    placeholder: 'What happens next? The coming blocks follow.',
    tell: 'Tell',
    told: (text: string) => `From the next block on: ${text}`,
    taken: (text: string, block: number) => `From block ${block} on: ${text}`,
    last: 'The last block is being made. Extend the clip when it is done.',
    tooLate: (text: string) => `Too late for this clip, whose last block is being made: ${text}`,
    late: 'That came too late for this clip; extend the clip with it.',
    extend: 'Extend the clip with it',
    drop: 'Drop it',
    wordless: 'Say in words what shall be seen.',
    refused: (most: number) =>
      `That was not taken up${most > 0 ? `: with it, the script would have over ${most} characters` : ''}. The clip goes on as it was told.`,
    pause: 'Pause',
    pauseHint: 'Frees the GPU and keeps what is made; go on whenever you like',
  },

  lastModel: {
    text: (name: string) => `You used ${name} last. The browser wants your leave to read its files again.`,
    trying: (name: string) => `${name} was being loaded when the page was closed, or broke down over it.`,
    lost: (name: string, files: string) =>
      `The files of ${name} cannot be found from here any more. Pick them again in the settings: ${files}.`,
    open: 'Open it again',
    forget: 'Forget it',
  },

  unfinished: {
    text: (prompt: string, done: number, all: number) =>
      done >= all
        ? `All blocks of “${prompt}” are made; only its file is left to be finished.`
        : done > 0
          ? `“${prompt}” was interrupted after block ${done} of ${all}.`
          : `“${prompt}” was interrupted in the first of ${all} blocks.`,
    go: 'Go on',
    discard: 'Discard',
  },

  more: {
    label: 'What comes of this clip',
    extend: 'Extend',
    extendHint: 'Keeps this clip and goes on from its end',
    remix: 'Remix',
    remixHint: 'Makes this clip anew with other words',
    remixing: (prompt: string) => `Remix of “${prompt}”`,
    strength: 'How much is made anew',
    stop: 'Make no remix',
    loop: 'Loop',
    loopHint: 'The end leads back to the beginning',
    seam: (x: number) => `seam ×${x.toFixed(1)} of the clip’s larger steps`,
    draft: 'Draft first',
    draftHint: 'A quick, smaller look with the same seed; then, if you like it, the final',
    final: 'Make the final',
    drafting:
      'While this is ticked, Generate makes drafts; “Make the final” makes the one on the stage in full.',
    realLoop: (s: number) => `It will last ${seconds(s)} s: a loop closes after whole blocks.`,
    realShots: (s: number) => `It will last ${seconds(s)} s: a shot has at least one whole block.`,
    script:
      'Shift Enter begins the next shot. [4s] in a line is its length, [cut] begins it with a hard cut.',
    shots: (n: number, s: number) => `${n} shots, ${seconds(s)} s`,
    long: 'Longer than the model was taught: what is shown may drift.',
  },

  picture: {
    use: 'Begin with a picture or video',
    drop: 'Begin without the picture',
    frame: 'The part of the picture that is used: drag it, or move it with the arrow keys',
    unable: (name: string) => `${name} cannot begin with a picture: it has no encoder. Nothing was changed.`,
    broken: (name: string) => `${name} cannot be read as a picture. Choose a PNG, JPEG or WebP file.`,
  },

  drop: {
    unnamed: 'This file',
    reading: (name: string) => (name ? `Reading ${name} …` : 'Reading …'),
    script: (name: string) => `The script of ${name} stands in the prompt.`,
    long: (name: string, most: number) =>
      `${name} is too long for a script, which may have ${most} characters.`,
    unknown: (name: string) =>
      `${name} is nothing that Kinora takes. It takes pictures (PNG, JPEG, WebP, AVIF, GIF), videos (MP4, WebM), its own clips, a script as a text file, and the files of a model. Nothing was changed.`,
  },

  video: {
    this: 'This clip',
    label: 'What to do with the video',
    extend: 'Go on from its end',
    remix: 'Make it anew',
    drop: 'Begin without the video',
    frame: 'The part of the video that is used: drag it, or move it with the arrow keys',
    used: (s: number) => `${seconds(Math.round(s * 10) / 10)} s of it are used`,
    unable: (file: string, name: string) =>
      `${file} carries no Kinora settings, and ${name} cannot begin with a video: it has no encoder. Nothing was changed.`,
    broken: (file: string) => `${file} cannot be played by this browser. Choose an MP4 or WebM video.`,
  },

  options: {
    length: 'Length',
    lengthOf: (s: number) => (s === 1 ? '1 second' : `${seconds(s)} seconds`),
    size: 'Picture',
    sizeOf: (w: number, h: number, shape: string) => `${shape}, ${w} by ${h} pixels`,
    native: 'The size that the model knows best',
    untaught: 'The model was not taught this picture size: expect less of it.',
    seed: 'Seed',
    seedNew: 'new each time',
    seedKept: 'kept',
    seedHint: 'A seed is the start number of chance. The same prompt, settings and seed give the same clip.',
    dice: 'Roll a new seed and keep it',
    steps: 'Steps',
    stepsHint: (n: number) => `More steps take longer and may look cleaner. This model is made for ${n}.`,
    stepsReset: 'Use the model’s own',
    window: 'Window',
    sink: 'Sink',
    guidance: 'Guidance',
    negative: 'What shall not be seen',
    guidanceHint: (scale: number) =>
      `How strongly the pictures follow your words and keep away from these. This model was published with ${scale}; 1 is none at all, and twice as quick.`,
    shift: 'Shift',
    shiftHint: (shift: number) =>
      `The higher the shift, the more of the steps go to noisy pictures: to what is where, and how it moves; the lower, to details. ${shift} where nothing is said; 3 is usual for small pictures, and up to 12 was published, too.`,
    windowHint: (window: number, sink: number) =>
      `How many latent frames (4 pictures each) a block sees, and how many of the first stay in sight when a clip is longer. This model was taught ${window} and ${sink}. A larger window holds things together better and takes more memory.`,
    cacheBits: 'Earlier frames',
    bits: (n: 8 | 16 | null) => (n === null ? 'as it fits' : `${n} bit`),
    cacheBitsHint:
      '8 bit takes about half the memory of 16 bit and is a little less exact. Left alone, a clip takes 16 bit, and 8 bit where only that fits.',
  },

  library: {
    label: 'Earlier clips',
    blocks: 'Blocks of the clip being made',
    block: (n: number) => `Block ${n}`,
    before: (n: number) => `${n} before`,
    after: (n: number) => `${n} more`,
    span: (from: number, to: number) => `${from.toFixed(1)}–${to.toFixed(1)} s`,
    now: 'now',
    next: 'to come',
    empty: 'Your clips will gather here. They stay on this machine.',
    item: (prompt: string, s: number) => `Play: ${prompt}, ${seconds(s)} seconds`,
    removed: 'Clip deleted.',
    undo: 'Undo',
    restored: 'The settings are back.',
    begun: (with_: 'picture' | 'video' | 'clip') =>
      `The settings are back. The clip began with ${with_ === 'clip' ? 'another clip' : `a ${with_}`} that is not in them: made of the words alone, it will be another.`,
    foreign: (name: string) => `${name} carries no Kinora settings. Nothing was changed.`,
    memory:
      'Clips cannot be kept in this browser just now. They stay until this tab is closed: download what you like.',
  },

  ...drawer,
  ...notices,
};

export type Words = typeof en;
