/** Every word of the interface, in English. `Words` is its shape: a language that lacks one does not compile. */
import type { EngineError, ErrorCode } from '../../worker/protocol';
import type { Problem } from '../problems';
import type { Advice } from '../browser';
import { bytes, seconds } from './format';

const mb = (n: number) => bytes(n, 'en');

/** What stands in the field, if anything does. */
const butIs = ({ found }: Problem) => (found === '' ? '' : `, but it is “${String(found).slice(0, 40)}”`);

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
    drop: 'Drop a Kinora clip to bring back its settings, a picture or video to begin with, or the files of a model',
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
      done > 0
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
    script:
      'Shift Enter begins the next shot. [4s] in a line is its length, [cut] begins it with a hard cut.',
    shots: (n: number, s: number) => `${n} shots, ${seconds(s)} s`,
    long: 'Longer than the model was taught: what is shown may drift.',
  },

  picture: {
    use: 'Begin with a picture or video',
    drop: 'Begin without the picture',
    frame: 'The part of the picture that is used',
    unable: (name: string) => `${name} cannot begin with a picture: it has no encoder. Nothing was changed.`,
    broken: (name: string) => `${name} cannot be read as a picture. Choose a PNG, JPEG or WebP file.`,
  },

  video: {
    this: 'This clip',
    label: 'What to do with the video',
    extend: 'Go on from its end',
    remix: 'Make it anew',
    drop: 'Begin without the video',
    frame: 'The part of the video that is used',
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
    windowHint: (window: number, sink: number) =>
      `How many latent frames (4 pictures each) a block sees, and how many of the first stay in sight when a clip is longer. This model was taught ${window} and ${sink}. A larger window holds things together better and takes more memory.`,
    cacheBits: 'Earlier frames',
    bits: (n: 8 | 16 | null) => (n === null ? 'as it fits' : `${n} bit`),
    cacheBitsHint:
      '8 bit takes about half the memory of 16 bit and is a little less exact. Left alone, a clip takes 16 bit, and 8 bit where only that fits.',
  },

  drawer: {
    title: 'Settings',
    close: 'Close settings',
    picture: 'Clip',
    look: 'Appearance',
    theme: 'Theme',
    themes: { auto: 'Like the system', dark: 'Dark', light: 'Light' },
    languageLabel: 'Language',
    keys: 'Single-key shortcuts',
    keysHint: 'Space, arrows, J K L and ? outside of text fields.',
    open: 'Open a clip …',
    openHint:
      'Brings back the settings of an MP4 that Kinora made; a picture or another video is what the next clip begins with, where the model can. Dropping the file on the page or pasting it does the same.',
    machine: 'This machine',
    modelLabel: 'Model',
    edition: (name: string, edition: string) => `${name}, edition ${edition}`,
    adapter: 'Graphics',
    unknown: 'not known yet',
    software: 'software adapter',
    unused: 'not used',
    backendLabel: 'Computed by',
    backends: { webgpu: 'WebGPU, Kinora’s own kernels', cpu: 'the CPU, onnxruntime-web' },
    precision: 'Precision',
    half: 'f16 where it is exact enough',
    full: 'f32',
    codec: 'Video format',
    lastClip: 'Last clip',
    lastClipFacts: (first: number, total: number, peak: number) =>
      `first frames after ${seconds(Math.round(first * 10) / 10)} s, done after ${seconds(Math.round(total * 10) / 10)} s${peak > 0 ? `, ${mb(peak)} of GPU memory at most` : ''}`,
    launches: 'GPU dispatches a step',
    privacy: 'Privacy',
    requestsOwn: 'Asked of this page’s own address since it was opened',
    requestsElse: 'Asked of any other address',
    requestsHub: 'Asked of the model hub, for what you fetched there',
    requestsSince: 'Asked of anybody since the model was loaded',
    requestsBlocked: 'Attempts stopped, by Kinora or the content policy',
    offline: 'Without a network',
    offlineStates: {
      unknown: 'not known yet',
      none: 'not possible in this window',
      keeping: 'being prepared …',
      ready: 'everything is here',
    },
    licences: 'Licences of what the page is built of',
    licenceTexts: 'Their whole texts',
    about: 'About',
    aboutText: [
      'Every clip is made by artificial intelligence and says so in its file, next to the prompt and the settings. It shows nothing that happened.',
      'Pocket knows its own small world of boats, balloons, rockets and other simple things. For photographs and people a larger model is needed.',
      'The same prompt, settings and seed give frames that are bit-equal for the same build, graphics adapter and kernel choice; across adapters, the same noise and a close video.',
      'After the first visit the page works with the network off.',
    ],
  },

  tuning: {
    title: (n: number) => `Kernels chosen by trial: ${n}`,
    why: 'When a model is loaded for the first time, variants of a kernel are timed on this graphics adapter and the fastest is kept, for this browser and this version of the page.',
    ms: (ms: number) => `${ms.toPrecision(3)} ms`,
    chosen: 'chosen',
    unfit: 'does not work here',
    reset: 'Choose anew at the next load',
  },

  models: {
    title: 'Models on this device',
    none: 'Nothing is stored yet.',
    name: (name: string, edition: string) => `${name}, edition ${edition}`,
    unfinished: 'An unfinished download',
    small: (name: string) => `Small form of ${name}`,
    hub: (name: string) => `${name}, from a hub`,
    hubDamaged: (names: string) =>
      `Damaged and deleted: ${names}. Go on with the download to have it fetched again.`,
    size: mb,
    verify: 'Check',
    working: 'Checking …',
    remove: 'Delete',
    sound: (n: number) => (n === 1 ? '1 file, undamaged.' : `All ${n} files are undamaged.`),
    damaged: (names: string, n: number) =>
      `${n === 1 ? 'One file was' : `${n} files were`} damaged and deleted (${names}). What is missing is fetched when the model is next loaded.`,
    room: (used: number, quota: number) =>
      `Kinora uses ${mb(used)} of the ${mb(quota)} that this browser offers, clips included.`,
    memory:
      'The model could not be kept in this browser (a private window, or too little room). It works until this tab is closed, and is downloaded again next time.',
    persisted: 'The browser keeps the model and your clips until you delete them.',
    why: 'When the disk fills up, the browser may clear the model and your clips by itself, unless it is asked to keep them.',
    persist: 'Ask it to keep them',
    refused:
      'The browser did not promise it. It may do so after some visits, or once the page is installed or bookmarked; clips that matter are best downloaded.',
  },

  own: {
    title: 'Your own model',
    hint: 'Open the files of a Wan 2.1 text-to-video model from your disk: its transformer, its text encoder (UMT5-XXL), a decoder (the Wan VAE or taew2_1) and a tokenizer, as safetensors, GGUF or PyTorch files. They are read where they lie, and not copied. Dropping them on the page does the same.',
    files: 'Open files …',
    folder: 'Open a folder …',
    looking: 'Looking at the files …',
    parts: {
      transformer: 'Transformer',
      text_encoder: 'Text encoder',
      autoencoder: 'Decoder',
      tokenizer: 'Tokenizer',
      lora: 'LoRA',
      config: 'Description',
      shard: 'Part of another file',
    },
    nothing: 'Nothing that Kinora needs',
    facts: (size: number, parameters: number, types: string, layout: string) =>
      [
        mb(size),
        parameters >= 1e9
          ? `${(parameters / 1e9).toFixed(1)} billion numbers`
          : parameters >= 1e6
            ? `${Math.round(parameters / 1e6)} million numbers`
            : '',
        types,
        layout && `names as in ${layout}`,
      ]
        .filter(Boolean)
        .join(' · '),
    spare: 'not used',
    strength: 'Strength',
    times: (n: number) => `×${n.toFixed(2)}`,
    drop: (name: string) => `Leave out ${name}`,
    missing: (parts: string) => `Still missing: ${parts}. Open these files, too.`,
    sampling: 'Made as',
    samplings: {
      'self-forcing': 'Self-Forcing, 4 steps',
      longlive: 'LongLive, 4 steps, long clips',
      'causal-forcing': 'Causal-Forcing, 2 steps',
      fastwan: 'FastWan, 3 steps',
      rcm: 'rCM, 4 steps',
      wan: 'Wan 2.1 itself, 50 steps',
    } as Record<string, string>,
    quantize: 'Weights',
    asIs: 'as they are',
    bits: (n: number) => `${n} bits`,
    quantizeHint:
      'Fewer bits take less memory and lose a little. The smaller form is kept in this browser, so that the next start is quick.',
    planFor: 'GPU memory for',
    planItems: {
      transformer: 'Transformer',
      text_encoder: 'Text encoder, while it reads',
      autoencoder: 'Decoder',
      cache: 'What blocks remember of each other',
      work: 'Room to work',
      pieces: 'Pieces on their way while loading',
    },
    planIn8Bit: ', in 8 bit',
    planInTiles: (n: number) => `, in ${n} tiles`,
    planTotal: 'At most at one time',
    planFits: (total: number, limit: number) =>
      `${mb(total)} of the ${mb(limit)} that can be counted on here.`,
    use: 'Use this model',
    leave: 'Back to the bundled model',
  },

  hub: {
    title: 'Larger models, from a hub',
    hint: 'Wan 2.1 with 1.3 billion parameters, in the versions that people know. Nothing is asked of the hub before you press a button here. It then sees your network address and which files you fetch; never your words or your clips.',
    from: 'Fetched from',
    mirror: 'Or a mirror of your own',
    mirrorHint:
      'A folder on the host of this page that answers as the hub does. Other hosts cannot be reached from here: the page’s content policy was fixed when it was published.',
    mirrorProblems: {
      address: () => 'This is not the address of a mirror: a host and a folder, nothing behind them.',
      https: () => 'A mirror must be reached over https.',
      host: (known: string) =>
        `This page may reach only ${known} and its own host: its content policy was fixed when it was published. Who publishes it can add other hosts.`,
    } as Record<'address' | 'https' | 'host', (known: string) => string>,
    encoder: 'Text encoder',
    encoders: { q4: '4 bits', q5: '5 bits', q8: '8 bits', fp8: 'fp8' } as Record<string, string>,
    decoder: 'Decoder',
    decoders: { taehv: 'taew2_1, quick', vae: 'Wan VAE, exact' } as Record<string, string>,
    about: {
      'self-forcing': 'Plays while it is made, up to 5 seconds.',
      'self-forcing-fp8': 'The same in 8 bits, by somebody else: a quarter of the download.',
      longlive: 'Plays while it is made, up to a minute; shots may change.',
      'causal-forcing': 'As Self-Forcing, taught in another way: moves more.',
      'causal-forcing-2': 'Frame by frame in two steps: the quickest to begin.',
      fastwan: 'The whole clip at once, in three steps.',
      rcm: 'The whole clip at once, in four steps.',
      wan: 'The original: slow, with a negative prompt.',
    } as Record<string, string>,
    /** `all`: the size of every file is known. */
    size: (n: number, all: boolean) => (all ? `about ${mb(n)}` : `over ${mb(n)}`),
    steps: (n: number) => `${n} steps`,
    license: 'Licence',
    asHubSays: 'the hub says it before the download',
    gpu: (size: string) => `GPU memory for ${size}`,
    gpuNeeds: (n: number) => `${mb(n)} (8-bit weights)`,
    ask: 'Download …',
    again: 'Ask the hub again …',
    asking: 'Asking the hub …',
    noLicense: 'the hub names none',
    needed: (needed: number, all: number) =>
      needed === 0
        ? `All ${mb(all)} are here already.`
        : needed < all
          ? `${mb(needed)} of ${mb(all)} will be fetched; the rest is here already.`
          : `${mb(all)} will be fetched.`,
    room: (free: number) => `This browser offers ${mb(free)}.`,
    tooLittle: (free: number) =>
      `This browser offers only ${mb(free)}. Delete models or clips, or open the files from your disk.`,
    promise:
      'Every file is checked against the SHA-256 that the hub gives. The browser is asked to keep it, or it may clear it by itself when the disk fills up.',
    agree: (n: number) => `Download ${mb(n)}`,
    agreeHere: 'Take it',
    decline: 'Not now',
    under: (done: number, all: number) => `${mb(done)} of ${mb(all)}`,
    speed: (n: number) => `${mb(n)} a second`,
    checking: (file: string, percent: number) => `Checking ${file} · ${percent} %`,
    pause: 'Pause',
    resume: 'Go on',
    paused: (done: number, all: number) => `${mb(done)} of ${mb(all)} are here.`,
    whole: 'Here, and checked.',
    use: 'Use',
    progress: 'Progress of the download',
    disk: 'Do you have the files? Open them from your disk, below: they are not copied.',
    problems: {
      busy: 'Another tab downloads already. Wait until it is done, or pause it there.',
      gone: (file: string) =>
        `The hub has no ${file} any more. Choose another hub, or open the file from your disk.`,
      unhashed: (file: string) =>
        `The hub gives no SHA-256 of ${file}: it could not be checked, and is not fetched.`,
      refused: (status: number) =>
        `The hub refused (${status}): it may want an account, or be busy. What came so far is kept. Try again later, or choose another hub.`,
      network:
        'The hub cannot be reached. What came so far is kept; it goes on when you press “Go on”, or when the network is back.',
      wrong: (file: string) =>
        `What came as ${file} was twice not what the hub promised, and was thrown away. Try again later, or choose another hub.`,
      room: (needed: number) =>
        `There is no room for ${mb(needed)} in this browser. Delete models or clips, or open the files from your disk.`,
      missing: 'Some of it is not here any more. Go on with the download.',
    },
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

  notice: {
    software: 'No graphics hardware is used here, only a software adapter: it works, slowly.',
    backend: {
      'fallback-adapter':
        'Made on the CPU: this browser has only a software graphics adapter, which is slower still.',
      'no-adapter': 'Made on the CPU: WebGPU found no graphics adapter.',
      'no-webgpu': 'Made on the CPU: this browser does not offer WebGPU.',
      asked: 'Made on the CPU, as asked for in the address.',
    },
    cpu: (lack: string) => `${lack}. Your clips are made on the CPU instead, which works and is slower.`,
    cpuHow: 'How to use the graphics processor here',
    storageTitle: 'Clips are not kept',
    dismiss: 'Dismiss',
    retry: 'Try again',
    update: 'A new edition of Kinora is ready. It is used when you say so.',
    updateBusy: 'A new edition of Kinora is ready. It can be used when this clip is done.',
    updateElsewhere:
      'A clip is being made in another tab. The new edition can be used when that is done; nothing was changed.',
    updateUnfinished:
      'A new edition of Kinora is ready. The clip that was interrupted can be finished afterwards as well: the edition of the model that it was begun with stays until then.',
    updateUnkept:
      'A new edition of Kinora is ready. This browser does not keep the model, and the new one may not be able to finish the clip that was interrupted: finish it first.',
    updateNow: 'Use it now',
    recovered: ({
      reason,
      block,
      again = 0,
      tiles,
    }: {
      reason: 'device-lost' | 'out-of-memory' | 'worker-dead';
      block: number;
      again?: number;
      tiles?: number;
    }) =>
      `${
        reason === 'device-lost'
          ? 'The graphics processor went away and was opened anew'
          : reason === 'out-of-memory'
            ? tiles
              ? `Memory ran out, so pictures are now decoded in ${tiles} tiles, one after the other, which takes longer and changes nothing`
              : 'Memory ran out, so this clip now remembers earlier frames less exactly, or fewer of them'
            : 'The engine stopped answering and was started anew'
      }. ${
        again > 0
          ? `What was kept of ${again === 1 ? 'a finished block' : `${again} finished blocks`} could not be had, so ${again === 1 ? 'it is' : 'they are'} made again.`
          : `The clip went on behind ${block === 1 ? 'its finished block' : block === 0 ? 'its beginning' : `its ${block} finished blocks`}; nothing was lost.`
      }`,
    full: 'This browser’s storage is full. The clip is finished in memory and nothing of it is lost; keep this tab open, and download the clip when it is done. Deleting earlier clips makes room.',
    takeSize: (w: number, h: number) => `Use ${w} × ${h}`,
    usePocket: 'Open Pocket instead',
    details: 'Details for a bug report',
    errorTitle: 'That did not work',
  },

  missing: {
    'no-webgpu': 'This browser does not offer WebGPU',
    'no-adapter': 'WebGPU found no graphics adapter',
    'no-wasm': 'This browser has neither WebGPU nor WebAssembly SIMD',
    'no-webcodecs': 'This browser cannot write video (WebCodecs is missing)',
    'no-encoder': 'This browser has no video encoder that works',
    why: 'To make videos on your own graphics processor, Kinora needs all of these:',
    needs: {
      secure: 'A secure address',
      webgpu: 'WebGPU',
      adapter: 'A graphics adapter',
      codecs: 'WebCodecs',
    },
    has: 'there',
    lacks: 'missing',
    unknown: 'not tried',
    todo: 'What you can do here',
    clips: 'Your earlier clips can still be played and downloaded below.',
    again: 'Check again',
    useCpu: 'Use the CPU instead',
    advice: {
      insecure:
        'This page came over plain http, where browsers switch WebGPU off. Open it over https, or under the name localhost on the same machine.',
      chromeOld: 'Update Chrome or Edge: WebGPU needs version 113 or later (121 on Android).',
      chromeSettings:
        'In the browser’s settings, under System, switch “Use graphics acceleration” on, then restart the browser. chrome://gpu (edge://gpu) tells whether WebGPU is active.',
      chromeLinux:
        'On Linux, open chrome://flags, enable “Unsafe WebGPU Support” and “Vulkan”, and restart. Your Vulkan driver must be installed (package mesa-vulkan-drivers, or NVIDIA’s).',
      firefox:
        'Update Firefox: WebGPU is on in version 141 and later on Windows and 145 and later on Macs with Apple chips. Elsewhere open about:config and set dom.webgpu.enabled to true, or use Chrome or Edge.',
      safariMac: 'Update to Safari 26 (macOS Tahoe), or use a current Chrome or Edge.',
      safariIos: 'Update to iOS or iPadOS 26: every browser on this device then has WebGPU.',
      driver:
        'Update the graphics driver. A remote desktop or a virtual machine often hides the graphics card.',
      other: 'Open this page in a current Chrome, Edge, Firefox or Safari.',
      encoder: 'Use a current Chrome or Edge; some builds without H.264 also lack VP9 and AV1 encoders.',
    } satisfies Record<Advice, string>,
  },

  help: {
    title: 'Keys',
    close: 'Close help',
    rows: [
      ['Enter', 'Generate (in the prompt)'],
      ['Shift Enter', 'Next shot (in the prompt)'],
      ['↓ · Tab', 'Choose and take a word that is offered (in the prompt)'],
      ['Ctrl/⌘ Enter', 'Generate, from anywhere'],
      ['Esc', 'Cancel'],
      ['Ctrl/⌘ S', 'Download the MP4'],
      ['Space · K', 'Play, pause'],
      ['← →', 'One frame back, forward'],
      ['J · L', 'One second back, forward'],
      ['?', 'This list'],
    ],
  },

  problem: {
    prompt: (p: Problem) =>
      p.line
        ? `Line ${p.line} of the script will not do: it needs words, and a length, where it says one, of up to 3600 s, such as [4s].`
        : p.found === 0
          ? 'Say in a sentence what should be seen.'
          : `The prompt has ${p.found} characters; at most ${p.most} can be read. Shorten it.`,
    seed: (p: Problem) => `The seed must be a whole number from 0 to ${p.most}${butIs(p)}.`,
    seconds: (p: Problem) => `The length is ${p.found} s; a clip lasts up to ${p.most} s.`,
    size: (p: Problem) =>
      `${p.found} will not do: width and height must be multiples of 16, from 16 to ${p.most}.`,
    steps: (p: Problem) => `Steps must be a whole number from 1 to ${p.most}${butIs(p)}.`,
    window: (p: Problem) =>
      `The window must be a whole number of latent frames from ${p.least ?? 0} to ${p.most}${butIs(p)}.`,
    guidance: (p: Problem) => `Guidance must be a number from 1 to ${p.most}${butIs(p)}.`,
    negative: (p: Problem) =>
      `What shall not be seen has ${p.found} characters; at most ${p.most} can be read. Shorten it.`,
    sink: (p: Problem) =>
      `The sink must be a whole number of latent frames from ${p.least ?? 0} to ${p.most}, so that a block still fits into the window${butIs(p)}.`,
  },

  errors: {
    'no-webgpu': (e) => e.message,
    'no-adapter': (e) => e.message,
    'no-wasm': (e) => e.message,
    'no-webcodecs': (e) => e.message,
    'no-encoder': (e) => e.message,
    'bad-request': (e) => e.message,
    'no-model': (e) =>
      `There is no model “${e.params?.model ?? ''}” at this address. Check its name in the link.`,
    'bad-model': (e) => `The model’s files do not fit together. ${e.message}`,
    'hash-mismatch': (e) => e.message,
    network: (e) => `${e.message} What was downloaded so far is kept.`,
    'not-loaded': () => 'The model is not loaded yet. Try again: it is loaded first.',
    busy: () => 'A clip is being made already. Cancel it, or wait until it is done.',
    paused: () => 'Paused. What is made so far is kept.',
    cancelled: () => 'Stopped. Your words and settings are kept.',
    'out-of-memory': (e) => `${e.message} Your words and clips are kept.`,
    'device-lost': () =>
      'The graphics processor went away (a driver restart or sleep). Your words and clips are kept; generate again to go on.',
    'not-finite': (e) =>
      `The numbers ran away${e.params?.operation ? ` in ${e.params.operation}` : ''}, so the clip was stopped. Your words are kept; try another seed.`,
    storage: (e) => e.message,
    'worker-dead': () =>
      'The engine stopped unexpectedly. Your words and clips are kept; generate again to start it anew.',
    unfenced: (e) => e.message,
    internal: () =>
      'Something in Kinora went wrong. Your words and clips are kept; try again, or reload the page.',
  } satisfies Record<ErrorCode, (e: EngineError) => string>,
};

export type Words = typeof en;
