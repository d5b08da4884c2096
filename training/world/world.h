// The procedural world: one subject, moving in one place, at one time of day.
// Small pure functions of plain numbers, in the subset that is both C++ and CUDA.
// Units: picture coordinates have y up, the origin in the middle and the short side of the picture = 1.
#pragma once
#include <math.h>
#ifdef __CUDACC__
#define WORLD __host__ __device__ inline
#else
#define WORLD static inline
#endif

namespace world {

enum Subject { BOAT, BALLOON, HOUSE, CAR, FISH, ROCKET, SNOWMAN, TREE, STAR, HEART };
enum Motion { LEFT, RIGHT, BOUNCE, SPIN, RISE, SINK, SWAY, GROW };
enum Place { SEA, DESERT, MEADOW, SNOW, CITY, SPACE };
enum Time { DAY, SUNSET, NIGHT };

struct Rgb { float r, g, b; };
struct Scene {
  int subject, colour, motion, place, time;
  float size;      // height of the subject, in short sides
  float x, y;      // where its centre starts
  float speed;     // multiplies the motion's own pace
  float phase;     // where periodic motions start, in turns
  float scenery;   // shifts hills, buildings and stars
};

const float TAU = 6.2831853f;

WORLD Rgb mix(Rgb a, Rgb b, float t) {
  return {a.r + (b.r - a.r) * t, a.g + (b.g - a.g) * t, a.b + (b.b - a.b) * t};
}
WORLD Rgb scale(Rgb a, Rgb b) { return {a.r * b.r, a.g * b.g, a.b * b.b}; }
WORLD float clamp01(float x) { return x < 0 ? 0 : x > 1 ? 1 : x; }
WORLD float wrap(float x, float period) { return x - period * floorf(x / period + 0.5f); }
WORLD float hash(float n) { float s = sinf(n * 12.9898f) * 43758.547f; return s - floorf(s); }

// ---- signed distances, negative inside ----
WORLD float circle(float x, float y, float cx, float cy, float r) {
  return sqrtf((x - cx) * (x - cx) + (y - cy) * (y - cy)) - r;
}
WORLD float box(float x, float y, float cx, float cy, float hx, float hy) {
  float dx = fabsf(x - cx) - hx, dy = fabsf(y - cy) - hy;
  float ox = fmaxf(dx, 0), oy = fmaxf(dy, 0);
  return sqrtf(ox * ox + oy * oy) + fminf(fmaxf(dx, dy), 0);
}
WORLD float ellipse(float x, float y, float cx, float cy, float a, float b) {
  float u = (x - cx) / a, v = (y - cy) / b, k0 = sqrtf(u * u + v * v);
  float k1 = sqrtf(u * u / (a * a) + v * v / (b * b));
  return k1 < 1e-6f ? -fminf(a, b) : k0 * (k0 - 1) / k1;
}
/** Upright trapezoid: half widths at the bottom y0 and at the top y1. */
WORLD float trapezoid(float x, float y, float cx, float y0, float y1, float w0, float w1) {
  float slope = (w1 - w0) / (y1 - y0);
  float side = (fabsf(x - cx) - (w0 + slope * (y - y0))) / sqrtf(1 + slope * slope);
  return fmaxf(side, fmaxf(y0 - y, y - y1));
}
WORLD float triangle(float x, float y, float ax, float ay, float bx, float by, float cx, float cy) {
  // half planes of a counter-clockwise triangle
  float d0 = ((by - ay) * (x - ax) - (bx - ax) * (y - ay)) / hypotf(bx - ax, by - ay);
  float d1 = ((cy - by) * (x - bx) - (cx - bx) * (y - by)) / hypotf(cx - bx, cy - by);
  float d2 = ((ay - cy) * (x - cx) - (ax - cx) * (y - cy)) / hypotf(ax - cx, ay - cy);
  return fmaxf(d0, fmaxf(d1, d2));
}
WORLD float star5(float x, float y, float outer, float inner) {
  float a = atan2f(x, y), r = sqrtf(x * x + y * y), sector = TAU / 5;
  a = fabsf(wrap(a, sector));
  float px = r * sinf(a), py = r * cosf(a);
  float ix = inner * sinf(sector / 2), iy = inner * cosf(sector / 2);
  float ex = ix, ey = iy - outer;
  return (px * -ey + (py - outer) * ex) / sqrtf(ex * ex + ey * ey);
}
WORLD float heart(float x, float y) {
  x = fabsf(x);
  float lobe = circle(x, y, 0.235f, 0.17f, 0.265f);
  float body = (x * 0.78f - (y + 0.48f) * 0.62f);
  body = fmaxf(body, fmaxf(y - 0.20f, x - 0.5f));
  return fminf(lobe, body);
}

// ---- subjects: painted parts from back to front ----
struct Part { float d; Rgb c; };
struct Parts { Part at[14]; int n; };
WORLD void add(Parts &p, float d, Rgb c) { p.at[p.n].d = d; p.at[p.n].c = c; p.n++; }

/** Parts of a subject at (x, y) in its own frame: it fills about -0.5..0.5 in y and faces right. */
WORLD void subject(int kind, Rgb body, float x, float y, Parts &p) {
  const Rgb dark = {0.13f, 0.10f, 0.14f}, white = {1, 1, 1}, glass = {0.72f, 0.92f, 1.0f};
  const Rgb brown = {0.45f, 0.27f, 0.14f}, flame = {1.0f, 0.72f, 0.1f};
  Rgb light = mix(body, white, 0.5f), deep = scale(body, {0.68f, 0.68f, 0.68f});
  p.n = 0;
  switch (kind) {
    case BOAT:
      add(p, box(x, y, 0, 0.1f, 0.035f, 0.4f), brown);
      add(p, triangle(x, y, 0.06f, -0.1f, 0.5f, -0.1f, 0.06f, 0.5f), body);
      add(p, triangle(x, y, -0.06f, -0.1f, -0.06f, 0.4f, -0.42f, -0.1f), light);
      add(p, trapezoid(x, y, 0, -0.45f, -0.17f, 0.3f, 0.56f), body);
      add(p, fmaxf(trapezoid(x, y, 0, -0.45f, -0.17f, 0.3f, 0.56f), -0.26f - y), deep);
      break;
    case BALLOON:
      add(p, triangle(x, y, -0.24f, -0.02f, 0, -0.46f, 0.24f, -0.02f), deep);
      add(p, circle(x, y, 0, 0.14f, 0.36f), body);
      add(p, ellipse(x, y, 0, 0.14f, 0.14f, 0.36f), light);
      add(p, box(x, y, 0, -0.40f, 0.11f, 0.10f), brown);
      break;
    case HOUSE:
      add(p, box(x, y, 0.24f, 0.30f, 0.06f, 0.16f), brown);
      add(p, box(x, y, 0, -0.2f, 0.4f, 0.3f), body);
      add(p, triangle(x, y, -0.54f, 0.06f, 0.54f, 0.06f, 0, 0.5f), deep);
      add(p, box(x, y, -0.16f, -0.31f, 0.1f, 0.19f), dark);
      add(p, box(x, y, 0.18f, -0.16f, 0.11f, 0.11f), glass);
      break;
    case CAR:
      add(p, trapezoid(x, y, -0.04f, -0.02f, 0.3f, 0.42f, 0.24f), body);
      add(p, box(x, y, 0, -0.09f, 0.58f, 0.11f) - 0.03f, body);
      add(p, trapezoid(x, y, -0.2f, 0.02f, 0.22f, 0.14f, 0.1f), glass);
      add(p, trapezoid(x, y, 0.12f, 0.02f, 0.22f, 0.14f, 0.08f), glass);
      add(p, circle(x, y, 0.55f, -0.05f, 0.06f), flame);
      add(p, circle(x, y, -0.34f, -0.22f, 0.17f), dark);
      add(p, circle(x, y, 0.34f, -0.22f, 0.17f), dark);
      add(p, circle(x, y, -0.34f, -0.22f, 0.07f), white);
      add(p, circle(x, y, 0.34f, -0.22f, 0.07f), white);
      break;
    case FISH:
      add(p, triangle(x, y, -0.28f, 0, -0.62f, 0.3f, -0.62f, -0.3f), deep);
      add(p, triangle(x, y, -0.16f, 0.2f, 0.22f, 0.2f, -0.1f, 0.44f), deep);
      add(p, ellipse(x, y, 0.06f, 0, 0.46f, 0.3f), body);
      add(p, fmaxf(ellipse(x, y, 0.06f, 0, 0.46f, 0.3f), fabsf(x + 0.02f) - 0.06f), light);
      add(p, circle(x, y, 0.3f, 0.07f, 0.1f), white);
      add(p, circle(x, y, 0.32f, 0.07f, 0.05f), dark);
      break;
    case ROCKET:
      add(p, triangle(x, y, -0.12f, -0.3f, 0, -0.56f, 0.12f, -0.3f), flame);
      add(p, triangle(x, y, -0.38f, -0.4f, 0, -0.4f, -0.1f, 0.02f), deep);
      add(p, triangle(x, y, 0, -0.4f, 0.38f, -0.4f, 0.1f, 0.02f), deep);
      add(p, fmaxf(ellipse(x, y, 0, -0.02f, 0.22f, 0.54f), -0.36f - y), body);
      add(p, fmaxf(ellipse(x, y, 0, -0.02f, 0.22f, 0.54f), 0.24f - y), light);
      add(p, circle(x, y, 0, 0.04f, 0.11f), glass);
      break;
    case SNOWMAN:
      add(p, circle(x, y, 0, -0.21f, 0.3f), body);
      add(p, circle(x, y, 0, 0.15f, 0.2f), body);
      add(p, box(x, y, 0, 0.0f, 0.17f, 0.045f), light);
      add(p, box(x, y, 0, 0.31f, 0.24f, 0.035f), dark);
      add(p, box(x, y, 0, 0.42f, 0.15f, 0.1f), dark);
      add(p, circle(x, y, -0.08f, 0.2f, 0.035f), dark);
      add(p, circle(x, y, 0.08f, 0.2f, 0.035f), dark);
      add(p, triangle(x, y, 0, 0.17f, 0, 0.08f, 0.2f, 0.12f), flame);
      add(p, circle(x, y, 0, -0.15f, 0.04f), dark);
      add(p, circle(x, y, 0, -0.3f, 0.04f), dark);
      break;
    case TREE:
      add(p, box(x, y, 0, -0.41f, 0.09f, 0.1f), brown);
      add(p, trapezoid(x, y, 0, -0.34f, 0.04f, 0.46f, 0.06f), deep);
      add(p, trapezoid(x, y, 0, -0.08f, 0.28f, 0.37f, 0.04f), body);
      add(p, trapezoid(x, y, 0, 0.16f, 0.5f, 0.27f, 0.0f), light);
      break;
    case STAR:
      add(p, star5(x, y - -0.03f, 0.56f, 0.27f), body);
      add(p, circle(x, y, -0.1f, 0.03f, 0.05f), dark);
      add(p, circle(x, y, 0.1f, 0.03f, 0.05f), dark);
      add(p, fmaxf(circle(x, y, 0, -0.07f, 0.09f), y + 0.07f), dark);
      break;
    default:
      add(p, heart(x, y), body);
      add(p, ellipse(x, y, -0.24f, 0.22f, 0.1f, 0.08f), light);
  }
}

// ---- motion, defined for all time ----
struct Pose { float x, y, angle, size; int flip; };

/** Pose at `t` seconds in a picture of half width `hw` and half height `hh`. */
WORLD Pose pose(const Scene &s, float t, float hw, float hh) {
  Pose p = {s.x, s.y, 0, s.size, 0};
  float turn = TAU * (s.phase + t * s.speed);
  float across = 2 * hw + 1.3f * s.size, along = 2 * hh + 1.2f * s.size;
  switch (s.motion) {
    case LEFT: p.x = wrap(s.x - 0.30f * s.speed * t, across); p.flip = 1; break;
    case RIGHT: p.x = wrap(s.x + 0.30f * s.speed * t, across); break;
    case BOUNCE: p.y = -hh + 0.08f + 0.5f * s.size + 0.27f * fabsf(sinf(0.5f * turn * 1.3f)); break;
    case SPIN: p.angle = -TAU * (s.phase + 0.55f * s.speed * t); break;
    case RISE: p.y = wrap(s.y + 0.28f * s.speed * t, along); break;
    case SINK: p.y = wrap(s.y - 0.28f * s.speed * t, along); break;
    case SWAY: p.angle = 0.32f * sinf(0.75f * turn); p.x += 0.1f * sinf(0.75f * turn); break;
    default: p.size = s.size * (0.76f - 0.36f * cosf(0.62f * turn));
  }
  return p;
}

// ---- scenery ----
struct Palette { Rgb top, low, sun, tint; };
WORLD Palette palette(int time) {
  if (time == DAY) return {{0.25f, 0.60f, 0.98f}, {0.70f, 0.90f, 1.0f}, {1.0f, 0.95f, 0.45f}, {1, 1, 1}};
  if (time == SUNSET) return {{0.48f, 0.22f, 0.55f}, {1.0f, 0.58f, 0.25f}, {1.0f, 0.88f, 0.35f}, {0.85f, 0.60f, 0.55f}};
  return {{0.02f, 0.03f, 0.13f}, {0.08f, 0.12f, 0.32f}, {0.95f, 0.95f, 0.85f}, {0.28f, 0.33f, 0.52f}};
}

/** Height of the ground at x, in short sides above the bottom edge. */
WORLD float ground(int place, float x, float t, float k) {
  switch (place) {
    case SEA: return 0.36f + 0.02f * sinf(9 * x + 2.0f * t + k);
    case DESERT: return 0.30f + 0.07f * sinf(3.1f * x + k);
    case MEADOW: return 0.32f + 0.06f * cosf(2.3f * x + k);
    case SNOW: return 0.33f + 0.05f * sinf(2.6f * x + k);
    case CITY: return 0.16f;
    default: return 0.20f - 0.05f * x * x;
  }
}

/** The scenery's colour; `w` is the width of a pixel (for antialiasing). */
WORLD Rgb scenery(const Scene &s, float x, float y, float t, float hw, float hh, float w) {
  Palette pal = palette(s.time);
  float up = (y + hh) / (2 * hh), h = y + hh, k = s.scenery;
  Rgb c = mix(pal.low, pal.top, clamp01(up * 1.25f - 0.25f));
  if (s.place == SPACE) c = mix(scale(c, {0.35f, 0.25f, 0.45f}), {0.06f, 0.02f, 0.12f}, 0.4f);
  if (s.time == NIGHT || s.place == SPACE) {  // stars on a coarse grid
    float gx = floorf(x * 5 + k), gy = floorf(y * 5), r = hash(gx + 57 * gy);
    float d = circle(x * 5 + k - gx, y * 5 - gy, 0.3f + 0.4f * r, 0.5f, 0.17f) / 5;
    if (r > 0.74f) c = mix(c, {1, 1, 0.9f}, clamp01(0.5f - d / w));
  }
  float sx = s.time == DAY ? hw - 0.2f : s.time == SUNSET ? 0.30f - hw : hw - 0.22f;
  float sy = s.time == DAY ? hh - 0.18f : s.time == SUNSET ? 0.42f - hh : hh - 0.2f;
  float sun = circle(x, y, sx, sy, s.time == SUNSET ? 0.19f : 0.12f);
  if (s.time == NIGHT) sun = fmaxf(sun, -circle(x, y, sx - 0.07f, sy + 0.04f, 0.10f));
  c = mix(c, pal.sun, clamp01(0.5f - sun / w));
  if (s.place == SPACE) {  // a ringed planet on the left
    float px = x + hw - 0.26f, py = y - hh + 0.24f;
    c = mix(c, {0.85f, 0.62f, 0.38f}, clamp01(0.5f - circle(px, py, 0, 0, 0.13f) / w));
    c = mix(c, {0.95f, 0.9f, 0.7f}, clamp01(0.5f - (fabsf(py + 0.35f * px) - 0.022f + 0.4f * fmaxf(fabsf(px) - 0.2f, 0)) / w));
  }
  if (s.place == CITY) {  // buildings, a third of a short side wide, with big windows
    float bx = x / 0.34f + k, i = floorf(bx), f = bx - i;
    float d = h - (0.38f + 0.34f * hash(i));
    Rgb wall = s.time == NIGHT ? Rgb{0.17f, 0.17f, 0.30f} : scale(pal.tint, {0.50f, 0.52f, 0.62f});
    Rgb lit = s.time == DAY ? Rgb{0.75f, 0.88f, 0.95f} : Rgb{1.0f, 0.85f, 0.35f};
    float wy = h / 0.26f, window = fmaxf(fabsf(f - 0.53f) - 0.2f, fabsf(wy - floorf(wy) - 0.5f) - 0.26f);
    if (f > 0.06f) c = mix(c, window < 0 ? lit : wall, clamp01(0.5f - d / w));
  }
  const Rgb earth[6] = {{0.08f, 0.38f, 0.75f}, {0.95f, 0.78f, 0.42f}, {0.30f, 0.72f, 0.22f},
                        {0.93f, 0.96f, 1.0f}, {0.30f, 0.30f, 0.34f}, {0.62f, 0.62f, 0.68f}};
  float d = h - ground(s.place, x, t, k);
  Rgb near = scale(earth[s.place], pal.tint);
  if (s.place == SEA) {  // two bold bands of waves
    float band = h - 0.19f - 0.025f * sinf(8 * x - 2.4f * t + k);
    near = mix(mix(near, {1, 1, 1}, 0.18f), near, clamp01(0.5f - band / w));
  }
  if (s.place == MEADOW) near = mix(near, scale(near, {0.72f, 0.8f, 0.7f}), clamp01(0.5f - (h - 0.14f - 0.05f * sinf(2.8f * x - k)) / w));
  if (s.place == DESERT) near = mix(near, scale(near, {0.86f, 0.8f, 0.72f}), clamp01(0.5f - (h - 0.14f - 0.06f * cosf(2.6f * x - k)) / w));
  return mix(c, near, clamp01(0.5f - d / w));
}

/** The finished colour of a pixel: the subject, outlined, over `back`. */
WORLD Rgb shade(const Scene &s, const Pose &q, Rgb body, Rgb back, float x, float y, float w) {
  float dx = x - q.x, dy = y - q.y, c = cosf(q.angle), n = sinf(q.angle);
  float u = (c * dx + n * dy) / q.size, v = (c * dy - n * dx) / q.size, pw = w / q.size;
  Parts parts;
  subject(s.subject, body, q.flip ? -u : u, v, parts);
  float hull = parts.at[0].d;
  for (int i = 1; i < parts.n; i++) hull = fminf(hull, parts.at[i].d);
  Rgb out = mix(back, {0.10f, 0.07f, 0.11f}, clamp01(0.5f - (hull - 0.03f / q.size) / pw));
  float dim = s.time == NIGHT ? 0.9f : 1.0f;
  for (int i = 0; i < parts.n; i++) {
    Rgb part = scale(parts.at[i].c, {dim, dim, dim});
    out = mix(out, part, clamp01(0.5f - parts.at[i].d / pw));
  }
  return out;
}

}  // namespace world
