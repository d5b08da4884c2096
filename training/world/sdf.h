// Signed distances, negative inside: plain functions of plain numbers in the subset that is both C++ and CUDA.
// They hold no branches, so that a compiler can run sixteen rays at once.
#pragma once
#ifndef __CUDACC_RTC__  // which knows these functions by itself
#include <math.h>
#endif
#ifdef __CUDACC__
#define WORLD __host__ __device__ inline
#else
#define WORLD static inline __attribute__((always_inline))
#endif

namespace world {

const float TAU = 6.2831853f;

struct Rgb { float r, g, b; };
struct Vec { float x, y, z; };

WORLD Rgb mix(Rgb a, Rgb b, float t) { return {a.r + (b.r - a.r) * t, a.g + (b.g - a.g) * t, a.b + (b.b - a.b) * t}; }
WORLD Rgb scale(Rgb a, Rgb b) { return {a.r * b.r, a.g * b.g, a.b * b.b}; }
WORLD Rgb scale(Rgb a, float k) { return {a.r * k, a.g * k, a.b * k}; }
WORLD float clamp01(float x) { return fminf(fmaxf(x, 0.0f), 1.0f); }
WORLD float smooth(float lo, float hi, float x) { float t = clamp01((x - lo) / (hi - lo)); return t * t * (3 - 2 * t); }
WORLD float wrap(float x, float period) { return x - period * floorf(x / period + 0.5f); }
WORLD float hash(float n) { float s = sinf(n * 12.9898f) * 43758.547f; return s - floorf(s); }
WORLD float dot(Vec a, Vec b) { return a.x * b.x + a.y * b.y + a.z * b.z; }
WORLD Vec unit(Vec a) { float k = 1 / sqrtf(dot(a, a)); return {a.x * k, a.y * k, a.z * k}; }

WORLD float len(float x, float y) { return sqrtf(x * x + y * y); }
WORLD float len(float x, float y, float z) { return sqrtf(x * x + y * y + z * z); }

WORLD float ball(float x, float y, float z, float r) { return len(x, y, z) - r; }
/** Box of half sizes (hx, hy, hz) with edges rounded by r (the box grows by r). */
WORLD float box(float x, float y, float z, float hx, float hy, float hz, float r) {
  float dx = fabsf(x) - hx, dy = fabsf(y) - hy, dz = fabsf(z) - hz;
  return len(fmaxf(dx, 0.0f), fmaxf(dy, 0.0f), fmaxf(dz, 0.0f)) + fminf(fmaxf(dx, fmaxf(dy, dz)), 0.0f) - r;
}
/** Close to the distance of an ellipsoid of radii (a, b, c). */
WORLD float ellipsoid(float x, float y, float z, float a, float b, float c) {
  float k0 = len(x / a, y / b, z / c), k1 = len(x / (a * a), y / (b * b), z / (c * c));
  return k0 * (k0 - 1) / fmaxf(k1, 1e-4f);
}
/** Upright cylinder around the y axis from y0 to y1, radius w0 at y0 and w1 at y1. */
WORLD float cone(float x, float y, float z, float y0, float y1, float w0, float w1) {
  float slope = (w1 - w0) / (y1 - y0), q = len(x, z);
  float side = (q - (w0 + slope * (y - y0))) / sqrtf(1 + slope * slope);
  return fmaxf(side, fmaxf(y0 - y, y - y1));
}
WORLD float capsule(float x, float y, float z, Vec a, Vec b, float r) {
  float px = x - a.x, py = y - a.y, pz = z - a.z, bx = b.x - a.x, by = b.y - a.y, bz = b.z - a.z;
  float h = clamp01((px * bx + py * by + pz * bz) / (bx * bx + by * by + bz * bz));
  return len(px - bx * h, py - by * h, pz - bz * h) - r;
}
/** Wheel: a cylinder along z of radius r, h thick on both sides of z = 0. */
WORLD float wheel(float x, float y, float z, float r, float h) { return fmaxf(len(x, y) - r, fabsf(z) - h); }
/** Counter-clockwise triangle in the plane. */
WORLD float triangle(float x, float y, float ax, float ay, float bx, float by, float cx, float cy) {
  float d0 = ((by - ay) * (x - ax) - (bx - ax) * (y - ay)) / len(bx - ax, by - ay);
  float d1 = ((cy - by) * (x - bx) - (cx - bx) * (y - by)) / len(cx - bx, cy - by);
  float d2 = ((ay - cy) * (x - cx) - (ax - cx) * (y - cy)) / len(ax - cx, ay - cy);
  return fmaxf(d0, fmaxf(d1, d2));
}
/** A plane figure of distance d, made h thick on both sides of z = 0, edges rounded by r. */
WORLD float plate(float d, float z, float h, float r) {
  float dz = fabsf(z) - h, e = d + r;
  return len(fmaxf(e, 0.0f), fmaxf(dz + r, 0.0f)) + fminf(fmaxf(e, dz + r), 0.0f) - r;
}
/** Five-pointed star in the plane. */
WORLD float star5(float x, float y, float outer, float inner) {
  float sector = TAU / 5, angle = fabsf(wrap(atan2f(x, y), sector)), r = len(x, y);
  float px = r * sinf(angle), py = r * cosf(angle);
  float ex = inner * sinf(sector / 2), ey = inner * cosf(sector / 2) - outer;
  return (px * -ey + (py - outer) * ex) / len(ex, ey);
}
WORLD float heart2(float x, float y) {
  x = fabsf(x);
  float lobe = len(x - 0.235f, y - 0.17f) - 0.265f;
  float body = x * 0.78f - (y + 0.48f) * 0.62f;
  return fminf(lobe, fmaxf(body, fmaxf(y - 0.20f, x - 0.5f)));
}

}  // namespace world
