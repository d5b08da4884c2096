/** What is said when something happens or is missing: notices, help, what is wrong with a setting, errors. */
import type { EngineError, ErrorCode } from '../../worker/protocol/result';
import type { Advice } from '../browser';
import type { Problem } from '../problems';

/** What stands in the field, if anything does. */
const butIs = ({ found }: Problem) => (found === '' ? '' : `, but it is “${String(found).slice(0, 40)}”`);

/** Of a model's files: one that cannot be read says nothing of how the others fit. */
function modelHeading({ params = {} }: EngineError): string {
  switch (params.why) {
    case 'texts':
    case 'picture':
    case 'latents':
    case 'parts':
      return 'The model’s files do not fit together.';
    case 'tensors':
    case 'layers':
      return 'This file is not what it was taken for.';
    case 'file':
      return 'This file cannot be read.';
    default:
      return params.file ? 'This file cannot be used.' : 'The model cannot be used.';
  }
}

export const notices = {
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
    outdated:
      'The site has a newer edition by now, and with it other files than this page expects. Use the newer one; your words and clips are kept.',
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
    shift: (p: Problem) => `Shift must be a number from 1 to ${p.most}${butIs(p)}.`,
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
    'bad-model': (e) => `${modelHeading(e)} ${e.message}`,
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
