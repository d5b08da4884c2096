// How a picture comes of it all: a frame's view, the light on a subject, the ground with its shadows, a pixel of its samples.
// Shared by the two renderers: render.cpp marches sixteen rays at a time on a CPU, render.cu one pixel a thread on a GPU.
#pragma once
#include "scenery.h"
#include "subjects.h"

namespace world {

const float CENTRE = 0.5f, RADIUS = 0.86f;  // of the ball that holds any subject, in its own units
const int STEPS = 26;  // of a ray, at most

WORLD Rgb body_colour(int colour) {
  const Rgb all[10] = {{0.88f, 0.07f, 0.09f}, {1.0f, 0.48f, 0.03f}, {1.0f, 0.88f, 0.10f}, {0.10f, 0.66f, 0.16f}, {0.10f, 0.24f, 0.92f},
                       {0.52f, 0.12f, 0.78f}, {1.0f, 0.42f, 0.72f}, {0.97f, 0.97f, 0.97f}, {0.09f, 0.09f, 0.11f}, {0.10f, 0.80f, 0.80f}};
  return all[colour];
}

/** Into an instance's own frame: turned back by roll (about the view axis z) and yaw (about y), around its middle. */
struct Frame {
  float cy, sy, cr, sr, size;
  Vec middle;
};
WORLD Frame frame_of(const Instance &p) { return {cosf(p.yaw), sinf(p.yaw), cosf(p.roll), sinf(p.roll), p.size, {p.x, p.y + CENTRE * p.size, p.z}}; }
WORLD Vec in(const Frame &f, Vec v) { float x = f.cr * v.x + f.sr * v.y, y = f.cr * v.y - f.sr * v.x; return {f.cy * x - f.sy * v.z, y, f.sy * x + f.cy * v.z}; }
WORLD Vec out(const Frame &f, Vec v) { float x = f.cy * v.x + f.sy * v.z, z = f.cy * v.z - f.sy * v.x; return {f.cr * x - f.sr * v.y, f.sr * x + f.cr * v.y, z}; }
WORLD Vec point(const Frame &f, Vec p) {
  Vec v = in(f, {(p.x - f.middle.x) / f.size, (p.y - f.middle.y) / f.size, (p.z - f.middle.z) / f.size});
  return {v.x, v.y + CENTRE, v.z};
}
/** Where a ray (own frame) passes the ball that holds the subject; false when it misses. */
WORLD bool passes(Vec o, Vec d, float &from, float &to) {
  Vec c = {o.x, o.y - CENTRE, o.z};
  float b = dot(c, d), h = b * b - dot(c, c) + RADIUS * RADIUS;
  if (h <= 0) return false;
  h = sqrtf(h), from = fmaxf(-b - h, 0.0f), to = -b + h;
  return to > 0;
}

/** A step of sphere tracing, `d` from the surface: t ends on it or beyond `far`; close is the least of 7 d / t on the way (soft shadow). -> goes on? */
WORLD bool advance(float d, float far, float &t, float &close) {
  close = fminf(close, 7 * d / (t + 0.2f));
  bool on = d > 0.003f && t < far;
  t += on ? 0.85f * d : 0.0f;
  return on;
}
template <int KIND> WORLD Vec normal(float x, float y, float z, float time) {
  const float h = 0.006f;
  float a = nearest<KIND>(x + h, y - h, z - h, time).d, b = nearest<KIND>(x - h, y - h, z + h, time).d;
  float c = nearest<KIND>(x - h, y + h, z - h, time).d, e = nearest<KIND>(x + h, y + h, z + h, time).d;
  float gx = a - b - c + e, gy = -a - b + c + e, gz = -a + b - c + e, k = 1 / fmaxf(len(gx, gy, gz), 1e-9f);
  return {gx * k, gy * k, gz * k};
}

/** What all pixels of one picture have in common. */
struct View {
  Palette p;
  Camera cam;
  Instance all[4];
  Vec light;
  Rgb far;
  float t, aspect, w;  // w: the angle that a pixel covers
  int height, width, n;
  bool shaded;  // whether subjects throw shadows
};
WORLD View view_of(const Scene &s, float t, int height, int width) {
  View v;
  v.t = t, v.height = height, v.width = width, v.aspect = (float)width / height, v.w = 0.54f / height * 1.3f;
  v.p = palette(s.time), v.cam = camera(s, t), v.n = instances(s, t, v.aspect, v.all);
  v.light = lamp(v.p), v.far = haze(s, v.p), v.shaded = s.place != SEA && s.weather != FOG;
  return v;
}
/** Through a point of the picture; pixel units, y down. */
WORLD Vec ray(const View &v, float x, float y) {
  const Camera &cam = v.cam;
  float a = (2 * x / v.width - 1) * cam.zoom * v.aspect, b = (1 - 2 * y / v.height) * cam.zoom;
  return unit({cam.forward.x + a * cam.right.x + b * cam.up.x, cam.forward.y + a * cam.right.y + b * cam.up.y, cam.forward.z + a * cam.right.z + b * cam.up.z});
}

/** From the ground that a pixel shows towards the lamp, whose direction is `light` in the subject's frame; false where no shadow can be. */
WORLD bool shadow_ray(const View &v, const Frame &f, Vec light, int x, int y, Vec &o, float &from, float &to) {
  Vec d = ray(v, x + 0.5f, y + 0.5f);
  if (d.y > -0.01f) return false;
  float k = -v.cam.eye.y / d.y;
  if (k > 12) return false;
  o = point(f, {v.cam.eye.x + k * d.x, 0, v.cam.eye.z + k * d.z});
  if (!passes(o, light, from, to)) return false;
  from = fmaxf(from, 0.02f);
  return true;
}

/** Sky, or ground of which the lamp reaches the share `shadow`. */
WORLD Rgb background(const Scene &s, const View &v, int x, int y, float shadow) {
  Vec d = ray(v, x + 0.5f, y + 0.5f);
  Rgb c = sky(s, v.p, d, v.t, v.w);
  float e = d.y / sqrtf(d.x * d.x + d.z * d.z);
  if (e >= 0.5f * v.w) return c;
  // the ground, fading into the horizon
  float k = v.cam.eye.y / fmaxf(-d.y, 0.004f), f = clamp01((k - 2) / 16), gx = v.cam.eye.x + k * d.x, gz = v.cam.eye.z + k * d.z;
  Rgb g = ground(s, v.p, gx, gz, v.t, smooth(0.0f, 0.6f, f));
  g = scale(g, 1 - (1 - shadow) * (s.time == NIGHT || s.weather != CLEAR || s.place == UNDERWATER ? 0.35f : 0.5f));
  float air = s.weather == FOG ? 1 - expf(-0.34f * fmaxf(k - 2.4f, 0.0f)) : (s.place == UNDERWATER ? 1.0f : 0.55f) * f;
  return mix(c, mix(g, v.far, air), cover(e, v.w));
}

/** The pixels x0..x1, y0..y1 in which an instance may be seen; false when it is behind the camera. */
WORLD bool bounds(const View &v, const Frame &f, int &x0, int &x1, int &y0, int &y1) {
  const Camera &cam = v.cam;
  Vec c = {f.middle.x - cam.eye.x, f.middle.y - cam.eye.y, f.middle.z - cam.eye.z};
  float ahead = dot(c, cam.forward);
  if (ahead < 0.3f) return false;
  float px = (dot(c, cam.right) / ahead / (cam.zoom * v.aspect) + 1) * 0.5f * v.width, py = (1 - dot(c, cam.up) / ahead / cam.zoom) * 0.5f * v.height;
  float reach = RADIUS * f.size / ahead / cam.zoom * 0.5f * v.height * 1.15f + 2;
  x0 = (int)fmaxf(0.0f, px - reach), x1 = (int)fminf((float)v.width, px + reach + 1);
  y0 = (int)fmaxf(0.0f, py - reach), y1 = (int)fminf((float)v.height, py + reach + 1);
  return true;
}
/** Through a pixel's sample k of four. */
WORLD Vec sample_ray(const View &v, int x, int y, int k) { return ray(v, x + 0.25f + 0.5f * (k & 1), y + 0.25f + 0.5f * (k >> 1)); }

WORLD Rgb light_on(const Scene &s, const View &v, Rgb own, int kind, Vec n, Vec view, Rgb behind) {
  const Palette &p = v.p;
  Vec l = v.light;
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

/** One of a pixel's four samples: what was nearest there. */
struct Sample { Rgb colour; float depth, hit; };

/** A marched ray into its sample and, where it glows, what lies behind the pixel; the ray and normal in the subject's frame, t in its units. */
WORLD void land(const Scene &s, const View &v, const Frame &f, int colour, int kind, float t, float far, float close, Vec direction, Vec normal, Sample &a, Rgb &back) {
  if (t >= far) {  // a miss: an outline where it was close, or a halo
    if (s.look != NATURAL && close < 0.05f && a.depth > 1e8f) a.colour = {0.08f, 0.07f, 0.10f}, a.hit = 1;
    else if (s.material == GLOWING && a.hit == 0) {
      float glow = 0.55f * smooth(0.8f, 0.0f, close);
      back = mix(back, mix(body_colour(colour), {1, 1, 1}, 0.3f), 0.25f * glow);
    }
    return;
  }
  float depth = t * f.size;
  if (depth >= a.depth) return;
  Vec view = out(f, direction);
  if (s.place == SEA && v.cam.eye.y + depth * view.y < -0.005f) return;  // the part under water
  Rgb c = light_on(s, v, paint(kind, body_colour(colour)), kind, out(f, normal), view, back);
  float air = s.weather == FOG ? 0.10f + 0.5f * smooth(3.0f, 7.0f, depth) : s.place == UNDERWATER ? 0.10f + 0.5f * smooth(3.0f, 8.0f, depth) : 0.0f;
  a.colour = mix(c, v.far, air), a.depth = depth, a.hit = 1;
}

/** A pixel's bytes of its four samples. -> the share of it that subjects cover. */
WORLD float finish(const Scene &s, const View &v, int x, int y, const Sample *samples, Rgb back, unsigned char *o) {
  Rgb c = {0, 0, 0};
  float covered = 0;
  for (int k = 0; k < 4; k++) {
    Rgb a = samples[k].hit > 0 ? samples[k].colour : back;
    c = {c.r + 0.25f * a.r, c.g + 0.25f * a.g, c.b + 0.25f * a.b}, covered += 0.25f * samples[k].hit;
  }
  c = weather(s, v.p, c, (2 * (x + 0.5f) / v.width - 1) * v.aspect, 1 - 2 * (y + 0.5f) / v.height, v.t, 2.6f / v.height);
  if (s.look == INK) {  // washes of grey on paper; only the subjects keep some colour
    float grey = 0.3f * c.r + 0.6f * c.g + 0.1f * c.b, tone = smooth(0.05f, 0.75f, grey);
    Rgb ink = mix({0.16f, 0.15f, 0.18f}, {0.96f, 0.94f, 0.88f}, tone);
    c = mix(ink, c, 0.75f * covered);
  }
  o[0] = (unsigned char)(clamp01(c.r) * 255 + 0.5f), o[1] = (unsigned char)(clamp01(c.g) * 255 + 0.5f), o[2] = (unsigned char)(clamp01(c.b) * 255 + 0.5f);
  return covered;
}

}  // namespace world
