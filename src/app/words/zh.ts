import type { EngineError } from '../../worker/protocol';
import type { Problem } from '../problems';
import type { Words } from './en';
import { bytes, seconds } from './format';

const mb = (n: number) => bytes(n, 'zh');
const tenth = (s: number) => seconds(Math.round(s * 10) / 10);
/** Names of settings in errors of the engine and of dropped files. */
const names: Record<string, string> = {
  prompt: '提示词', seed: '种子', seconds: '时长', width: '宽度', height: '高度', size: '尺寸', steps: '步数', guidance: '引导强度', negative: '不希望看到的内容',
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
    default:
      return `模型文件${file ? `（${file}）` : ''}已损坏、不受支持或互不匹配。请换一个文件，或重新下载。`;
  }
}

const nowIs = ({ found }: Problem) => (found === '' ? '' : `，现在是“${String(found).slice(0, 40)}”`);

export const zh: Words = {
  language: '简体中文',
  title: 'Kinora：在浏览器标签页里，从文字到视频',
  example: '一艘红色的帆船日落时在海上漂流',

  header: {
    local: '只在本机运行',
    sent: (n) => `${n} 次请求`,
    sentHint: (own, elsewhere) =>
      `由浏览器统计，自模型加载完成起。自打开页面起：读取本页面自己的文件 ${own} 次，向其他地址 ${elsewhere} 次。您的文字和视频不会离开这台设备。`,
    settings: '设置',
    help: '帮助与快捷键',
    skip: '跳到提示词',
  },

  model: (name, size) => `${name} · ${mb(size)}`,

  stage: {
    label: '画面',
    showcase: (name) => `由 ${name} 生成`,
    emptyTitle: '说出来，看它出现。',
    emptyText: '一句话变成一段视频，就在您自己的机器上。',
    preview: '正在生成的画面',
    video: (prompt) => `视频：${prompt}`,
    play: '播放',
    pause: '暂停',
    position: '播放位置',
    positionOf: (at, all) => `${at}，共 ${all}`,
    download: '下载',
    downloadHint: '保存 MP4（Ctrl 或 ⌘ S）',
    use: '使用这些设置',
    link: '复制包含这些描述和设置的链接',
    linkCopied: '链接已复制。描述和设置写在 # 之后，浏览器不会把这一部分发给任何服务器。',
    linkShown: '链接已显示在地址栏，可以从那里复制。# 之后的部分不会发给任何服务器。',
    remove: '删除',
    close: '关闭',
    seed: (n) => `种子 ${n}`,
    length: (s) => `${seconds(s)} 秒`,
    steps: (n) => `${n} 步`,
    drop: '把 Kinora 视频拖到这里，恢复它的设置；也可以拖入图片或视频作为开头，或拖入模型文件',
  },

  progress: {
    label: '进度',
    checking: '正在检查浏览器……',
    download: (name, done, all) => `正在下载 ${name}（仅此一次）· ${mb(done)} / ${mb(all)}`,
    free: (n) => `浏览器可提供 ${mb(n)}`,
    convert: (file, done, all) => `正在压缩 ${file} · ${mb(done)} / ${mb(all)}，仅此一次`,
    check: (file, done, all) => `正在校验 ${file} · ${mb(done)}，共 ${mb(all)}`,
    upload: (done, all) => `正在把模型送入显卡 · ${mb(done)} / ${mb(all)}`,
    compile: (done, all) => `正在准备显卡 · ${done} / ${all} 个程序`,
    opening: (name) => `正在打开 ${name}……`,
    ready: '就绪',
    queued: '就绪后立即开始生成',
    starting: '正在开始……',
    text: '正在阅读提示词',
    denoise: (block, blocks, step, steps) =>
      `第 ${block} 段，共 ${blocks} 段 · 第 ${step} 步，共 ${steps} 步`,
    decode: (block, blocks) => `第 ${block} 段，共 ${blocks} 段 · 正在显影`,
    encode: '正在写入 MP4',
    finish: '正在完成文件',
    stopping: '这一步结束后停止……',
    stopped: '已停止。您的文字和设置都已保留。',
    done: (total) => `用时 ${tenth(total)} 秒`,
    left: (s) => (s >= 90 ? `大约还需 ${Math.round(s / 60)} 分钟` : `大约还需 ${Math.ceil(s)} 秒`),
    paused: '已暂停。已完成的部分都已保留。',
    realTime: (x) => `实时 ×${x >= 10 ? Math.round(x) : x.toFixed(x >= 1 ? 1 : 2)}`,
    measuring: '正在估算所需时间',
    percent: (n) => `${n}%`,
  },

  prompt: {
    label: '提示词',
    placeholder: '想看到什么？',
    generate: '生成',
    cancel: '取消',
    stopping: '正在停止',
    surprise: '来点惊喜',
    surpriseHint: '用模型认识的词拼成一句提示词',
    replaced: '您的提示词已被替换。',
    unknown: (model) => `${model} 不认识：`,
    moreWords: (n) => `另有 ${n} 个`,
    comma: '、',
    replaceWord: (word, by) => `把“${word}”改为“${by}”`,
    offers: '模型认识的词：按向下键挑选，按 Tab 键采用',
  },

  steer: {
    label: '接下来发生什么',
    placeholder: '接下来发生什么？后面的画面会跟上。',
    tell: '告诉它',
    told: (text) => `从下一段开始：${text}`,
    taken: (text, block) => `从第 ${block} 段开始：${text}`,
    last: '正在制作最后一段；完成后可以延长这段视频。',
    wordless: '请用文字说出想看到什么。',
    refused: (most) =>
      `没有采用这句话${most > 0 ? `：加上它，脚本会超过 ${most} 个字符` : ''}。视频按原来的内容继续。`,
    pause: '暂停',
    pauseHint: '释放显卡并保留已完成的部分，随时可以继续',
  },

  lastModel: {
    text: (name) => `您上次使用的是 ${name}。浏览器需要您允许后才能再次读取它的文件。`,
    trying: (name) => `上次正在加载 ${name} 时页面被关闭，或因此出错。`,
    lost: (name, files) => `已找不到 ${name} 的文件。请在设置中重新选择：${files}。`,
    open: '重新打开',
    forget: '不再提示',
  },

  unfinished: {
    text: (prompt, done, all) =>
      done > 0
        ? `“${prompt}”在第 ${done} 段（共 ${all} 段）之后中断了。`
        : `“${prompt}”在第一段（共 ${all} 段）中断了。`,
    go: '继续',
    discard: '放弃',
  },

  more: {
    label: '用这段视频做什么',
    extend: '延长',
    extendHint: '保留这段视频，从结尾继续',
    remix: '重做',
    remixHint: '用别的文字重新生成这段视频',
    remixing: (prompt) => `重做“${prompt}”`,
    strength: '重新生成的程度',
    stop: '不重做',
    loop: '循环',
    loopHint: '结尾接回开头',
    seam: (x) => `接缝为视频中较大变化的 ${x.toFixed(1)} 倍`,
    draft: '先出草稿',
    draftHint: '用同一个种子快速看一个较小的版本，满意再生成正片',
    final: '生成正片',
    script: '按 Shift Enter 写下一个镜头。行中的 [4s] 是时长，[cut] 表示硬切。',
    shots: (n, s) => `${n} 个镜头，${seconds(s)} 秒`,
    long: '比模型学过的更长：画面可能会渐渐走样。',
  },

  picture: {
    use: '从图片或视频开始',
    drop: '不用这张图片',
    frame: '图片中被使用的部分',
    unable: (name) => `${name} 没有编码器，不能从图片开始。什么都没有改变。`,
    broken: (name) => `无法把 ${name} 读作图片。请选择 PNG、JPEG 或 WebP 文件。`,
  },

  video: {
    this: '这段视频',
    label: '用这段视频做什么',
    extend: '从结尾继续',
    remix: '重新生成',
    drop: '不用这段视频',
    frame: '视频中被使用的部分',
    used: (s) => `使用其中 ${tenth(s)} 秒`,
    unable: (file, name) =>
      `${file} 中没有 Kinora 的设置，而 ${name} 没有编码器，不能从视频开始。什么都没有改变。`,
    broken: (file) => `此浏览器无法播放 ${file}。请选择 MP4 或 WebM 视频。`,
  },

  options: {
    length: '时长',
    lengthOf: (s) => `${seconds(s)} 秒`,
    size: '画面',
    sizeOf: (w, h, shape) => `${shape}，${w} × ${h} 像素`,
    native: '模型最熟悉的尺寸',
    untaught: '模型没有学过这个画面尺寸，效果会差一些。',
    seed: '种子',
    seedNew: '每次都换',
    seedKept: '保持不变',
    seedHint: '种子是随机的起点。提示词、设置和种子都相同，视频就相同。',
    dice: '换一个种子并保留',
    steps: '步数',
    stepsHint: (n) => `步数越多越慢，画面可能更干净。这个模型适合 ${n} 步。`,
    stepsReset: '使用模型默认值',
    window: '窗口',
    sink: '锚点',
    guidance: '引导强度',
    negative: '不希望看到的内容',
    guidanceHint: (scale) =>
      `画面有多贴近您的文字、远离这里的内容。此模型发布时用的是 ${scale}；1 表示不引导，速度快一倍。`,
    windowHint: (window, sink) =>
      `每一段能看到多少个潜帧（每个潜帧 4 幅画面），以及视频变长后最初的多少个一直可见。这个模型学的是 ${window} 和 ${sink}。窗口越大，前后越连贯，占用的内存也越多。`,
    cacheBits: '先前画面',
    bits: (n) => (n === null ? '自动' : `${n} 位`),
    cacheBitsHint: '8 位占用的内存约为 16 位的一半，精度略低。自动时使用 16 位，放不下才改用 8 位。',
  },

  drawer: {
    title: '设置',
    close: '关闭设置',
    picture: '视频',
    look: '外观',
    theme: '主题',
    themes: { auto: '跟随系统', dark: '深色', light: '浅色' },
    languageLabel: '语言',
    keys: '单键快捷键',
    keysHint: '在文本框之外使用空格、方向键、J K L 和 ?。',
    open: '打开视频……',
    openHint:
      '恢复由 Kinora 制作的 MP4 的设置；模型支持时，图片或其他视频会成为下一段视频的开头。把文件拖到页面上或粘贴也可以。',
    machine: '这台设备',
    modelLabel: '模型',
    edition: (name, edition) => `${name}，第 ${edition} 版`,
    adapter: '显卡',
    unknown: '尚不清楚',
    software: '软件渲染',
    unused: '未使用',
    backendLabel: '计算方式',
    backends: { webgpu: 'WebGPU，Kinora 自己的内核', cpu: '处理器，onnxruntime-web' },
    precision: '精度',
    half: '在足够精确处使用 f16',
    full: 'f32',
    codec: '视频格式',
    lastClip: '上一段视频',
    lastClipFacts: (first, total, peak) =>
      `${tenth(first)} 秒后出现首批画面，${tenth(total)} 秒完成${peak > 0 ? `，显存最多占用 ${mb(peak)}` : ''}`,
    launches: '每步的 GPU 调度次数',
    privacy: '隐私',
    requestsOwn: '打开页面以来，读取本页面自己的文件',
    requestsElse: '向其他地址的请求',
    requestsHub: '为您下载模型而向模型站发出的请求',
    requestsSince: '模型加载完成以来的全部请求',
    requestsBlocked: '被 Kinora 或内容策略拦下的请求',
    offline: '断网使用',
    offlineStates: { unknown: '尚不清楚', none: '此窗口不支持', keeping: '正在准备……', ready: '已全部就绪' },
    licences: '本页面所用软件的许可证',
    licenceTexts: '许可证全文',
    about: '关于',
    aboutText: [
      '每段视频都由人工智能生成，文件里会写明这一点，并附上提示词和设置。画面中的事情并未发生过。',
      'Pocket 只认识自己的小世界：船、气球、火箭等简单的东西。照片般的画面和人物需要更大的模型。',
      '提示词、设置和种子相同，在同一版本、同一显卡、同样的内核选择下，每一帧逐位相同；换了显卡，噪声相同，视频相近。',
      '第一次访问之后，断网也能使用。',
    ],
  },

  tuning: {
    title: (n) => `实测选定的计算内核：${n} 项`,
    why: '首次加载模型时，会在这块显卡上对同一内核的几种写法计时，保留最快的一种，仅对当前浏览器和当前页面版本有效。',
    ms: (ms) => `${ms.toPrecision(3)} 毫秒`,
    chosen: '已选用',
    unfit: '在此不可用',
    reset: '下次加载时重新选择',
  },

  models: {
    title: '本机上的模型',
    none: '还没有保存任何模型。',
    name: (name, edition) => `${name}，第 ${edition} 版`,
    unfinished: '未完成的下载',
    small: (name) => `${name} 的压缩形式`,
    hub: (name) => `${name}（来自模型站）`,
    hubDamaged: (names) => `已损坏并被删除：${names}。继续下载即可重新获取。`,
    size: (n) => `共 ${mb(n)}`,
    verify: '检查',
    working: '正在检查……',
    remove: '删除',
    sound: (n) => `${n} 个文件全部完好。`,
    damaged: (names, n) => `${n} 个文件已损坏并被删除（${names}）。下次加载模型时会重新下载。`,
    room: (used, quota) => `Kinora 已使用 ${mb(used)}，此浏览器最多提供 ${mb(quota)}（包括视频）。`,
    memory: '此浏览器无法保存模型（无痕窗口，或空间不足）。关闭标签页之前可以使用，下次会重新下载。',
    persisted: '浏览器会一直保留模型和您的视频，直到您删除它们。',
    why: '磁盘空间不足时，浏览器可能自行清除模型和您的视频，除非请它保留。',
    persist: '请浏览器保留',
    refused: '浏览器没有答应。多次访问、安装此页面或加入书签之后它可能会答应；重要的视频最好下载。',
  },

  own: {
    title: '您自己的模型',
    hint: '从磁盘打开 Wan 2.1 文生视频模型的文件：Transformer、文本编码器（UMT5-XXL）、解码器（Wan VAE 或 taew2_1）和分词器，格式可为 safetensors、GGUF 或 PyTorch。文件就地读取，不会被复制。拖放到页面上也可以。',
    files: '打开文件……',
    folder: '打开文件夹……',
    looking: '正在查看文件……',
    parts: {
      transformer: '去噪网络（Transformer）',
      text_encoder: '文本编码器',
      autoencoder: '解码器',
      tokenizer: '分词器',
      lora: '微调（LoRA）',
      config: '说明文件',
      shard: '另一文件的一部分',
    },
    nothing: 'Kinora 用不到',
    facts: (size, parameters, types, layout) =>
      [
        mb(size),
        parameters >= 1e8
          ? `${(parameters / 1e8).toFixed(1)} 亿参数`
          : parameters >= 1e4
            ? `${Math.round(parameters / 1e4)} 万参数`
            : '',
        types,
        layout && `命名方式：${layout}`,
      ]
        .filter(Boolean)
        .join(' · '),
    spare: '未使用',
    strength: '强度',
    times: (n) => `${n.toFixed(2)} 倍`,
    drop: (name) => `去掉 ${name}`,
    missing: (parts) => `还缺少：${parts}。请一并打开这些文件。`,
    sampling: '生成方式',
    samplings: {
      'self-forcing': 'Self-Forcing，4 步',
      longlive: 'LongLive，4 步，可生成长片',
      'causal-forcing': 'Causal-Forcing，2 步',
      fastwan: 'FastWan，3 步',
      rcm: 'rCM，4 步',
      wan: 'Wan 2.1 原版，50 步',
    },
    quantize: '权重',
    asIs: '保持原样',
    bits: (n) => `${n} 位`,
    quantizeHint: '位数越少，占用的显存越少，质量略有损失。压缩后的形式会保存在此浏览器中，下次启动更快。',
    planFor: '显存需求，画面',
    planItems: {
      transformer: '去噪网络（Transformer）',
      text_encoder: '文本编码器（读取文字时）',
      autoencoder: '解码器',
      cache: '各段之间的记忆',
      work: '计算空间',
      pieces: '加载途中的数据',
    },
    planIn8Bit: '（8 位）',
    planInTiles: (n) => `（分 ${n} 块解码）`,
    planTotal: '同一时刻最多',
    planFits: (total, limit) => `需要 ${mb(total)}，此处可用 ${mb(limit)}。`,
    use: '使用此模型',
    leave: '回到自带的模型',
  },

  hub: {
    title: '更大的模型（从模型站下载）',
    hint: 'Wan 2.1 的 13 亿参数模型，各种常见版本。在您按下这里的按钮之前，不会向模型站发出任何请求。之后它会看到您的网络地址和您下载的文件，但绝不会看到您的文字和视频。',
    from: '下载来源',
    mirror: '或您自己的镜像',
    mirrorHint:
      '本页面所在主机上的一个目录，应答方式与模型站相同。其他主机无法访问：页面的内容策略在发布时就已确定。',
    mirrorProblems: {
      address: () => '这不是镜像地址：只需主机和目录，后面不要有别的内容。',
      https: () => '镜像必须通过 https 访问。',
      host: (known) =>
        `本页面只能访问 ${known} 和它自己的主机：内容策略在发布时就已确定。发布页面的人可以添加其他主机。`,
    },
    encoder: '文本编码器',
    encoders: { q4: '4 位', q5: '5 位', q8: '8 位', fp8: 'fp8 格式' },
    decoder: '解码器',
    decoders: { taehv: 'taew2_1，快速', vae: 'Wan VAE，精确' },
    about: {
      'self-forcing': '边生成边播放，最长 5 秒。',
      'self-forcing-fp8': '同一模型的 8 位版本，由他人转换：下载量只有四分之一。',
      longlive: '边生成边播放，最长一分钟，可以更换镜头。',
      'causal-forcing': '与 Self-Forcing 相似，训练方法不同：动作更丰富。',
      'causal-forcing-2': '逐帧生成，只需两步：最快看到画面。',
      fastwan: '整段视频一次生成，三步。',
      rcm: '整段视频一次生成，四步。',
      wan: '原版模型：较慢，可用反向提示词。',
    },
    size: (n, all) => (all ? `约 ${mb(n)}` : `超过 ${mb(n)}`),
    steps: (n) => `${n} 步`,
    license: '许可证',
    asHubSays: '下载前由模型站给出',
    gpu: (size) => `${size} 的显存需求`,
    gpuNeeds: (n) => `${mb(n)}（8 位权重）`,
    ask: '下载……',
    again: '再次询问模型站……',
    asking: '正在询问模型站……',
    noLicense: '模型站没有注明',
    needed: (needed, all) =>
      needed === 0
        ? `全部 ${mb(all)} 已在本机。`
        : needed < all
          ? `将下载 ${mb(needed)}（共 ${mb(all)}），其余已在本机。`
          : `将下载 ${mb(all)}。`,
    room: (free) => `此浏览器还可提供 ${mb(free)}。`,
    tooLittle: (free) => `此浏览器只能再提供 ${mb(free)}。请删除模型或视频，或从磁盘打开文件。`,
    promise:
      '每个文件都按模型站给出的 SHA-256 校验。还会请浏览器保留这些文件，否则磁盘空间不足时它可能自行清除。',
    agree: (n) => `下载 ${mb(n)}`,
    agreeHere: '采用',
    decline: '暂不下载',
    under: (done, all) => `已下载 ${mb(done)}，共 ${mb(all)}`,
    speed: (n) => `每秒 ${mb(n)}`,
    checking: (file, percent) => `正在校验 ${file} · ${percent} %`,
    pause: '暂停',
    resume: '继续下载',
    paused: (done, all) => `已有 ${mb(done)}，共 ${mb(all)}。`,
    whole: '已下载并校验。',
    use: '使用',
    progress: '下载进度',
    disk: '已经有这些文件？请在下面从磁盘打开，不会被复制。',
    problems: {
      busy: '另一个标签页正在下载。请等它完成，或在那里暂停。',
      gone: (file) => `模型站上已经没有 ${file}。请换一个来源，或从磁盘打开该文件。`,
      unhashed: (file) => `模型站没有给出 ${file} 的 SHA-256，无法校验，因此不下载。`,
      refused: (status) =>
        `模型站拒绝了请求（${status}）：可能需要账号，或正忙。已下载的部分都已保留。请稍后再试，或换一个来源。`,
      network: '无法连接模型站。已下载的部分都已保留；按“继续下载”，或网络恢复后会接着下载。',
      wrong: (file) => `收到的 ${file} 两次都与模型站的承诺不符，已经丢弃。请稍后再试，或换一个来源。`,
      room: (needed) => `此浏览器放不下 ${mb(needed)}。请删除模型或视频，或从磁盘打开文件。`,
      missing: '其中一部分已经不在本机，请继续下载。',
    },
  },

  library: {
    label: '以前的视频',
    blocks: '正在生成的各段',
    before: (n) => `前面 ${n} 段`,
    after: (n) => `还有 ${n} 段`,
    block: (n) => `第 ${n} 段`,
    span: (from, to) => `${from.toFixed(1)}–${to.toFixed(1)} 秒`,
    now: '进行中',
    next: '待生成',
    empty: '您的视频会出现在这里，只保存在这台设备上。',
    item: (prompt, s) => `播放：${prompt}，${seconds(s)} 秒`,
    removed: '视频已删除。',
    undo: '撤销',
    begun: (with_) =>
      `设置已恢复。这段视频的开头来自${with_ === 'picture' ? '一张图片' : with_ === 'video' ? '一段视频' : '另一段作品'}，设置里没有它：只凭文字生成，结果会不同。`,
    restored: '设置已恢复。',
    foreign: (name) => `${name} 中没有 Kinora 的设置，什么都没有改变。`,
    memory: '此浏览器现在无法保存视频。关闭标签页之前它们都在，喜欢的请下载。',
  },

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
      `文件${params?.file ? ` ${params.file} ` : ''}与预期不符，可能下载时受损。请重试，它会重新下载。`,
    network: ({ params }) =>
      `无法下载${params?.file ? ` ${params.file}` : '模型文件'}。已下载的部分都已保留；请检查网络后重试。`,
    'not-loaded': () => '模型还没有加载。请重试，会先加载模型。',
    busy: () => '正在生成另一段视频。请先取消，或等它完成。',
    paused: () => '已暂停。已完成的部分都已保留。',
    cancelled: () => '已停止。您的文字和设置都已保留。',
    'out-of-memory': ({ params }) =>
      `${params?.found ? `${params.found} 的画面需要约 ${mb(Number(params.needed))} 内存，这里最多 ${mb(Number(params.limit))}` : '内存不足'}。您的文字和视频都已保留；${params?.fits ? `可以选择 ${params.fits}。` : params?.quantize ? `权重改为 ${params.quantize} 位后，${params.then} 放得下。` : '请选择较小的画面或较短的时长，或关闭其他标签页。'}`,
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
