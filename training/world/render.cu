// Renders clips of the world on a GPU, one thread a pixel of one frame: the pictures of render.cpp, up to rounding.
// Compiled at run time (gpu.py); all threads of a warp are of one picture, so that they take the same way through the subjects.
#include "shade.h"
using namespace world;

struct Hit { float t, close; Vec normal; int paint; };

/** Sphere tracing (see `advance`), and the surface where it ended, if that is asked for. */
template <int KIND> WORLD Hit march(Vec o, Vec d, float from, float far, float time, bool surface) {
  Hit h = {from, 1.0f, {0, 0, 0}, 0};
  for (int step = 0; step < STEPS; step++)
    if (!advance(nearest<KIND>(o.x + h.t * d.x, o.y + h.t * d.y, o.z + h.t * d.z, time).d, far, h.t, h.close)) break;
  if (!surface || h.t >= far) return h;
  float x = o.x + h.t * d.x, y = o.y + h.t * d.y, z = o.z + h.t * d.z;
  h.normal = normal<KIND>(x, y, z, time), h.paint = nearest<KIND>(x, y, z, time).paint;
  return h;
}
template <int KIND = 0> WORLD Hit march_of(int subject, Vec o, Vec d, float from, float far, float time, bool surface) {
  if constexpr (KIND + 1 < SUBJECTS)
    if (subject != KIND) return march_of<KIND + 1>(subject, o, d, from, far, time, surface);
  return march<KIND>(o, d, from, far, time, surface);
}

/**
 * scenes [clips]; times [clips * frames] in seconds; out [clips * frames, height, width, 3] bytes; hits [clips * frames, height, width],
 * how many of a pixel's four samples subjects cover. Blocks are 8 x 8 pixels, the grid is (clips * frames, width / 8, height / 8).
 */
extern "C" __global__ void render(const Scene *scenes, const float *times, unsigned char *out, unsigned char *hits, int frames, int height, int width) {
  int picture = blockIdx.x, x = blockIdx.y * 8 + threadIdx.x, y = blockIdx.z * 8 + threadIdx.y;
  Scene s = scenes[picture / frames];
  View v = view_of(s, times[picture], height, width);
  float from, to, shadow = 1;
  for (int i = 0; v.shaded && i < v.n; i++) {
    Frame f = frame_of(v.all[i]);
    Vec light = in(f, v.light), o;
    if (shadow_ray(v, f, light, x, y, o, from, to)) shadow = fminf(shadow, clamp01(march_of(v.all[i].subject, o, light, from, to, v.t, false).close));
  }
  Rgb back = background(s, v, x, y, shadow);
  Sample samples[4];
  for (int k = 0; k < 4; k++) samples[k] = {{0, 0, 0}, 1e9f, 0};
  for (int i = 0; i < v.n; i++) {
    Frame f = frame_of(v.all[i]);
    int x0, x1, y0, y1;
    if (!bounds(v, f, x0, x1, y0, y1) || x < x0 || x >= x1 || y < y0 || y >= y1) continue;
    Vec o = point(f, v.cam.eye);
    for (int k = 0; k < 4; k++) {
      Vec d = in(f, sample_ray(v, x, y, k));
      if (!passes(o, d, from, to)) continue;
      Hit h = march_of(v.all[i].subject, o, d, from, to, v.t, true);
      land(s, v, f, v.all[i].colour, h.paint, h.t, to, h.close, d, h.normal, samples[k], back);
    }
  }
  size_t at = ((size_t)picture * height + y) * width + x;
  hits[at] = (unsigned char)(4 * finish(s, v, x, y, samples, back, out + 3 * at) + 0.5f);
}
