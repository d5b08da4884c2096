// softmax(q · kᵀ · scale + bias) · v for one head and 4·Y queries a workgroup. As attention-tiled two matmuls with results
// in registers, but queries, keys and values are read where they lie: only probabilities, which one thread makes and
// others need, pass through workgroup memory, with two barriers for 4·X keys. For adapters whose workgroup memory is
// no faster than their cache.
// X × Y threads: a thread makes the scores of 4 queries × 4 keys, and the result of 4 queries × 8 columns of the head. For
// 64 multiply-adds it reads 8 vectors of queries and keys, for 32 it reads 2 of values and one of probabilities.
// q [M, heads·HEAD], k and v [keys, heads·HEAD] (as lib/kv-* reads them); bias[head·bias_head + query·bias_row + key].
// Constants: HEAD a multiple of 8, HEAD4 = HEAD / 4, X = HEAD / 8, Y.
struct Params { M: u32, keys: u32, heads: u32, first_row: u32, bias_head: u32, bias_row: u32, scale: f32 }

@group(0) @binding(0) var<storage, read> q: array<V>;
@group(0) @binding(1) var<storage, read> k: array<KV>;
@group(0) @binding(2) var<storage, read> v: array<KV>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read_write> out: array<V>;
@group(0) @binding(5) var<uniform> params: Params;

override HAS_BIAS = 0u;

const LOWEST = -3.0e38;
var<workgroup> shared_rows: array<vec4<f32>, X * Y>; // greatest scores of four rows, then their sums
var<workgroup> weights: array<vec4<f32>, 4u * X * Y>; // of four rows each: [key][row4]

fn bias4(at: u32, there: vec4<bool>) -> vec4<f32> {
  var r = vec4<f32>();
  for (var j = 0u; j < 4u; j++) { if (there[j]) { r[j] = bias[at + j]; } }
  return r;
}

fn most(s: vec4<f32>) -> f32 { return max(max(s.x, s.y), max(s.z, s.w)); }

fn write(row: u32, at: u32, a: vec4<f32>, b: vec4<f32>, total: f32) {
  if (row >= params.M) { return; }
  out[at >> 2u] = V(a / total);
  out[(at >> 2u) + 1u] = V(b / total);
}

@compute @workgroup_size(X, Y)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(local_invocation_id) lid: vec3<u32>) {
  let head = wid.y * HEAD;
  let width = params.heads * HEAD;
  let row0 = params.first_row + wid.x * 4u * Y + lid.y * 4u;
  // Rows and keys behind the end repeat the last one; such rows are not written, such keys weigh nothing.
  let rows = min(vec4<u32>(row0, row0 + 1u, row0 + 2u, row0 + 3u), vec4<u32>(params.M - 1u));
  let at = rows * width + head;
  let ours = lid.y * X;
  let mine = ours + lid.x;
  var greatest = vec4<f32>(LOWEST); // of a row each
  var total = vec4<f32>(); // of this thread's keys
  // Eight columns of four rows.
  var a0 = vec4<f32>(); var a1 = vec4<f32>(); var a2 = vec4<f32>(); var a3 = vec4<f32>();
  var b0 = vec4<f32>(); var b1 = vec4<f32>(); var b2 = vec4<f32>(); var b3 = vec4<f32>();

  for (var first = 0u; first < params.keys; first += 4u * X) {
    let key = first + lid.x * 4u;
    let keys = vec4<u32>(key, key + 1u, key + 2u, key + 3u);
    let there = keys < vec4<u32>(params.keys);
    let at_key = min(keys, vec4<u32>(params.keys - 1u)) * width + head;
    var s0 = vec4<f32>(); var s1 = vec4<f32>(); var s2 = vec4<f32>(); var s3 = vec4<f32>();
    // Columns of vectors are keys, so that a product is four scores.
    for (var d = 0u; d < HEAD4 && key < params.keys; d++) {
      let b = transpose(mat4x4<f32>(k4(at_key.x, d), k4(at_key.y, d), k4(at_key.z, d), k4(at_key.w, d)));
      s0 += b * q4(at.x, d);
      s1 += b * q4(at.y, d);
      s2 += b * q4(at.z, d);
      s3 += b * q4(at.w, d);
    }
    s0 *= params.scale; s1 *= params.scale; s2 *= params.scale; s3 *= params.scale;
    if (HAS_BIAS == 1u) {
      let b = wid.y * params.bias_head + key;
      s0 += bias4(b + rows.x * params.bias_row, there);
      s1 += bias4(b + rows.y * params.bias_row, there);
      s2 += bias4(b + rows.z * params.bias_row, there);
      s3 += bias4(b + rows.w * params.bias_row, there);
    }
    let lowest = vec4<f32>(LOWEST);
    s0 = select(lowest, s0, there); s1 = select(lowest, s1, there);
    s2 = select(lowest, s2, there); s3 = select(lowest, s3, there);
    shared_rows[mine] = vec4<f32>(most(s0), most(s1), most(s2), most(s3));
    workgroupBarrier();
    var highest = greatest;
    for (var i = 0u; i < X; i++) { highest = max(highest, shared_rows[ours + i]); }
    let keep = exp(greatest - highest);
    greatest = highest;
    let none = vec4<f32>();
    let p0 = select(none, exp(s0 - highest.x), there); let p1 = select(none, exp(s1 - highest.y), there);
    let p2 = select(none, exp(s2 - highest.z), there); let p3 = select(none, exp(s3 - highest.w), there);
    let one = vec4<f32>(1.0);
    total = total * keep + vec4<f32>(dot(p0, one), dot(p1, one), dot(p2, one), dot(p3, one));
    let p = transpose(mat4x4<f32>(p0, p1, p2, p3)); // of a key each
    let place = lid.x * 4u * Y + lid.y;
    weights[place] = p[0]; weights[place + Y] = p[1]; weights[place + 2u * Y] = p[2]; weights[place + 3u * Y] = p[3];
    workgroupBarrier();
    a0 *= keep.x; a1 *= keep.y; a2 *= keep.z; a3 *= keep.w;
    b0 *= keep.x; b1 *= keep.y; b2 *= keep.z; b3 *= keep.w;
    let count = min(4u * X, params.keys - first);
    for (var i = 0u; i < count; i++) {
      let p = weights[i * Y + lid.y];
      let value = (first + i) * width + head;
      let va = v4(value, 2u * lid.x);
      a0 += p.x * va; a1 += p.y * va; a2 += p.z * va; a3 += p.w * va;
      let vb = v4(value, 2u * lid.x + 1u);
      b0 += p.x * vb; b1 += p.y * vb; b2 += p.z * vb; b3 += p.w * vb;
    }
  }

  workgroupBarrier(); // greatest scores may still be read
  shared_rows[mine] = total;
  workgroupBarrier();
  var sums = vec4<f32>();
  for (var i = 0u; i < X; i++) { sums += shared_rows[ours + i]; }
  let column = head + 8u * lid.x;
  write(row0, row0 * width + column, a0, b0, sums.x);
  write(row0 + 1u, (row0 + 1u) * width + column, a1, b1, sums.y);
  write(row0 + 2u, (row0 + 2u) * width + column, a2, b2, sums.z);
  write(row0 + 3u, (row0 + 3u) * width + column, a3, b3, sums.w);
}
