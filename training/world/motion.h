// Where things are: the scene, the poses of its subjects and the camera, defined for all time t (seconds).
// World units: the ground is y = 0, a subject is about 1 high, the camera looks along -z from some three units away.
#pragma once
#include "sdf.h"

namespace world {

enum Motion { LEFT, RIGHT, BOUNCE, SPIN, RISE, FALL, SWAY, PULSE, ORBIT, ZIGZAG, APPROACH, SPLIT };
enum Place { SEA, DESERT, MEADOW, SNOWFIELD, CITY, SPACE, UNDERWATER, MOUNTAINS };
enum Time { MORNING, DAY, SUNSET, NIGHT };
enum Weather { CLEAR, RAIN, SNOWFALL, FOG };
enum CameraMove { STILL, PAN, DOLLY_IN, DOLLY_OUT, CAMERA_ORBIT, CRANE };
enum Look { NATURAL, TOON, INK };
enum Relation { ALONE, BESIDE, ABOVE, CHASING };
enum Material { MATTE, SHINY, GLASSY, GLOWING };

struct Scene {
  int subject, colour, material, motion, place, time, weather, camera, look, relation, subject2, colour2;
  float size;      // scale of the subjects
  float x;         // where the first one starts
  float yaw;       // how far it is turned towards us, in radians
  float speed;     // multiplies the motion's own pace
  float phase;     // where periodic motions start, in turns
  float scenery;   // shifts hills, buildings, clouds and stars
};

/** A subject in the world: its frame's origin on the ground, turned by yaw about y and then by roll about the view axis. */
struct Instance { int subject, colour; float x, y, z, yaw, roll, size; };
struct Camera { Vec eye, right, up, forward; float zoom; };  // zoom: half the picture's height at distance 1

/** Half the width that is seen at the subject, for a picture of this width over height. */
WORLD float half_width(float aspect) { return 0.92f * aspect; }

WORLD Instance pose(const Scene &s, int subject, int colour, float x, float y, float size, bool moves, float t, float hw) {
  Instance p = {subject, colour, x, y, 0, s.yaw, 0, size};
  if (!moves) return p;
  float turn = TAU * (s.phase + t * s.speed), across = 2 * hw + 1.4f * size, along = 1.95f + 1.1f * size;
  const float PI = 0.5f * TAU;
  switch (s.motion) {
    case LEFT: p.x = wrap(x - 0.55f * s.speed * t, across); p.yaw = PI - s.yaw; break;
    case RIGHT: p.x = wrap(x + 0.55f * s.speed * t, across); break;
    case BOUNCE: p.y = y + 0.62f * fabsf(sinf(0.55f * turn)); break;
    case SPIN: p.yaw = s.yaw + 0.5f * turn; p.roll = 0.12f; break;
    case RISE: p.y = wrap(y + 0.44f * s.speed * t - 0.45f, along) + 0.30f; break;
    case FALL: p.y = wrap(y - 0.44f * s.speed * t + 0.42f, along) + 0.22f; break;
    case SWAY: p.roll = 0.34f * sinf(0.75f * turn); p.x = x - 0.12f * sinf(0.75f * turn); break;
    case PULSE: p.size = size * (0.80f - 0.34f * cosf(0.62f * turn)); break;
    case ORBIT: p.x = 0.72f * sinf(0.42f * turn); p.z = 0.55f * cosf(0.42f * turn) - 0.2f; p.yaw = 0.42f * turn; break;
    case ZIGZAG: {
      float k = 0.9f * turn / TAU, saw = fabsf(k - floorf(k) - 0.5f);
      p.x = x + 1.6f * (saw - 0.25f);
      p.y = y + 0.28f * (1 - fabsf(4 * saw - 1));
      break;
    }
    case APPROACH: {
      float k = s.phase + 0.30f * t * s.speed;
      p.z = -3.2f + 3.9f * (k - floorf(k));
      break;
    }
    default: break;
  }
  return p;
}

/** The bodies that are drawn at t; at most three. -> their number. */
WORLD int instances(const Scene &s, float t, float aspect, Instance out[4]) {
  float hw = half_width(aspect), size = s.size * (s.relation == ALONE ? 1.0f : s.relation == ABOVE ? 0.62f : 0.74f);
  int n = 0;
  float y = s.place == SEA && s.motion != FALL ? -0.06f : s.place == UNDERWATER ? 0.18f : 0.0f;
  float toward = s.motion == LEFT ? -1.0f : 1.0f;
  if (s.relation == ALONE) {
    out[n++] = pose(s, s.subject, s.colour, s.x, y, size, true, t, hw);
  } else if (s.relation == CHASING) {  // the two leave the picture and come back as one, who chases behind
    float apart = 0.55f;
    for (; n < 2; n++) {
      out[n] = pose(s, n ? s.subject2 : s.subject, n ? s.colour2 : s.colour, s.x, y, size, true, t, hw + apart);
      out[n].x += (n ? apart : -apart) * toward;
    }
  } else {
    bool passes = s.motion == LEFT || s.motion == RIGHT;  // towards the other one, and by in front of it
    float side = s.relation == BESIDE ? 0.58f * toward : 0.0f;
    out[n++] = pose(s, s.subject, s.colour, -side, s.relation == ABOVE ? 0.80f : y, size, true, t, hw);
    out[n++] = pose(s, s.subject2, s.colour2, side, y, size, false, t, hw);
    if (passes) out[0].z += 0.4f, out[1].z -= 0.4f;
  }
  if (s.motion == SPLIT) {  // the first one does
    float gap = 0.55f * size * (1 - cosf(0.5f * TAU * (t * s.speed) * 0.8f)) * 0.5f;
    out[n] = out[0];
    out[0].x -= gap, out[n].x += gap;
    n++;
  }
  return n;
}

WORLD Camera camera(const Scene &s, float t) {
  float angle = 0, distance = 3.2f, height = 0.55f, aim = 0.62f, pan = 0, ease = smooth(0.0f, 2.6f, t);
  switch (s.camera) {
    case PAN: pan = 0.26f * cosf(0.25f * TAU * t); break;
    case DOLLY_IN: distance = 5.6f - 2.9f * ease; break;
    case DOLLY_OUT: distance = 2.7f + 2.9f * ease; break;
    case CAMERA_ORBIT: angle = 0.42f * t - 0.3f; break;
    case CRANE: height = 0.25f + 1.9f * ease; break;
    default: break;
  }
  Vec eye = {distance * sinf(angle), height, distance * cosf(angle)}, target = {0, aim, 0};
  Vec f = unit({target.x - eye.x, target.y - eye.y, target.z - eye.z});
  float c = cosf(pan), n = sinf(pan);
  f = {c * f.x - n * f.z, f.y, n * f.x + c * f.z};
  Vec right = unit({-f.z, 0, f.x});
  Vec up = {right.y * f.z - right.z * f.y, right.z * f.x - right.x * f.z, right.x * f.y - right.y * f.x};
  return {eye, right, up, f, 0.27f};
}

}  // namespace world
