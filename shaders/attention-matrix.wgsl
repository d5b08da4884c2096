// softmax(q · kᵀ · scale + bias) · v for one head and 4·SM queries a workgroup, for many keys, on adapters that multiply
// small matrices a subgroup at a time: SM × SK · SK × SN of type Part, through lib/matrix; sums in f32.
// Four subgroups of SIZE threads own SM queries each, with their parts of q and of the result in registers, and share SN
// keys and values at a time in workgroup memory. Scores pass through it, too: SIZE / SM neighbouring threads see a row.
// Weights are e^(score − base), where a row's base lies 8 below its maximum, so that those of many weak keys do not
// vanish in halves, and stays until a score is 11 above it (e¹¹ < 65504): results are scaled anew only then, which is
// rare, for a matrix has no elements that could be named and goes through workgroup memory.
// Halves would round weights by more than the tests allow, so they are sums of two: what is lost is multiplied, too.
// q [M, heads·HEAD], k and v [keys, heads·HEAD] (as lib/kv-* reads them); bias[head·bias_head + query·bias_row + key].
// Constants: HEAD a multiple of SN and SK, HEAD4 = HEAD / 4, SN a multiple of SK, SK of 4, SIZE one of SM,
// PARTS of a weight.
struct Params { M: u32, keys: u32, heads: u32, first_row: u32, bias_head: u32, bias_row: u32, scale: f32 }

@group(0) @binding(0) var<storage, read> q: array<V>;
@group(0) @binding(1) var<storage, read> k: array<KV>;
@group(0) @binding(2) var<storage, read> v: array<KV>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read_write> out: array<elem>;
@group(0) @binding(5) var<uniform> params: Params;

override HAS_BIAS = 0u;

const ROWS = 4u * SM;
const THREADS = 4u * SIZE;
const SHARE = SIZE / SM; // threads that see a row
const SEEN = SN / SHARE; // elements of it that each sees
const ACROSS = HEAD / SN;
const LOWEST = -3.0e38;
// Rows are longer than they need to be, against bank conflicts: of keys and values, of queries and weights, of sums.
const STRIDE = HEAD + 8u;
const SHORT = SN + 8u;
const MADE = SN + 4u;
const WEIGHTS = ROWS * SHORT; // a part of them
// Queries, then keys, then weights [row][·]; behind them values [key][d].
const VALUES = max(SN * STRIDE, PARTS * WEIGHTS);
var<workgroup> tile: array<Part, VALUES + SN * STRIDE>;
var<workgroup> made: array<f32, ROWS * MADE>; // a result of each subgroup
var<workgroup> risen: array<u32, 4>; // the base of a row of a subgroup

fn put(at: u32, value: vec4<f32>) {
  for (var j = 0u; j < 4u; j++) { tile[at + j] = Part(value[j]); }
}

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) wid: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
  @builtin(subgroup_id) subgroup: u32,
  @builtin(subgroup_invocation_id) lane: u32,
) {
  let head = wid.y * HEAD;
  let width = params.heads * HEAD;
  let row0 = params.first_row + wid.x * ROWS;
  let last = params.M - 1u;
  let mine = subgroup * SM + lane / SHARE;
  let made_mine = mine * MADE + lane % SHARE;
  let made_ours = subgroup * SM * MADE;

  var queries: array<Left, HEAD / SK>;
  for (var d = 0u; d < times(HEAD / SK); d++) {
    for (var i = thread; i < ROWS * SK / 4u; i += THREADS) {
      let row = i / (SK / 4u);
      let c = i % (SK / 4u);
      put(row * SHORT + 4u * c, q4(min(row0 + row, last) * width + head, d * (SK / 4u) + c));
    }
    workgroupBarrier();
    queries[d] = load_left(subgroup * SM * SHORT, SHORT, lane);
    workgroupBarrier();
  }
  var sums: array<Sums, ACROSS>;
  for (var i = 0u; i < times(ACROSS); i++) { sums[i] = no_sums(); }
  var base = LOWEST;
  var total = 0.0; // of the weights that this thread sees

  for (var first = 0u; first < params.keys; first += SN) {
    // Keys behind the end repeat the last one and weigh nothing.
    for (var i = thread; i < SN * HEAD4; i += THREADS) {
      let key = min(first + i / HEAD4, params.keys - 1u) * width + head;
      let at = (i / HEAD4) * STRIDE + 4u * (i % HEAD4);
      put(at, k4(key, i % HEAD4));
      put(VALUES + at, v4(key, i % HEAD4));
    }
    workgroupBarrier();
    var scores = no_sums();
    for (var d = 0u; d < times(HEAD / SK); d++) { scores = multiply(queries[d], load_right(d * SK, STRIDE, lane), scores); }
    store_sums(made_ours, MADE, scores, lane);
    workgroupBarrier();

    var seen: array<f32, SEEN>;
    var highest = LOWEST;
    for (var j = 0u; j < times(SEEN); j++) {
      let key = first + lane % SHARE + j * SHARE;
      seen[j] = made[made_mine + j * SHARE] * params.scale;
      if (HAS_BIAS == 1u && key < params.keys) {
        seen[j] += bias[wid.y * params.bias_head + min(row0 + mine, last) * params.bias_row + key];
      }
      highest = max(highest, select(LOWEST, seen[j], key < params.keys));
    }
    for (var b = 1u; b < SHARE; b *= 2u) { highest = max(highest, subgroupShuffleXor(highest, b)); }
    let rises = highest - base > 11.0;
    let next = select(base, highest - 8.0, rises);
    let keep = exp(base - next);
    base = next;
    total *= keep;
    for (var j = 0u; j < times(SEEN); j++) {
      let at = lane % SHARE + j * SHARE;
      let weight = select(0.0, exp(seen[j] - base), first + at < params.keys);
      total += weight;
      var rest = weight;
      for (var part = 0u; part < times(PARTS); part++) {
        // As many digits as a half has. Rounded to one and back, compilers would take it for the number that it was.
        let most = bitcast<f32>(bitcast<u32>(rest) & 0xffffe000u);
        let share = select(most, rest, part + 1u == PARTS);
        tile[part * WEIGHTS + mine * SHORT + at] = Part(share);
        rest -= share;
      }
    }
    let any = subgroupAny(rises);
    if (lane == 0u) { risen[subgroup] = u32(any); }
    let all = workgroupUniformLoad(&risen); // a barrier, for the weights as well
    if (all[0] + all[1] + all[2] + all[3] > 0u) {
      for (var i = 0u; i < times(ACROSS); i++) {
        store_sums(made_ours, MADE, sums[i], lane);
        workgroupBarrier();
        for (var j = 0u; j < times(SEEN); j++) { made[made_mine + j * SHARE] *= keep; }
        workgroupBarrier();
        sums[i] = load_sums(made_ours, MADE, lane);
        workgroupBarrier();
      }
    }
    for (var c = 0u; c < times(SN); c += SK) {
      var weights: array<Left, PARTS>;
      for (var part = 0u; part < times(PARTS); part++) {
        weights[part] = load_left(part * WEIGHTS + subgroup * SM * SHORT + c, SHORT, lane);
      }
      for (var i = 0u; i < times(ACROSS); i++) {
        let values = load_right_rows(VALUES + c * STRIDE + i * SN, STRIDE, lane);
        for (var part = 0u; part < times(PARTS); part++) { sums[i] = multiply(weights[part], values, sums[i]); }
      }
    }
    workgroupBarrier();
  }

  for (var b = 1u; b < SHARE; b *= 2u) { total += subgroupShuffleXor(total, b); }
  let row = row0 + mine;
  for (var i = 0u; i < times(ACROSS); i++) {
    store_sums(made_ours, MADE, sums[i], lane);
    workgroupBarrier();
    if (row <= last) {
      for (var j = 0u; j < times(SEEN); j++) {
        out[row * width + head + i * SN + lane % SHARE + j * SHARE] = elem(made[made_mine + j * SHARE] / total);
      }
    }
    workgroupBarrier();
  }
}
