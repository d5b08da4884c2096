import type { Words } from './en';
import { bytes, seconds } from './format';
import { drawer } from './zh-drawer';
import { notices } from './zh-notices';

const mb = (n: number) => bytes(n, 'zh');
const tenth = (s: number) => seconds(Math.round(s * 10) / 10);

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
    completed: (text) => `您没有说明的部分由种子决定：${text}。点击可把这些词写进提示词。`,
    link: '复制包含这些描述和设置的链接',
    linkCopied: '链接已复制。描述和设置写在 # 之后，浏览器不会把这一部分发给任何服务器。',
    linkShown: '链接已显示在地址栏，可以从那里复制。# 之后的部分不会发给任何服务器。',
    remove: '删除',
    close: '关闭',
    seed: (n) => `种子 ${n}`,
    length: (s) => `${seconds(s)} 秒`,
    steps: (n) => `${n} 步`,
    drop: '把 Kinora 视频拖到这里，恢复它的设置；也可以拖入图片或视频作为开头、写有脚本的文本文件，或模型文件',
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
    known: (block, blocks) => `第 ${block} 段（共 ${blocks} 段）已有，只需显影`,
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
    tooLate: (text) => `这段视频已在制作最后一段，来不及采用：${text}`,
    late: '这句话来得太晚，没有赶上这段视频；可以用它延长视频。',
    extend: '用它延长视频',
    drop: '不要了',
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
      done >= all
        ? `“${prompt}”的各段都已完成，只差写好文件。`
        : done > 0
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
    drafting: '勾选时，“生成”只出草稿；“生成正片”会把当前的草稿做成正片。',
    realLoop: (s) => `实际时长 ${seconds(s)} 秒：循环须由完整的段组成。`,
    realShots: (s) => `实际时长 ${seconds(s)} 秒：每个镜头至少一整段。`,
    script: '按 Shift Enter 写下一个镜头。行中的 [4s] 是时长，[cut] 表示硬切。',
    shots: (n, s) => `${n} 个镜头，${seconds(s)} 秒`,
    long: '比模型学过的更长：画面可能会渐渐走样。',
  },

  picture: {
    use: '从图片或视频开始',
    drop: '不用这张图片',
    frame: '图片中被使用的部分：可以拖动，也可以用方向键移动',
    unable: (name) => `${name} 没有编码器，不能从图片开始。什么都没有改变。`,
    broken: (name) => `无法把 ${name} 读作图片。请选择 PNG、JPEG 或 WebP 文件。`,
  },

  drop: {
    unnamed: '这个文件',
    reading: (name) => (name ? `正在读取 ${name}……` : '正在读取……'),
    script: (name) => `${name} 中的脚本已放入提示词。`,
    long: (name, most) => `${name} 太长，不能作为脚本：脚本最多 ${most} 个字符。`,
    unknown: (name) =>
      `${name} 不是 Kinora 可以使用的文件。可以使用图片（PNG、JPEG、WebP、AVIF、GIF）、视频（MP4、WebM）、Kinora 自己的视频、文本文件中的脚本，以及模型文件。什么都没有改变。`,
  },

  video: {
    this: '这段视频',
    label: '用这段视频做什么',
    extend: '从结尾继续',
    remix: '重新生成',
    drop: '不用这段视频',
    frame: '视频中被使用的部分：可以拖动，也可以用方向键移动',
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
    shift: '时间步偏移',
    shiftHint: (shift) =>
      `偏移越大，越多的步数用于布局和运动；越小，越多用于细节。默认为 ${shift}；小尺寸画面常用 3，官方建议中也有高至 12 的。`,
    windowHint: (window, sink) =>
      `每一段能看到多少个潜帧（每个潜帧 4 幅画面），以及视频变长后最初的多少个一直可见。这个模型学的是 ${window} 和 ${sink}。窗口越大，前后越连贯，占用的内存也越多。`,
    cacheBits: '先前画面',
    bits: (n) => (n === null ? '自动' : `${n} 位`),
    cacheBitsHint: '8 位占用的内存约为 16 位的一半，精度略低。自动时使用 16 位，放不下才改用 8 位。',
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

  ...drawer,
  ...notices,
};
