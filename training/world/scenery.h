// What lies behind the subjects: sky, sun, distant things, ground or water; and the weather in front of them.
// Edges are as soft as `w`, the angle that a pixel covers.
#pragma once
#include "motion.h"

namespace world {

struct Palette { Rgb top, low, sun, light, shade; Vec to_sun; float sun_size; };

/** Colours of the sky and of the light, and where the light comes from. */
WORLD Palette palette(int time) {
  switch (time) {
    case MORNING: return {{0.55f, 0.66f, 0.92f}, {1.0f, 0.80f, 0.78f}, {1.0f, 0.97f, 0.86f}, {0.95f, 0.84f, 0.78f}, {0.50f, 0.46f, 0.56f}, {0.34f, 0.13f, -1}, 0.055f};
    case DAY: return {{0.20f, 0.52f, 0.96f}, {0.70f, 0.89f, 1.0f}, {1.0f, 0.95f, 0.55f}, {1.0f, 0.98f, 0.93f}, {0.52f, 0.56f, 0.64f}, {0.30f, 0.235f, -1}, 0.05f};
    case SUNSET: return {{0.42f, 0.20f, 0.52f}, {1.0f, 0.52f, 0.20f}, {1.0f, 0.86f, 0.36f}, {1.0f, 0.66f, 0.44f}, {0.42f, 0.28f, 0.40f}, {-0.26f, 0.07f, -1}, 0.085f};
    default: return {{0.01f, 0.02f, 0.10f}, {0.07f, 0.11f, 0.30f}, {0.96f, 0.96f, 0.88f}, {0.46f, 0.52f, 0.78f}, {0.14f, 0.17f, 0.32f}, {0.28f, 0.21f, -1}, 0.05f};
  }
}

/** Direction to the lamp that lights subjects: from the camera's side, so that they are never only a silhouette. */
WORLD Vec lamp(const Palette &p) { return unit({p.to_sun.x > 0 ? 0.55f : -0.55f, 0.85f, 0.65f}); }

WORLD float cover(float d, float w) { return clamp01(0.5f - d / w); }

/** The colour at the horizon, into which everything far away fades. */
WORLD Rgb haze(const Scene &s, const Palette &p) {
  if (s.place == SPACE) return mix({0.05f, 0.03f, 0.12f}, p.low, 0.16f);
  if (s.place == UNDERWATER) return scale({0.10f, 0.46f, 0.66f}, mix(p.light, {1, 1, 1}, 0.3f));
  Rgb low = p.low;
  if (s.weather == RAIN) low = mix(low, scale({0.52f, 0.56f, 0.62f}, p.light), 0.75f);
  if (s.weather == SNOWFALL) low = mix(low, scale({0.86f, 0.88f, 0.92f}, p.light), 0.5f);
  if (s.weather == FOG) low = mix(low, scale({0.84f, 0.86f, 0.88f}, p.light), 0.85f);
  return low;
}

/** Sky and far silhouettes in the direction d (unit length). */
WORLD Rgb sky(const Scene &s, const Palette &p, Vec d, float t, float w) {
  float e = d.y / sqrtf(d.x * d.x + d.z * d.z), a = atan2f(d.x, -d.z), k = s.scenery;
  Rgb low = haze(s, p), top = p.top;
  float grey = s.weather == RAIN ? 0.75f : s.weather == SNOWFALL ? 0.5f : s.weather == FOG ? 0.85f : 0.0f;
  if (s.place == SPACE) top = mix({0.02f, 0.01f, 0.07f}, p.top, 0.10f), grey *= 0.3f;
  if (s.place == UNDERWATER) {
    float ray = 0.5f + 0.5f * sinf(9 * a + 5 * e + 0.7f * t + k);
    Rgb c = mix(low, scale({0.35f, 0.80f, 0.92f}, p.light), clamp01(0.15f + 2.2f * e));
    c = mix(c, {0.8f, 1, 1}, 0.10f * ray * clamp01(0.4f + 3 * e));
    for (int i = 0; i < 5; i++) {  // weeds
      float x0 = -0.5f + 0.25f * i + 0.08f * sinf(k + 2.1f * i), h = 0.02f + 0.16f * hash(i + k);
      float x = wrap(a - x0 - 0.02f * sinf(1.6f * t + 14 * e + i), TAU);
      float stem = fmaxf(fabsf(x) - 0.028f * (1 - 0.8f * clamp01((e + 0.1f) / (h + 0.1f))), e - h);
      c = mix(c, scale({0.06f, 0.36f, 0.30f}, p.light), 0.8f * cover(stem, w));
    }
    return c;
  }
  Rgb c = mix(low, mix(top, low, grey), smooth(-0.02f, 0.34f, e));
  if ((s.time == NIGHT || s.place == SPACE) && grey < 0.3f) {  // stars on a coarse grid
    float gx = floorf(a * 11 + k), gy = floorf(e * 11), r = hash(gx + 57 * gy);
    float star = len(a * 11 + k - gx - 0.3f - 0.4f * r, e * 11 - gy - 0.5f) / 11 - 0.013f;
    if (r > 0.72f) c = mix(c, {1, 1, 0.92f}, cover(star, w));
  }
  float sa = atan2f(p.to_sun.x, -p.to_sun.z), sun = len(wrap(a - sa, TAU), e - p.to_sun.y);
  c = mix(c, mix(low, p.sun, 0.6f), 0.5f * (1 - grey) * smooth(0.26f, 0.0f, sun));
  float disc = sun - p.sun_size;
  if (s.time == NIGHT) disc = fmaxf(disc, 0.044f - len(wrap(a - sa + 0.028f, TAU), e - p.to_sun.y - 0.016f));
  c = mix(c, p.sun, (1 - grey) * cover(disc, w));
  if (s.time == DAY && s.place != SPACE) {  // two soft clouds
    for (int i = 0; i < 2; i++) {
      float x = wrap(a + 0.28f - 0.55f * i - 0.1f * k, 1.6f), y = e - 0.20f + 0.06f * i;
      float puff = fminf(len(x, 1.6f * y) - 0.06f, fminf(len(x - 0.06f, 1.6f * (y + 0.012f)) - 0.042f, len(x + 0.06f, 1.6f * (y + 0.012f)) - 0.042f));
      c = mix(c, {1, 1, 1}, 0.85f * (1 - grey) * smooth(0.02f, -0.02f, puff));
    }
  }
  if (s.place == SPACE) {  // a ringed planet
    float x = wrap(a + 0.22f, TAU), y = e - 0.19f;
    c = mix(c, scale({0.90f, 0.62f, 0.36f}, mix(p.light, {1, 1, 1}, 0.5f)), cover(len(x, y) - 0.075f, w));
    float ring = fabsf(y + 0.3f * x) - 0.011f + 0.5f * fmaxf(fabsf(x) - 0.13f, 0.0f);
    c = mix(c, scale({0.98f, 0.90f, 0.66f}, mix(p.light, {1, 1, 1}, 0.5f)), cover(ring, w));
  }
  float far = s.weather == FOG ? 0.75f : s.weather == CLEAR ? 0.12f : 0.35f;  // how much haze lies before far things
  if (s.place == MOUNTAINS) {
    float saw = fabsf(wrap(2.4f * a + 0.4f * k, 1.0f)), small = fabsf(wrap(5.1f * a + k, 1.0f));
    float top_of = 0.05f + 0.34f * (0.5f - saw) + 0.10f * (0.5f - small), d1 = e - top_of;
    Rgb rock = scale({0.42f, 0.44f, 0.55f}, p.light), snow = scale({0.97f, 0.98f, 1.0f}, p.light);
    Rgb m = mix(rock, snow, smooth(0.10f, 0.125f, e + 0.03f * sinf(30 * a)));
    c = mix(c, mix(m, low, far), cover(d1, w));
  } else if (s.place == CITY) {
    float bx = a / 0.105f + k, i = floorf(bx), f = bx - i, r = hash(i), d1 = e - (0.07f + 0.17f * r);
    Rgb wall = s.time == NIGHT ? Rgb{0.13f, 0.13f, 0.25f} : scale(mix({0.48f, 0.50f, 0.60f}, {0.70f, 0.58f, 0.54f}, hash(i + 9)), p.light);
    Rgb lit = s.time == DAY || s.time == MORNING ? Rgb{0.72f, 0.84f, 0.92f} : Rgb{1.0f, 0.84f, 0.36f};
    float wy = e / 0.062f, pane = fmaxf(fabsf(f - 0.52f) - 0.24f, fabsf(wy - floorf(wy) - 0.5f) - 0.26f);
    Rgb m = mix(wall, lit, cover(pane * 0.08f, w));
    if (f > 0.05f) c = mix(c, mix(m, low, far), cover(d1, w));
  } else if (s.place == DESERT) {  // dunes and one pyramid
    float pyramid = fmaxf(e - 0.17f + 1.05f * fabsf(wrap(a + 0.24f, TAU)), -e);
    c = mix(c, mix(scale({0.86f, 0.66f, 0.36f}, a < -0.24f ? p.light : p.shade), low, far), cover(pyramid, w));
    c = mix(c, mix(scale({0.90f, 0.70f, 0.38f}, p.light), low, far), cover(e - 0.035f - 0.025f * sinf(6 * a + k), w));
  } else if (s.place == MEADOW) {  // a green hill and round trees
    float x = wrap(a + 0.1f * k, 0.36f);
    float tree = fminf(len(x, e - 0.085f) - 0.042f, fmaxf(fabsf(x) - 0.009f, fabsf(e - 0.03f) - 0.03f));
    c = mix(c, mix(scale({0.16f, 0.46f, 0.16f}, p.light), low, far), cover(tree, w));
    c = mix(c, mix(scale({0.34f, 0.66f, 0.24f}, p.light), low, far), cover(e - 0.022f - 0.02f * sinf(5 * a + k), w));
  } else if (s.place == SNOWFIELD) {  // white hills and dark firs
    float x = wrap(a + 0.1f * k, 0.22f);
    float fir = fmaxf(e - 0.15f + 2.6f * fabsf(x), 0.02f - e);
    c = mix(c, mix(scale({0.16f, 0.34f, 0.32f}, p.light), low, far), cover(fir * 0.4f, w));
    c = mix(c, mix(scale({0.92f, 0.95f, 1.0f}, p.light), low, far), cover(e - 0.03f - 0.022f * sinf(5 * a + k), w));
  }
  return c;
}

/** The ground's own colour at (x, z); f in [0, 1] says how far away it is. */
WORLD Rgb ground(const Scene &s, const Palette &p, float x, float z, float t, float f) {
  float k = s.scenery, soft = 1 - f;
  switch (s.place) {
    case SEA: {
      float wave = sinf(2.6f * z + 0.8f * x + 2.4f * t + k) + 0.7f * sinf(1.7f * x - 1.9f * z + 1.7f * t);
      return scale(mix({0.05f, 0.34f, 0.66f}, {0.42f, 0.72f, 0.90f}, clamp01(0.28f + 0.24f * wave * soft)), mix(p.light, {1, 1, 1}, 0.15f));
    }
    case DESERT: return scale({0.95f, 0.78f, 0.44f}, mix(p.shade, p.light, 0.8f + 0.2f * soft * sinf(2.2f * z + 0.9f * x + k)));
    case MEADOW: return scale(mix({0.30f, 0.66f, 0.20f}, {0.42f, 0.76f, 0.26f}, 0.5f + 0.5f * soft * sinf(1.8f * x + k) * sinf(1.6f * z)), p.light);
    case SNOWFIELD: return scale({0.94f, 0.96f, 1.0f}, mix(p.shade, p.light, 0.92f + 0.08f * soft * sinf(1.5f * x + z + k)));
    case CITY: {
      float stripe = fmaxf(fabsf(z + 0.9f) - 0.05f, fabsf(wrap(x, 1.2f)) - 0.3f);
      return scale(mix({0.30f, 0.31f, 0.34f}, {0.92f, 0.90f, 0.84f}, smooth(0.03f, -0.03f, stripe)), mix(p.light, {1, 1, 1}, 0.1f));
    }
    case SPACE: {
      float gx = floorf(x / 1.5f), gz = floorf(z / 1.1f), r = hash(gx + 31 * gz + k);
      float crater = len(x / 1.5f - gx - 0.3f - 0.4f * r, 0.73f * (z / 1.1f - gz - 0.5f)) - 0.12f - 0.12f * r;
      return scale(mix({0.62f, 0.62f, 0.68f}, {0.42f, 0.42f, 0.50f}, smooth(0.04f, -0.04f, crater)), mix(p.light, {1, 1, 1}, 0.3f));
    }
    case UNDERWATER: return scale(mix({0.72f, 0.72f, 0.54f}, {0.90f, 0.92f, 0.72f}, 0.5f + 0.5f * sinf(3 * x + 1.3f * t) * sinf(2.6f * z - t)), scale({0.45f, 0.85f, 0.92f}, mix(p.light, {1, 1, 1}, 0.2f)));
    default: return scale(mix({0.40f, 0.58f, 0.30f}, {0.52f, 0.54f, 0.44f}, 0.5f + 0.5f * soft * sinf(1.4f * x + 2 * z + k)), p.light);
  }
}

/** Rain, snowfall and bubbles in front of everything; (u, v) in half heights, v up. */
WORLD Rgb weather(const Scene &s, const Palette &p, Rgb c, float u, float v, float t, float w) {
  if (s.place == SPACE) return c;
  if (s.weather == RAIN) {
    for (int layer = 0; layer < 2; layer++) {
      float x = (u - 0.18f * v) * 2.6f + 0.37f * layer, i = floorf(x), r = hash(i + 17 * layer);
      float y = v + (3.4f + 0.5f * r) * t + 5 * r, period = 1.5f, f = fabsf(wrap(y, period)) - 0.20f;
      float streak = fmaxf(fabsf(x - i - 0.5f) / 2.6f - 0.016f, f);
      c = mix(c, mix({0.80f, 0.87f, 0.96f}, p.light, 0.3f), 0.62f * cover(streak, w));
    }
  } else if (s.weather == SNOWFALL) {
    for (int layer = 0; layer < 2; layer++) {
      float gap = layer ? 0.50f : 0.38f, x = u / gap, i = floorf(x), r = hash(i + 41 * layer);
      float y = (v + (0.62f + 0.25f * layer) * t) / gap + 3 * r, j = floorf(y), q = hash(i * 7 + j + 5 * layer);
      float sway = 0.12f * sinf(1.7f * t + 6 * q);
      float flake = gap * len(x - i - 0.3f - 0.4f * q - sway, y - j - 0.5f) - 0.034f - 0.014f * layer;
      c = mix(c, mix({1, 1, 1}, p.light, 0.25f), 0.95f * cover(flake, w));
    }
  }
  return c;
}

}  // namespace world
