// softmax(q · kᵀ · scale + bias) · v for one head and ROWS queries a workgroup; the N × N matrix never exists.
// A thread owns a query: q and the result stay in registers, keys and values pass through workgroup memory TILE at a
// time, with a running maximum and sum in f32 (the "flash" form).
// q [M, heads·HEAD], k and v [keys, heads·HEAD] (as lib/kv-* reads them); bias[head·bias_head + query·bias_row + key].
// Constants: HEAD head size, HEAD4 = ⌈HEAD / 4⌉, ROWS, TILE.
struct Params { M: u32, keys: u32, heads: u32, first_row: u32, bias_head: u32, bias_row: u32, scale: f32 }

@group(0) @binding(0) var<storage, read> q: array<V>;
@group(0) @binding(1) var<storage, read> k: array<KV>;
@group(0) @binding(2) var<storage, read> v: array<KV>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read_write> out: array<elem>;
@group(0) @binding(5) var<uniform> params: Params;

override HAS_BIAS = 0u;

var<workgroup> keys: array<vec4<f32>, TILE * HEAD4>;
var<workgroup> values: array<vec4<f32>, TILE * HEAD4>;

@compute @workgroup_size(ROWS)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(local_invocation_id) lid: vec3<u32>) {
  let head = wid.y;
  let width = params.heads * HEAD;
  let row = params.first_row + wid.x * ROWS + lid.x;
  let mine = min(row, params.M - 1u);
  var query: array<vec4<f32>, HEAD4>;
  var sum: array<vec4<f32>, HEAD4>;
  for (var i = 0u; i < HEAD4; i++) { query[i] = q4(mine * width + head * HEAD, i) * params.scale; }
  var greatest = -3.0e38;
  var total = 0.0;
  for (var first = 0u; first < params.keys; first += TILE) {
    let count = min(TILE, params.keys - first);
    for (var i = lid.x; i < count * HEAD4; i += ROWS) {
      let at = (first + i / HEAD4) * width + head * HEAD;
      keys[i] = k4(at, i % HEAD4);
      values[i] = v4(at, i % HEAD4);
    }
    workgroupBarrier();
    var scores: array<f32, TILE>;
    var highest = greatest;
    for (var j = 0u; j < count; j++) {
      var s = 0.0;
      for (var i = 0u; i < HEAD4; i++) { s += dot(query[i], keys[j * HEAD4 + i]); }
      if (HAS_BIAS == 1u) { s += bias[head * params.bias_head + mine * params.bias_row + first + j]; }
      scores[j] = s;
      highest = max(highest, s);
    }
    let keep = exp(greatest - highest);
    total *= keep;
    for (var i = 0u; i < HEAD4; i++) { sum[i] *= keep; }
    for (var j = 0u; j < count; j++) {
      let p = exp(scores[j] - highest);
      total += p;
      for (var i = 0u; i < HEAD4; i++) { sum[i] += p * values[j * HEAD4 + i]; }
    }
    greatest = highest;
    workgroupBarrier();
  }
  if (row >= params.M) { return; }
  for (var i = 0u; i < HEAD; i++) {
    out[row * width + head * HEAD + i] = elem(sum[i / 4u][i % 4u] / total);
  }
}
