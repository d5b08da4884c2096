// Renders clips of the world on the CPU: one function with a C interface, called through ctypes.
// Subjects are ray-marched at four samples a pixel, sixteen rays at a time; scenery has one sample and soft edges.
#include <stdint.h>
#include <algorithm>
#include <utility>
#include <vector>
#include "shade.h"
using namespace world;

static const int LANES = 16;

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

/** Sphere tracing (see `advance`), and the surface where it ended. */
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
        busy += advance(d, far[i], t[i], close[i]) ? 1.0f : 0.0f;
      }
      if (busy == 0) break;
    }
    if (!surface) continue;
    float *nx = &r.nx[base], *ny = &r.ny[base], *nz = &r.nz[base];
    int *paint = &r.paint[base];
#pragma omp simd
    for (int i = 0; i < LANES; i++) {
      float x = ox[i] + t[i] * dx[i], y = oy[i] + t[i] * dy[i], z = oz[i] + t[i] * dz[i];
      Vec n = normal<KIND>(x, y, z, time);
      nx[i] = n.x, ny[i] = n.y, nz[i] = n.z;
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

struct Canvas {
  int height, width;
  std::vector<Rgb> plain, back;  // plain: the scenery without shadows, kept from frame to frame where it stands still
  std::vector<Sample> samples;
  std::vector<float> shadow;
};

/** One frame; `mask` gets how much of each 8 x 8 cell the subjects cover, 0..255. */
static void frame(const Scene &s, float t, bool first, Canvas &c, Rays &rays, uint8_t *out, uint8_t *mask) {
  int H = c.height, W = c.width;
  View v = view_of(s, t, H, W);
  // scenery, with the shadows of the subjects on the ground
  std::fill(c.shadow.begin(), c.shadow.end(), 1.0f);
  for (int i = 0; v.shaded && i < v.n; i++) {
    Frame f = frame_of(v.all[i]);
    Vec light = in(f, v.light), o;
    float from, to;
    rays.clear();
    for (int y = 0; y < H; y++)
      for (int x = 0; x < W; x++)
        if (shadow_ray(v, f, light, x, y, o, from, to)) rays.add(o, light, from, to, y * W + x);
    int m = rays.pad();
    if (m) MARCH[v.all[i].subject](rays, t, false);
    for (int k = 0; k < m; k++) c.shadow[rays.at[k]] = fminf(c.shadow[rays.at[k]], clamp01(rays.close[k]));
  }
  bool still = s.camera == STILL && s.place != UNDERWATER;
  for (int y = 0; y < H; y++)
    for (int x = 0; x < W; x++) {
      int i = y * W + x;
      if (first || !still || (s.place == SEA && y > H / 3)) c.plain[i] = background(s, v, x, y, 1);
      c.back[i] = c.shadow[i] < 1 ? background(s, v, x, y, c.shadow[i]) : c.plain[i];
    }
  // subjects, four samples a pixel
  std::fill(c.samples.begin(), c.samples.end(), Sample{{0, 0, 0}, 1e9f, 0});
  for (int i = 0; i < v.n; i++) {
    Frame f = frame_of(v.all[i]);
    int x0, x1, y0, y1;
    if (!bounds(v, f, x0, x1, y0, y1)) continue;
    Vec o = point(f, v.cam.eye);
    float from, to;
    rays.clear();
    for (int y = y0; y < y1; y++)
      for (int x = x0; x < x1; x++)
        for (int k = 0; k < 4; k++) {
          Vec own = in(f, sample_ray(v, x, y, k));
          if (passes(o, own, from, to)) rays.add(o, own, from, to, 4 * (y * W + x) + k);
        }
    int m = rays.pad();
    if (m) MARCH[v.all[i].subject](rays, t, true);
    for (int k = 0; k < m; k++)
      land(s, v, f, v.all[i].colour, rays.paint[k], rays.t[k], rays.far[k], rays.close[k], {rays.dx[k], rays.dy[k], rays.dz[k]},
           {rays.nx[k], rays.ny[k], rays.nz[k]}, c.samples[rays.at[k]], c.back[rays.at[k] / 4]);
  }
  float cells[1024] = {0};
  for (int y = 0; y < H; y++)
    for (int x = 0; x < W; x++) {
      int i = y * W + x;
      cells[(y / 8) * (W / 8) + x / 8] += finish(s, v, x, y, &c.samples[4 * i], c.back[i], out + 3 * (size_t)i) / 64;
    }
  for (int i = 0; i < (H / 8) * (W / 8); i++) mask[i] = (uint8_t)(clamp01(cells[i]) * 255 + 0.5f);
}

/**
 * scenes [n]; out [n, frames, height, width, 3] bytes; mask [n, frames, height/8, width/8] bytes, how much of a cell the
 * subjects cover. Frame f shows the time start[n] + f / fps. Sides are multiples of 8, at most 1024 cells.
 */
extern "C" void render(const Scene *scenes, const float *start, int n, int frames, int height, int width, float fps, uint8_t *out, uint8_t *mask) {
  size_t pixels = (size_t)height * width;
  Canvas c = {height, width, std::vector<Rgb>(pixels), std::vector<Rgb>(pixels), std::vector<Sample>(4 * pixels), std::vector<float>(pixels)};
  Rays rays;
  for (int i = 0; i < n; i++)
    for (int f = 0; f < frames; f++) {
      size_t k = (size_t)i * frames + f;
      frame(scenes[i], start[i] + f / fps, f == 0, c, rays, out + 3 * k * pixels, mask + k * pixels / 64);
    }
}
