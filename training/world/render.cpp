// Renders clips of the world on the CPU: one function with a C interface, called through ctypes.
// Subjects are ray-marched at four samples a pixel, sixteen rays at a time; scenery has one sample and soft edges.
#include <stdint.h>
#include <string.h>
#include <algorithm>
#include <utility>
#include <vector>
#include "scenery.h"
#include "subjects.h"
using namespace world;

static const Rgb COLOURS[10] = {{0.88f, 0.07f, 0.09f}, {1.0f, 0.48f, 0.03f}, {1.0f, 0.88f, 0.10f}, {0.10f, 0.66f, 0.16f}, {0.10f, 0.24f, 0.92f},
                                {0.52f, 0.12f, 0.78f}, {1.0f, 0.42f, 0.72f}, {0.97f, 0.97f, 0.97f}, {0.09f, 0.09f, 0.11f}, {0.10f, 0.80f, 0.80f}};
static const int LANES = 16, STEPS = 26;
static const float CENTRE = 0.5f, RADIUS = 0.86f;  // of the ball that holds any subject, in its own units

struct Rays {  // in a subject's own frame; t in its units
  std::vector<float> ox, oy, oz, dx, dy, dz, t, far, close, nx, ny, nz;
  std::vector<int> paint, at;
  void clear() { for (auto v : {&ox, &oy, &oz, &dx, &dy, &dz, &t, &far}) v->clear(); at.clear(); }
  void add(Vec o, Vec d, float from, float to, int where) {
    ox.push_back(o.x), oy.push_back(o.y), oz.push_back(o.z), dx.push_back(d.x), dy.push_back(d.y), dz.push_back(d.z);
    t.push_back(from), far.push_back(to), at.push_back(where);
  }
  int pad() {  // whole packets: the last ray again
    int n = (int)at.size();
    while (n && at.size() % LANES) { add({ox[n - 1], oy[n - 1], oz[n - 1]}, {dx[n - 1], dy[n - 1], dz[n - 1]}, t[n - 1], far[n - 1], at[n - 1]); }
    close.assign(at.size(), 1.0f), nx.resize(at.size()), ny.resize(at.size()), nz.resize(at.size()), paint.resize(at.size());
    return n;
  }
};

/** Sphere tracing: t ends on the surface or beyond `far`; close is the least of 10 d / t on the way (soft shadow). */
template <int KIND> static void march(Rays &r, float time, bool surface) {
  int n = (int)r.at.size();
  for (int base = 0; base < n; base += LANES) {
    float *ox = &r.ox[base], *oy = &r.oy[base], *oz = &r.oz[base], *dx = &r.dx[base], *dy = &r.dy[base], *dz = &r.dz[base];
    float *t = &r.t[base], *far = &r.far[base], *close = &r.close[base];
    for (int step = 0; step < STEPS; step++) {
      float busy = 0;
#pragma omp simd reduction(+ : busy)
      for (int i = 0; i < LANES; i++) {
        float d = nearest<KIND>(ox[i] + t[i] * dx[i], oy[i] + t[i] * dy[i], oz[i] + t[i] * dz[i], time).d;
        close[i] = fminf(close[i], 7 * d / (t[i] + 0.2f));
        bool on = d > 0.003f && t[i] < far[i];
        t[i] += on ? 0.85f * d : 0.0f;
        busy += on ? 1.0f : 0.0f;
      }
      if (busy == 0) break;
    }
    if (!surface) continue;
    float *nx = &r.nx[base], *ny = &r.ny[base], *nz = &r.nz[base];
    int *paint = &r.paint[base];
#pragma omp simd
    for (int i = 0; i < LANES; i++) {
      const float h = 0.006f;
      float x = ox[i] + t[i] * dx[i], y = oy[i] + t[i] * dy[i], z = oz[i] + t[i] * dz[i];
      float a = nearest<KIND>(x + h, y - h, z - h, time).d, b = nearest<KIND>(x - h, y - h, z + h, time).d;
      float c = nearest<KIND>(x - h, y + h, z - h, time).d, e = nearest<KIND>(x + h, y + h, z + h, time).d;
      float gx = a - b - c + e, gy = -a - b + c + e, gz = -a + b - c + e, k = 1 / fmaxf(len(gx, gy, gz), 1e-9f);
      nx[i] = gx * k, ny[i] = gy * k, nz[i] = gz * k;
      paint[i] = nearest<KIND>(x, y, z, time).paint;
    }
  }
}
typedef void (*March)(Rays &, float, bool);
template <int... K> static const March *table(std::integer_sequence<int, K...>) {
  static const March all[] = {march<K>...};
  return all;
}
static const March *MARCH = table(std::make_integer_sequence<int, SUBJECTS>());

/** Into an instance's own frame: turned back by roll (about the view axis z) and yaw (about y), around its middle. */
struct Frame {
  float cy, sy, cr, sr, size;
  Vec middle;
  explicit Frame(const Instance &p) : cy(cosf(p.yaw)), sy(sinf(p.yaw)), cr(cosf(p.roll)), sr(sinf(p.roll)), size(p.size), middle{p.x, p.y + CENTRE * p.size, p.z} {}
  Vec in(Vec v) const { float x = cr * v.x + sr * v.y, y = cr * v.y - sr * v.x; return {cy * x - sy * v.z, y, sy * x + cy * v.z}; }
  Vec out(Vec v) const { float x = cy * v.x + sy * v.z, z = cy * v.z - sy * v.x; return {cr * x - sr * v.y, sr * x + cr * v.y, z}; }
  Vec point(Vec p) const { Vec v = in({(p.x - middle.x) / size, (p.y - middle.y) / size, (p.z - middle.z) / size}); return {v.x, v.y + CENTRE, v.z}; }
  /** Where a ray (own frame) passes the ball that holds the subject; false when it misses. */
  bool passes(Vec o, Vec d, float &from, float &to) const {
    Vec c = {o.x, o.y - CENTRE, o.z};
    float b = dot(c, d), h = b * b - dot(c, c) + RADIUS * RADIUS;
    if (h <= 0) return false;
    h = sqrtf(h), from = fmaxf(-b - h, 0.0f), to = -b + h;
    return to > 0;
  }
};

struct Canvas {
  int height, width;
  std::vector<Rgb> plain, back, samples;  // plain: the scenery without shadows, kept from frame to frame where it stands still
  std::vector<float> depth, shadow, hit;
};

static Rgb light_on(const Scene &s, const Palette &p, Rgb own, int kind, Vec n, Vec view, Rgb behind) {
  Vec l = lamp(p);
  float lambert = clamp01(0.62f * dot(n, l) + 0.38f), rim = powf(1 - clamp01(-dot(n, view)), 3);
  if (s.look != NATURAL) lambert = lambert > 0.62f ? 1.0f : lambert > 0.3f ? 0.72f : 0.45f;
  Rgb light = mix(mix(p.shade, {0.62f, 0.62f, 0.66f}, 0.4f), mix(p.light, {1, 1, 1}, 0.35f), lambert);
  Rgb c = scale(own, light);
  bool coloured = kind == BODY || kind == LIGHT || kind == DEEP;
  Vec r = {view.x - 2 * dot(n, view) * n.x, view.y - 2 * dot(n, view) * n.y, view.z - 2 * dot(n, view) * n.z};
  float gleam = powf(clamp01(dot(r, l)), 18);
  if (s.material == SHINY || kind == GLASS) c = mix(mix(c, mix(p.low, p.top, clamp01(2 * r.y)), 0.12f + 0.4f * rim), {1, 1, 1}, 0.8f * gleam);
  if (s.material == GLASSY && coloured) c = mix(mix(mix(c, behind, 0.55f), mix(own, {1, 1, 1}, 0.5f), 0.8f * rim), {1, 1, 1}, gleam);
  if (s.material == GLOWING && coloured) c = mix(mix(own, {1, 1, 1}, 0.25f), own, rim);
  else if (s.look == NATURAL) c = mix(c, p.low, 0.18f * rim);
  return c;
}

/** One frame; `mask` gets how much of each 8 x 8 cell the subjects cover, 0..255. */
static void frame(const Scene &s, float t, bool first, Canvas &v, Rays &rays, uint8_t *out, uint8_t *mask) {
  int H = v.height, W = v.width, n;
  float aspect = (float)W / H, w = 0.54f / H * 1.3f;
  Palette p = palette(s.time);
  Camera cam = camera(s, t);
  Instance all[4];
  n = instances(s, t, aspect, all);
  Vec l = lamp(p);
  Rgb far = haze(s, p);
  auto ray = [&](float x, float y) {  // pixel units, y down
    float a = (2 * x / W - 1) * cam.zoom * aspect, b = (1 - 2 * y / H) * cam.zoom;
    return unit({cam.forward.x + a * cam.right.x + b * cam.up.x, cam.forward.y + a * cam.right.y + b * cam.up.y, cam.forward.z + a * cam.right.z + b * cam.up.z});
  };
  // scenery, with the shadows of the subjects on the ground
  std::fill(v.shadow.begin(), v.shadow.end(), 1.0f);
  bool shaded = s.place != SEA && s.weather != FOG;
  if (shaded)
    for (int i = 0; i < n; i++) {
      Frame f(all[i]);
      Vec ld = f.in(l);
      rays.clear();
      for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++) {
          Vec d = ray(x + 0.5f, y + 0.5f);
          if (d.y > -0.01f) continue;
          float k = -cam.eye.y / d.y, from, to;
          if (k > 12) continue;
          Vec o = f.point({cam.eye.x + k * d.x, 0, cam.eye.z + k * d.z});
          if (f.passes(o, ld, from, to)) rays.add(o, ld, fmaxf(from, 0.02f), to, y * W + x);
        }
      int m = rays.pad();
      if (m) MARCH[all[i].subject](rays, t, false);
      for (int k = 0; k < m; k++) v.shadow[rays.at[k]] = fminf(v.shadow[rays.at[k]], clamp01(rays.close[k]));
    }
  auto background = [&](int x, int y, float shadow) {
    Vec d = ray(x + 0.5f, y + 0.5f);
    Rgb c = sky(s, p, d, t, w);
    float e = d.y / sqrtf(d.x * d.x + d.z * d.z);
    if (e >= 0.5f * w) return c;
    // the ground, fading into the horizon
    float k = cam.eye.y / fmaxf(-d.y, 0.004f), f = clamp01((k - 2) / 16), gx = cam.eye.x + k * d.x, gz = cam.eye.z + k * d.z;
    Rgb g = ground(s, p, gx, gz, t, smooth(0.0f, 0.6f, f));
    g = scale(g, 1 - (1 - shadow) * (s.time == NIGHT || s.weather != CLEAR || s.place == UNDERWATER ? 0.35f : 0.5f));
    float air = s.weather == FOG ? 1 - expf(-0.34f * fmaxf(k - 2.4f, 0.0f)) : (s.place == UNDERWATER ? 1.0f : 0.55f) * f;
    return mix(c, mix(g, far, air), cover(e, w));
  };
  bool still = s.camera == STILL && s.place != UNDERWATER;
  for (int y = 0; y < H; y++)
    for (int x = 0; x < W; x++) {
      int i = y * W + x;
      if (first || !still || (s.place == SEA && y > H / 3)) v.plain[i] = background(x, y, 1);
      v.back[i] = v.shadow[i] < 1 ? background(x, y, v.shadow[i]) : v.plain[i];
    }
  // subjects, four samples a pixel
  std::fill(v.depth.begin(), v.depth.end(), 1e9f);
  std::fill(v.hit.begin(), v.hit.end(), 0.0f);
  for (int i = 0; i < n; i++) {
    Frame f(all[i]);
    Vec c = {f.middle.x - cam.eye.x, f.middle.y - cam.eye.y, f.middle.z - cam.eye.z};
    float ahead = dot(c, cam.forward);
    if (ahead < 0.3f) continue;
    float px = (dot(c, cam.right) / ahead / (cam.zoom * aspect) + 1) * 0.5f * W, py = (1 - dot(c, cam.up) / ahead / cam.zoom) * 0.5f * H;
    float reach = RADIUS * f.size / ahead / cam.zoom * 0.5f * H * 1.15f + 2;
    int x0 = std::max(0, (int)(px - reach)), x1 = std::min(W, (int)(px + reach) + 1), y0 = std::max(0, (int)(py - reach)), y1 = std::min(H, (int)(py + reach) + 1);
    Vec o = f.point(cam.eye);
    rays.clear();
    for (int y = y0; y < y1; y++)
      for (int x = x0; x < x1; x++)
        for (int k = 0; k < 4; k++) {
          Vec d = ray(x + 0.25f + 0.5f * (k & 1), y + 0.25f + 0.5f * (k >> 1)), own = f.in(d);
          float from, to;
          if (f.passes(o, own, from, to)) rays.add(o, own, from, to, 4 * (y * W + x) + k);
        }
    int m = rays.pad();
    if (!m) continue;
    MARCH[all[i].subject](rays, t, true);
    for (int k = 0; k < m; k++) {
      int at = rays.at[k];
      if (rays.t[k] >= rays.far[k]) {  // a miss: an outline where it was close, or a halo
        if (s.look != NATURAL && rays.close[k] < 0.05f && v.depth[at] > 1e8f) v.samples[at] = {0.08f, 0.07f, 0.10f}, v.hit[at] = 1;
        else if (s.material == GLOWING && v.hit[at] == 0) {
          float glow = 0.55f * smooth(0.8f, 0.0f, rays.close[k]);
          Rgb &b = v.back[at / 4];
          b = mix(b, mix(COLOURS[all[i].colour], {1, 1, 1}, 0.3f), 0.25f * glow);
        }
        continue;
      }
      float depth = rays.t[k] * f.size;
      if (depth >= v.depth[at]) continue;
      Vec normal = f.out({rays.nx[k], rays.ny[k], rays.nz[k]}), view = f.out({rays.dx[k], rays.dy[k], rays.dz[k]});
      Rgb colour = light_on(s, p, paint(rays.paint[k], COLOURS[all[i].colour]), rays.paint[k], normal, view, v.back[at / 4]);
      float air = s.weather == FOG ? 0.10f + 0.5f * smooth(3.0f, 7.0f, depth) : s.place == UNDERWATER ? 0.10f + 0.5f * smooth(3.0f, 8.0f, depth) : 0.0f;
      if (s.place == SEA) {  // the part under water
        float y = cam.eye.y + depth * view.y;
        if (y < -0.005f) continue;
      }
      v.samples[at] = mix(colour, far, air), v.depth[at] = depth, v.hit[at] = 1;
    }
  }
  float cells[1024] = {0};
  for (int y = 0; y < H; y++)
    for (int x = 0; x < W; x++) {
      int i = y * W + x;
      Rgb c = {0, 0, 0};
      float covered = 0;
      for (int k = 0; k < 4; k++) {
        Rgb a = v.hit[4 * i + k] > 0 ? v.samples[4 * i + k] : v.back[i];
        c = {c.r + 0.25f * a.r, c.g + 0.25f * a.g, c.b + 0.25f * a.b}, covered += 0.25f * v.hit[4 * i + k];
      }
      cells[(y / 8) * (W / 8) + x / 8] += covered / 64;
      c = weather(s, p, c, (2 * (x + 0.5f) / W - 1) * aspect, 1 - 2 * (y + 0.5f) / H, t, 2.6f / H);
      if (s.look == INK) {  // washes of grey on paper; only the subjects keep some colour
        float grey = 0.3f * c.r + 0.6f * c.g + 0.1f * c.b, tone = smooth(0.05f, 0.75f, grey);
        Rgb ink = mix({0.16f, 0.15f, 0.18f}, {0.96f, 0.94f, 0.88f}, tone);
        c = mix(ink, c, 0.75f * covered);
      }
      uint8_t *o = out + 3 * (size_t)i;
      o[0] = (uint8_t)(clamp01(c.r) * 255 + 0.5f), o[1] = (uint8_t)(clamp01(c.g) * 255 + 0.5f), o[2] = (uint8_t)(clamp01(c.b) * 255 + 0.5f);
    }
  for (int i = 0; i < (H / 8) * (W / 8); i++) mask[i] = (uint8_t)(clamp01(cells[i]) * 255 + 0.5f);
}

/**
 * scenes [n]; out [n, frames, height, width, 3] bytes; mask [n, frames, height/8, width/8] bytes, how much of a cell the
 * subjects cover. Frame f shows the time start[n] + f / fps. Sides are multiples of 8, at most 1024 cells.
 */
extern "C" void render(const Scene *scenes, const float *start, int n, int frames, int height, int width, float fps, uint8_t *out, uint8_t *mask) {
  size_t pixels = (size_t)height * width;
  Canvas v = {height, width, std::vector<Rgb>(pixels), std::vector<Rgb>(pixels), std::vector<Rgb>(4 * pixels), std::vector<float>(4 * pixels), std::vector<float>(pixels), std::vector<float>(4 * pixels)};
  Rays rays;
  for (int i = 0; i < n; i++)
    for (int f = 0; f < frames; f++) {
      size_t k = (size_t)i * frames + f;
      frame(scenes[i], start[i] + f / fps, f == 0, v, rays, out + 3 * k * pixels, mask + k * pixels / 64);
    }
}
