// Renders clips of the world on the CPU: one function with a C interface, called through ctypes.
#include <stdint.h>
#include "world.h"
using namespace world;

static const Rgb COLOURS[8] = {{0.90f, 0.08f, 0.10f}, {1.0f, 0.52f, 0.05f}, {1.0f, 0.90f, 0.10f}, {0.10f, 0.72f, 0.18f},
                               {0.12f, 0.25f, 0.95f}, {0.55f, 0.12f, 0.80f}, {1.0f, 0.45f, 0.75f}, {0.97f, 0.97f, 0.97f}};

static uint8_t byte(float v) { return (uint8_t)(clamp01(v) * 255 + 0.5f); }

/**
 * scenes [n], out [n, frames, height, width, 3] bytes; frame f shows the time start[n] + f / fps.
 * The scenery without the subject is drawn once a clip, except the sea, which moves.
 */
extern "C" void render(const Scene *scenes, const float *start, int n, int frames, int height, int width, float fps, uint8_t *out) {
  float unit = 1.0f / (width < height ? width : height), hw = 0.5f * width * unit, hh = 0.5f * height * unit;
  Rgb *back = new Rgb[height * width];
  for (int i = 0; i < n; i++) {
    const Scene &s = scenes[i];
    for (int f = 0; f < frames; f++) {
      float t = start[i] + f / fps;
      Pose q = pose(s, t, hw, hh);
      for (int r = 0; r < height; r++) {
        float y = hh - (r + 0.5f) * unit;
        bool moving = s.place == SEA && y + hh < 0.42f;
        for (int c = 0; c < width; c++) {
          float x = (c + 0.5f) * unit - hw;
          Rgb &b = back[r * width + c];
          if (f == 0 || moving) b = scenery(s, x, y, t, hw, hh, unit);
          bool near = fabsf(x - q.x) < 0.8f * q.size && fabsf(y - q.y) < 0.8f * q.size;
          Rgb p = near ? shade(s, q, COLOURS[s.colour], b, x, y, unit) : b;
          uint8_t *o = out + ((((size_t)i * frames + f) * height + r) * width + c) * 3;
          o[0] = byte(p.r), o[1] = byte(p.g), o[2] = byte(p.b);
        }
      }
    }
  }
  delete[] back;
}
