import type { EngineError } from '../../worker/protocol/result';
import type { Problem } from '../problems';
import type { notices as english } from './en-notices';
import { bytes } from './format';

const mb = (n: number) => bytes(n, 'zh');
/** Names of settings in errors of the engine and of dropped files. */
const names: Record<string, string> = {
  prompt: '提示词', seed: '种子', seconds: '时长', width: '宽度', height: '高度', size: '尺寸', steps: '步数', guidance: '引导强度', loras: 'LoRA 强度', negative: '不希望看到的内容', shift: '时间步偏移',
}; // prettier-ignore

function badRequest({ params = {} }: EngineError): string {
  if (params.minutes)
    return `${params.found} 的画面在这里每一步约需 ${params.minutes} 分钟。${params.fits ? `可以选择 ${params.fits}。` : '请选择较小的画面。'}`;
  const name = names[String(params.field ?? params.setting ?? '')];
  if (name) return `“${name}”的值不可用。您的文字和设置都已保留，请修改后重试。`;
  return '这个请求或文件不可用。若是文件，请选择由 Kinora 制作的完整 MP4。';
}

const partNames: Record<string, string> = {
  transformer: '去噪网络', text_encoder: '文本编码器', autoencoder: '解码器', tokenizer: '分词器',
}; // prettier-ignore

/** Files that do not fit together, or are not what they should be. Names of tensors and files stay as they are. */
function badModel({ params = {}, detail = '' }: EngineError): string {
  const { file, why } = params;
  switch (why) {
    case 'texts':
      return `去噪网络读取的文本每词 ${params.transformer} 个数，文本编码器给出的却是 ${params.encoder} 个。请使用与它配套的文本编码器（Wan 用 UMT5-XXL）。`;
    case 'picture':
      return `这个去噪网络接收 ${params.in} 个通道，输出 ${params.out} 个：它要从图片开始。请选择文生视频（T2V）的文件。`;
    case 'latents':
      return `去噪网络输出 ${params.transformer} 个通道的潜变量，解码器读取的却是 ${params.decoder} 个。请使用 Wan 2.1 的 VAE，或 taew2_1。`;
    case 'parts': {
      const lacking = String(params.parts).split(',').map((part) => partNames[part] ?? part); // prettier-ignore
      return `打开的文件中缺少：${lacking.join('、')}。请一并打开。`;
    }
    case 'tensors': {
      const counts = [[params.missing, '个缺少'], [params.misshapen, '个形状不同'], [params.surplus, '个不认识']] as const; // prettier-ignore
      const told = counts.filter(([n]) => Number(n) > 0).map(([n, what]) => `${n} ${what}`);
      const names = detail.split('\n').slice(0, 3).map((line) => line.replace(/^(missing|unknown): /, '').split(' ')[0]); // prettier-ignore
      return `${file} 不是所需的网络：张量中 ${told.join('，')}（${names.join('、')}${Number(params.missing) + Number(params.misshapen) + Number(params.surplus) > 3 ? ' 等' : ''}）。请换一个文件。`;
    }
    case 'dora':
      return `${file} 是 DoRA：它对权重的改变取决于整个权重，而 Kinora 只能合并普通的 LoRA。请换一个普通的 LoRA，或先用制作它的程序把它合并进模型。`;
    case 'layers':
      return params.most
        ? `${file} 不是所需的网络：它有 ${params.layers} 层，最多只能有 ${params.most} 层。请换一个文件。`
        : `${file} 不是所需的网络：其中有第 ${params.layer} 层的张量，却没有第 ${params.missing} 层的（从 0 数起）。它不完整或已损坏，请换一个文件，或重新下载。`;
    case 'file':
      return `无法读取文件“${file}”：它不完整、已损坏，或是 Kinora 不支持的格式。请去掉它，换一个文件，或重新下载。`;
    default:
      return `模型文件${file ? `（${file}）` : ''}已损坏、不受支持或互不匹配。请换一个文件，或重新下载。`;
  }
}

const nowIs = ({ found }: Problem) => (found === '' ? '' : `，现在是“${String(found).slice(0, 40)}”`);

export const notices: typeof english = {
  notice: {
    software: '这里没有使用显卡，只有软件渲染：可以用，但很慢。',
    backend: {
      'fallback-adapter': '由处理器生成：此浏览器只有软件图形适配器，用它会更慢。',
      'no-adapter': '由处理器生成：WebGPU 没有找到显卡。',
      'no-webgpu': '由处理器生成：此浏览器没有 WebGPU。',
      asked: '按地址中的要求，由处理器生成。',
    },
    cpu: (lack: string) => `${lack}。视频改由处理器生成：可以用，但较慢。`,
    cpuHow: '怎样在这里使用显卡',
    storageTitle: '视频不会被保存',
    dismiss: '知道了',
    retry: '重试',
    update: 'Kinora 有新版本，您同意后才会使用。',
    updateBusy: 'Kinora 有新版本，这段视频完成后可以使用。',
    updateElsewhere: '另一个标签页正在生成视频，完成后才能使用新版本；没有改变任何内容。',
    updateUnfinished: 'Kinora 有新版本。中断的视频之后仍可完成：开始它时所用的模型版本会一直保留到那时。',
    updateUnkept: 'Kinora 有新版本。此浏览器没有保存模型，新版本可能无法完成中断的视频：请先完成它。',
    updateNow: '现在使用',
    outdated: '网站已有新版本，其文件与此页面所需的不同。请使用新版本；您的文字和视频都会保留。',
    recovered: ({ reason, block, again = 0, tiles }) =>
      `${
        reason === 'device-lost'
          ? '显卡曾经中断，已重新打开'
          : reason === 'out-of-memory'
            ? tiles
              ? `内存不足，画面改为分成 ${tiles} 块依次解码，速度较慢，画面不变`
              : '内存不足，这段视频对先前画面的记忆已降低精度或缩短范围'
            : '引擎停止了响应，已重新启动'
      }，${
        again > 0
          ? `已完成的 ${again} 块无法取回，正在重新生成。`
          : `${block === 0 ? '这段视频从头开始' : `从已完成的 ${block} 块之后继续`}，没有丢失任何内容。`
      }`,
    full: '此浏览器的存储空间已满。这段视频会在内存中完成，不会丢失任何内容；请保持此标签页打开，完成后下载。删除以前的视频可以腾出空间。',
    takeSize: (w, h) => `改用 ${w} × ${h}`,
    usePocket: '改用 Pocket',
    details: '错误报告所需的细节',
    errorTitle: '没有成功',
  },

  missing: {
    'no-webgpu': '此浏览器没有 WebGPU',
    'no-adapter': 'WebGPU 没有找到显卡',
    'no-wasm': '此浏览器既没有 WebGPU，也没有 WebAssembly SIMD',
    'no-webcodecs': '此浏览器不能写视频（缺少 WebCodecs）',
    'no-encoder': '此浏览器没有可用的视频编码器',
    why: 'Kinora 在您自己的显卡上生成视频，需要以下条件：',
    needs: { secure: '安全的网址', webgpu: 'WebGPU', adapter: '显卡', codecs: 'WebCodecs' },
    has: '具备',
    lacks: '缺少',
    unknown: '未检查',
    todo: '您可以这样做',
    clips: '以前的视频仍可在下方播放和下载。',
    again: '再次检查',
    useCpu: '改用处理器',
    advice: {
      insecure:
        '此页面通过普通 http 打开，浏览器因此关闭了 WebGPU。请用 https 打开，或在同一台机器上用 localhost 打开。',
      chromeOld: '请更新 Chrome 或 Edge：WebGPU 需要 113 或更高版本（安卓为 121）。',
      chromeSettings:
        '在浏览器设置的“系统”中打开“使用图形加速”，然后重启浏览器。chrome://gpu（edge://gpu）会显示 WebGPU 是否可用。',
      chromeLinux:
        '在 Linux 上打开 chrome://flags，启用“Unsafe WebGPU Support”和“Vulkan”，然后重启。须已安装 Vulkan 驱动（mesa-vulkan-drivers 软件包，或 NVIDIA 驱动）。',
      firefox:
        '请更新 Firefox：Windows 上 141 起、Apple 芯片的 Mac 上 145 起已启用 WebGPU。其他系统请在 about:config 中把 dom.webgpu.enabled 设为 true，或改用 Chrome 或 Edge。',
      safariMac: '请更新到 Safari 26（macOS Tahoe），或使用最新的 Chrome 或 Edge。',
      safariIos: '请更新到 iOS 或 iPadOS 26，之后此设备上的所有浏览器都有 WebGPU。',
      driver: '请更新显卡驱动。远程桌面和虚拟机常常会隐藏显卡。',
      other: '请用最新的 Chrome、Edge、Firefox 或 Safari 打开此页面。',
      encoder: '请使用最新的 Chrome 或 Edge；有些不带 H.264 的版本也没有 VP9 和 AV1 编码器。',
    },
  },

  help: {
    title: '快捷键',
    close: '关闭帮助',
    rows: [
      ['Enter', '生成（在提示词中）'],
      ['Shift Enter', '下一个镜头（在提示词中）'],
      ['↓ · Tab', '挑选、采用建议的词（在提示词中）'],
      ['Ctrl/⌘ Enter', '在任何位置生成'],
      ['Esc', '取消'],
      ['Ctrl/⌘ S', '下载 MP4'],
      ['Space · K', '播放、暂停'],
      ['← →', '后退、前进一帧'],
      ['J · L', '后退、前进一秒'],
      ['?', '显示此列表'],
    ],
  },

  problem: {
    prompt: (p) =>
      p.line
        ? `脚本第 ${p.line} 行不可用：需要文字；若写时长，最多 3600 秒，写作 [4s]。`
        : p.found === 0
          ? '请用一句话说出想看到什么。'
          : `提示词有 ${p.found} 个字符，最多只能读 ${p.most} 个，请缩短。`,
    seed: (p) => `种子必须是 0 到 ${p.most} 的整数${nowIs(p)}。`,
    seconds: (p) => `时长为 ${p.found} 秒，视频最长 ${p.most} 秒。`,
    size: (p) => `${p.found} 不可用：宽和高必须是 16 的倍数，从 16 到 ${p.most}。`,
    steps: (p) => `步数必须是 1 到 ${p.most} 的整数${nowIs(p)}。`,
    window: (p) => `窗口必须是 ${p.least ?? 0} 到 ${p.most} 之间的整数个潜帧${nowIs(p)}。`,
    guidance: (p) => `引导强度必须是 1 到 ${p.most} 的数${nowIs(p)}。`,
    shift: (p) => `时间步偏移必须是 1 到 ${p.most} 的数${nowIs(p)}。`,
    negative: (p) => `“不希望看到的内容”有 ${p.found} 个字符，最多只能读 ${p.most} 个，请缩短。`,
    sink: (p) =>
      `锚点必须是 ${p.least ?? 0} 到 ${p.most} 之间的整数个潜帧，窗口里还要放得下一段${nowIs(p)}。`,
  },

  errors: {
    'no-webgpu': () => '此浏览器没有 WebGPU。请使用最新的 Chrome、Edge、Firefox 或 Safari。',
    'no-adapter': () => 'WebGPU 没有找到显卡。请更新显卡驱动，并在浏览器设置中打开图形加速。',
    'no-wasm': () => '此浏览器没有 WebAssembly SIMD，无法用处理器生成。请更新浏览器。',
    'no-webcodecs': () =>
      '此浏览器不能写视频（缺少 WebCodecs）。请使用最新的 Chrome、Edge、Firefox 或 Safari。',
    'no-encoder': ({ params }) =>
      `此浏览器无法编码${params?.width ? ` ${params.width} × ${params.height} 的` : ''}视频。请选择较小的尺寸，或换一个浏览器。`,
    'bad-request': badRequest,
    'no-model': ({ params }) => `这个网址没有名为“${params?.model ?? ''}”的模型，请检查链接中的名称。`,
    'bad-model': badModel,
    'hash-mismatch': ({ params }) =>
      `文件${params?.file ? ` ${params.file} ` : ''}与预期不符，可能下载时受损。${params?.kept ? '此前已下载的部分都已保留；请稍后重试。' : '请重试，它会重新下载。'}`,
    network: ({ params }) =>
      `无法下载${params?.file ? ` ${params.file}` : '模型文件'}。已下载的部分都已保留；请检查网络后重试。`,
    'not-loaded': () => '模型还没有加载。请重试，会先加载模型。',
    busy: () => '正在生成另一段视频。请先取消，或等它完成。',
    paused: () => '已暂停。已完成的部分都已保留。',
    cancelled: () => '已停止。您的文字和设置都已保留。',
    'out-of-memory': ({ params }) =>
      `${params?.found ? `${params.found} 的画面需要约 ${mb(Number(params.needed))} 内存，这里最多 ${mb(Number(params.limit))}` : '内存不足'}。您的文字和视频都已保留；${params?.fits ? `可以选择 ${params.fits}。` : params?.quantize ? `权重改为 ${params.quantize} 位后，${params.then} 放得下。` : '请选择较小的画面或较短的时长，或关闭其他标签页。'}${params?.setting === 'gpuMemory' ? '如果您的显卡显存更多，可在设置的“显卡的显存”中说明。' : ''}`,
    'device-lost': () => '显卡中断了（驱动重启或休眠）。您的文字和视频都已保留；再点一次“生成”即可继续。',
    'not-finite': ({ params }) =>
      `计算中出现了无效的数${params?.operation ? `（${params.operation}）` : ''}，视频已停止。您的文字已保留，请换一个种子。`,
    storage: ({ params }) =>
      params?.edition
        ? `此浏览器中已没有开始这段视频时所用的模型版本（${params.edition}），网站上的是另一个版本。这段视频只能重新生成。`
        : params?.needed
          ? `存储空间不足：需要 ${mb(Number(params.needed))}${params.free === undefined ? '' : `，剩余 ${mb(Number(params.free))}`}。请下载视频，或删除旧视频。`
          : '浏览器的存储空间无法读写（可能是无痕窗口）。视频仍可下载。',
    'worker-dead': () => '引擎意外停止了。您的文字和视频都已保留；再点一次“生成”即可重新启动。',
    unfenced: () =>
      '没有向模型站请求任何内容：此页面的 service worker 没有运行，无法保证下载只访问模型站的地址。请重新加载页面后再试，不要使用无痕窗口。',
    internal: () => 'Kinora 内部出错了。您的文字和视频都已保留；请重试，或重新加载页面。',
  },
};
