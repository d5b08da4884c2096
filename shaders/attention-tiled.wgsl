// softmax(q · kᵀ · scale + bias) · v for one head and 16·RT queries a workgroup, for many keys and heads of 32 to 128.
// Two matmuls with results in registers, 32 keys at a time, with a running maximum and sum in f32: 8 × 16 threads
// share the scores, RT rows × 4 keys each, and the result, RT rows × HEAD / 8 columns each. So a head of 128 needs
// 16·RT registers of result a thread where a thread for a query would need 128.
// q [M, heads·HEAD], k and v [keys, heads·HEAD] (as lib/kv-* reads them); bias[head·bias_head + query·bias_row + key].
// params.part is 8: a number that compilers do not know leaves the long loops loops. Unrolled they take some minutes.
// Constants: HEAD a multiple of 32 up to 128, HEAD4 = HEAD / 4, RT up to 4.
struct Params { M: u32, keys: u32, heads: u32, first_row: u32, bias_head: u32, bias_row: u32, scale: f32, part: u32 }

@group(0) @binding(0) var<storage, read> q: array<V>;
@group(0) @binding(1) var<storage, read> k: array<KV>;
@group(0) @binding(2) var<storage, read> v: array<KV>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read_write> out: array<elem>;
@group(0) @binding(5) var<uniform> params: Params;

override HAS_BIAS = 0u;

const ROWS = 16u * RT;
const COLUMNS = HEAD4 / 8u; // vectors of the result a thread and row
const LOWEST = -3.0e38;
// First parts of queries and keys, 32 of the head at a time: [d4][row], one more than there are, against bank
// conflicts. Then probabilities [row][key4], and 16 rows of values [key][d4]. Less than 16 KiB at most.
const KEYS = 8u * (ROWS + 1u);
const VALUES = 8u * ROWS;
var<workgroup> tile: array<vec4<f32>, max(KEYS + 8u * 33u, VALUES + 16u * HEAD4)>;

@compute @workgroup_size(8, 16)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(local_invocation_id) lid: vec3<u32>) {
  let thread = lid.y * 8u + lid.x;
  let head = wid.y * HEAD;
  let width = params.heads * HEAD;
  let row0 = params.first_row + wid.x * ROWS;
  let last = params.M - 1u;
  var sum: array<vec4<f32>, RT * COLUMNS>;
  var greatest: array<f32, RT>;
  var total: array<f32, RT>; // of this thread's keys
  for (var i = 0u; i < RT; i++) { greatest[i] = LOWEST; }

  for (var first = 0u; first < params.keys; first += 32u) {
    var scores = array<vec4<f32>, RT>(); // written out: in a loop Dawn on Vulkan left a plain `var` as it was
    for (var d = 0u; d < HEAD4; d += params.part) {
      for (var i = thread; i < ROWS * 8u; i += 128u) {
        tile[(i % 8u) * (ROWS + 1u) + i / 8u] = q4(min(row0 + i / 8u, last) * width + head, d + i % 8u);
      }
      for (var i = thread; i < 256u; i += 128u) {
        let key = i / 8u;
        // A thread's four keys are neighbours, and lie 8 apart here.
        tile[KEYS + (i % 8u) * 33u + (key % 4u) * 8u + key / 4u] =
          k4(min(first + key, params.keys - 1u) * width + head, d + i % 8u);
      }
      workgroupBarrier();
      for (var c = 0u; c < params.part; c++) {
        let at = KEYS + c * 33u + lid.x;
        let b = transpose(mat4x4<f32>(tile[at], tile[at + 8u], tile[at + 16u], tile[at + 24u]));
        for (var i = 0u; i < RT; i++) {
          let a = tile[c * (ROWS + 1u) + lid.y * RT + i];
          var s = scores[i];
          s = fma(vec4<f32>(a.x), b[0], s);
          s = fma(vec4<f32>(a.y), b[1], s);
          s = fma(vec4<f32>(a.z), b[2], s);
          scores[i] = fma(vec4<f32>(a.w), b[3], s);
        }
      }
      workgroupBarrier();
    }

    // The row's maximum, over the 8 threads that share it.
    let mine = first + lid.x * 4u;
    let there = vec4<u32>(mine, mine + 1u, mine + 2u, mine + 3u) < vec4<u32>(params.keys);
    for (var i = 0u; i < RT; i++) {
      var s = scores[i] * params.scale;
      if (HAS_BIAS == 1u) {
        let at = wid.y * params.bias_head + min(row0 + lid.y * RT + i, last) * params.bias_row + mine;
        for (var j = 0u; j < 4u; j++) { if (there[j]) { s[j] += bias[at + j]; } }
      }
      scores[i] = select(vec4<f32>(LOWEST), s, there);
    }
    for (var i = 0u; i < RT; i++) { tile[(lid.y * RT + i) * 8u + lid.x] = scores[i]; }
    workgroupBarrier();
    for (var i = 0u; i < RT; i++) {
      var most = tile[(lid.y * RT + i) * 8u];
      for (var j = 1u; j < params.part; j++) { most = max(most, tile[(lid.y * RT + i) * 8u + j]); }
      let highest = max(greatest[i], max(max(most.x, most.y), max(most.z, most.w)));
      let keep = exp(greatest[i] - highest);
      greatest[i] = highest;
      let p = select(vec4<f32>(), exp(scores[i] - highest), there);
      total[i] = total[i] * keep + p.x + p.y + p.z + p.w;
      for (var j = 0u; j < COLUMNS; j++) { sum[i * COLUMNS + j] *= keep; }
      scores[i] = p;
    }
    workgroupBarrier();
    for (var i = 0u; i < RT; i++) { tile[(lid.y * RT + i) * 8u + lid.x] = scores[i]; }

    for (var half = 0u; half < params.part / 4u; half++) {
      for (var i = thread; i < 16u * HEAD4; i += 128u) {
        let key = first + half * 16u + i / HEAD4;
        var value = vec4<f32>();
        if (key < params.keys) { value = v4(key * width + head, i % HEAD4); }
        tile[VALUES + i] = value;
      }
      workgroupBarrier();
      for (var c = 0u; c < params.part / 2u; c++) {
        for (var j = 0u; j < COLUMNS; j++) {
          let at = VALUES + 4u * c * HEAD4 + j * 8u + lid.x;
          let v0 = tile[at]; let v1 = tile[at + HEAD4]; let v2 = tile[at + 2u * HEAD4]; let v3 = tile[at + 3u * HEAD4];
          for (var i = 0u; i < RT; i++) {
            let p = tile[(lid.y * RT + i) * 8u + half * 4u + c];
            var s = sum[i * COLUMNS + j];
            s = fma(vec4<f32>(p.x), v0, s);
            s = fma(vec4<f32>(p.y), v1, s);
            s = fma(vec4<f32>(p.z), v2, s);
            sum[i * COLUMNS + j] = fma(vec4<f32>(p.w), v3, s);
          }
        }
      }
      workgroupBarrier();
    }
  }

  // The parts of each row's sum, which end up in every thread of the row.
  for (var i = 0u; i < RT; i++) { tile[(lid.y * RT + i) * 8u + lid.x] = vec4<f32>(total[i]); }
  workgroupBarrier();
  for (var i = 0u; i < RT; i++) {
    let row = row0 + lid.y * RT + i;
    if (row > last) { continue; }
    var all = 0.0;
    for (var j = 0u; j < params.part; j++) { all += tile[(lid.y * RT + i) * 8u + j].x; }
    for (var j = 0u; j < COLUMNS; j++) {
      let value = sum[i * COLUMNS + j] / all;
      let at = row * width + head + (j * 8u + lid.x) * 4u;
      for (var c = 0u; c < 4u; c++) { out[at + c] = elem(value[c]); }
    }
  }
}
