/** The words of the settings' drawer: settings, models, the person's own files, hubs. */
import { bytes, seconds } from './format';

const mb = (n: number) => bytes(n, 'en');

export const drawer = {
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
    modelCard: 'What Kinora Pocket can and cannot do, and how it was trained',
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
    unread: 'A file that cannot be read',
    leaveOut: 'Leave out',
    drop: (name: string) => `Leave out ${name}`,
    missing: (parts: string) => `Still missing: ${parts}. Open these files, too.`,
    sampling: 'Made as',
    samplings: {
      'self-forcing': 'Self-Forcing, 4 steps',
      longlive: 'LongLive, 4 steps, long clips',
      'causal-forcing': 'Causal-Forcing, 2 steps',
      fastwan: 'FastWan, 3 steps',
      rcm: 'rCM, 4 steps',
      wan: 'Wan 2.1 itself, UniPC, 50 steps',
      'wan-euler': 'Wan 2.1 itself, flow-match Euler, 50 steps',
    } as Record<string, string>,
    quantize: 'Weights',
    asIs: 'as they are',
    bits: (n: number) => `${n} bits`,
    quantizeHint:
      'Fewer bits take less memory and lose a little; 4 bits are Q4_K where the model’s shapes allow it, else Q4_0. The smaller form is kept in this browser, so that the next start is quick.',
    raised: 'Weights that a LoRA changes are kept in 8 bits: in 4 most of a small change would be lost.',
    gpuMemory: 'Memory of your GPU',
    gpuMemoryUsual: (n: number) => `not said (${mb(n)})`,
    gpuMemoryHint: (n: number) =>
      `This browser does not say how much memory your GPU has. Kinora counts on ${mb(n)}. If yours has more, or less, say so here: what is refused goes by it. (A card sold with 8 GB has 8.6 as they are counted here.)`,
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
    planCounting: 'Counting for this choice …',
    planLimit: `No browser tells how much memory a graphics card has. What can be counted on is taken to be twice the largest buffer that the adapter allows, at least ${mb(2 ** 30)} and at most ${mb(2 ** 33)}.`,
    converted: (types: string) =>
      `There are no kernels for ${types}: those weights are computed with in 8 bits (Q8_0), which is a little off.`,
    sparse:
      'It was trained with sparse attention. Here it attends to everything, without the gates that only sparse attention has: its pictures may differ from its authors’.',
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
      fastwan:
        'The whole clip at once, in three steps. Trained with sparse attention, which is not used here.',
      rcm: 'The whole clip at once, in four steps.',
      wan: 'The original: slow, with a negative prompt.',
    } as Record<string, string>,
    /** `all`: the size of every file is known. */
    size: (n: number, all: boolean) => (all ? `about ${mb(n)}` : `over ${mb(n)}`),
    steps: (n: number) => `${n} steps`,
    license: 'Licence',
    asHubSays: 'the hub says it before the download',
    licenseLater: 'licence: the hub says it',
    gpuBrief: (least: number, most: number) => `wants ${mb(least)} to ${mb(most)} of GPU memory`,
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
      other: (file: string, kept: number) =>
        `The hub answered twice with something else than ${file}. The ${mb(kept)} that came before are kept: go on later, or choose another hub.`,
      room: (needed: number) =>
        `There is no room for ${mb(needed)} in this browser. Delete models or clips, or open the files from your disk.`,
      missing: 'Some of it is not here any more. Go on with the download.',
    },
  },
};
