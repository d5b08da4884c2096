// The twenty subjects. Each fills about 0..1 in y and -0.6..0.6 in x, stands on y = 0, faces +x, and z comes towards us.
// A subject is the nearest of its parts; a part has a kind of paint, which `paint` turns into a colour.
#pragma once
#include "sdf.h"

namespace world {

enum Subject {
  BOAT, BALLOON, HOUSE, CAR, FISH, ROCKET, SNOWMAN, TREE, STAR, HEART,
  ROBOT, LIGHTHOUSE, BIRD, BALL, CUBE, MUSHROOM, DUCK, AIRPLANE, FLOWER, GHOST, SUBJECTS
};
enum Paint { BODY, LIGHT, DEEP, DARK, WHITE, BROWN, GLASS, YELLOW, GREEN, GREY, ORANGE };

/** Distance of the nearest part and its paint; `t` in seconds moves wings and flames. */
struct Near { float d; int paint; };
WORLD void part(Near &n, float d, int paint) {
  n.paint = d < n.d ? paint : n.paint;
  n.d = fminf(n.d, d);
}

template <int KIND> WORLD Near nearest(float x, float y, float z, float t) {
  Near n = {1e3f, BODY};
  if constexpr (KIND == BOAT) {
    part(n, fmaxf(ellipsoid(x, y - 0.34f, z, 0.64f, 0.36f, 0.26f), y - 0.34f), y > 0.27f ? LIGHT : BODY);
    part(n, capsule(x, y, z, {0, 0.3f, 0}, {0, 0.98f, 0}, 0.03f), BROWN);
    part(n, plate(triangle(x, y, 0.06f, 0.42f, 0.52f, 0.42f, 0.06f, 1.0f), z, 0.04f, 0.01f), BODY);
    part(n, plate(triangle(x, y, -0.06f, 0.42f, -0.06f, 0.9f, -0.42f, 0.42f), z, 0.04f, 0.01f), WHITE);
  } else if constexpr (KIND == BALLOON) {
    float stripe = cosf(4 * atan2f(z, x) + 0.8f);
    part(n, ball(x, y - 0.64f, z, 0.36f), stripe > 0.0f ? BODY : LIGHT);
    part(n, cone(x, y, z, 0.2f, 0.46f, 0.1f, 0.3f), DEEP);
    part(n, box(x, y - 0.09f, z, 0.1f, 0.08f, 0.1f, 0.02f), BROWN);
  } else if constexpr (KIND == HOUSE) {
    part(n, box(x, y - 0.29f, z, 0.38f, 0.29f, 0.3f, 0.01f), BODY);
    part(n, plate(triangle(x, y, -0.52f, 0.56f, 0.52f, 0.56f, 0, 1.0f), z, 0.36f, 0.01f), DEEP);
    part(n, box(x - 0.26f, y - 0.82f, z, 0.06f, 0.16f, 0.06f, 0.01f), BROWN);
    part(n, box(x + 0.15f, y - 0.18f, z - 0.3f, 0.09f, 0.18f, 0.03f, 0.01f), DARK);
    part(n, box(x - 0.17f, y - 0.34f, z - 0.3f, 0.1f, 0.1f, 0.03f, 0.01f), YELLOW);
  } else if constexpr (KIND == CAR) {
    part(n, box(x, y - 0.3f, z, 0.58f, 0.11f, 0.24f, 0.06f), BODY);
    float cabin = box(x + 0.06f, y - 0.54f, z, 0.3f - 0.25f * (y - 0.5f), 0.13f, 0.2f, 0.04f);
    part(n, cabin, y > 0.44f && y < 0.62f && fabsf(x + 0.06f) > 0.03f ? GLASS : BODY);
    part(n, wheel(fabsf(x) - 0.36f, y - 0.16f, fabsf(z) - 0.26f, 0.16f, 0.07f), DARK);
    part(n, wheel(fabsf(x) - 0.36f, y - 0.16f, fabsf(z) - 0.3f, 0.07f, 0.05f), WHITE);
    part(n, ball(x - 0.62f, y - 0.32f, fabsf(z) - 0.16f, 0.07f), YELLOW);
  } else if constexpr (KIND == FISH) {
    float wave = z - 0.12f * (0.2f - x) * sinf(9 * t + 4 * x);
    part(n, ellipsoid(x - 0.08f, y - 0.5f, wave, 0.46f, 0.32f, 0.2f), fabsf(x + 0.02f) < 0.07f ? WHITE : BODY);
    part(n, plate(triangle(x, y, -0.3f, 0.5f, -0.64f, 0.8f, -0.64f, 0.2f), wave, 0.05f, 0.02f), DEEP);
    part(n, plate(triangle(x, y, -0.2f, 0.74f, 0.2f, 0.74f, -0.12f, 1.0f), wave, 0.04f, 0.02f), DEEP);
    part(n, ball(x - 0.34f, y - 0.58f, fabsf(wave) - 0.13f, 0.085f), WHITE);
    part(n, ball(x - 0.37f, y - 0.58f, fabsf(wave) - 0.185f, 0.05f), DARK);
  } else if constexpr (KIND == ROCKET) {
    float fin = fminf(plate(triangle(fabsf(x), y, 0.12f, 0.12f, 0.4f, 0.12f, 0.12f, 0.5f), z, 0.035f, 0.01f),
                      plate(triangle(fabsf(z), y, 0.12f, 0.12f, 0.4f, 0.12f, 0.12f, 0.5f), x, 0.035f, 0.01f));
    part(n, fmaxf(ellipsoid(x, y - 0.46f, z, 0.22f, 0.54f, 0.22f), 0.14f - y), y > 0.74f ? DEEP : BODY);
    part(n, fin, DEEP);
    part(n, ball(x, y - 0.58f, fabsf(z) - 0.15f, 0.1f), GLASS);
    part(n, cone(x, y, z, -0.08f - 0.05f * sinf(23 * t), 0.14f, 0.0f, 0.13f), YELLOW);
  } else if constexpr (KIND == SNOWMAN) {
    part(n, ball(x, y - 0.28f, z, 0.28f), BODY);
    part(n, ball(x, y - 0.66f, z, 0.19f), BODY);
    part(n, cone(x, y, z, 0.48f, 0.55f, 0.2f, 0.18f), WHITE);
    part(n, cone(x, y, z, 0.79f, 0.83f, 0.24f, 0.24f), DARK);
    part(n, cone(x, y, z, 0.8f, 1.0f, 0.14f, 0.14f), DARK);
    part(n, ball(fabsf(x - 0.06f) - 0.08f, y - 0.72f, z - 0.16f, 0.04f), DARK);
    part(n, capsule(x, y, z, {0.06f, 0.64f, 0.17f}, {0.14f, 0.62f, 0.34f}, 0.04f), ORANGE);
    part(n, ball(x, y - 0.36f, z - 0.27f, 0.04f), DARK);
    part(n, ball(x, y - 0.2f, z - 0.27f, 0.04f), DARK);
  } else if constexpr (KIND == TREE) {
    part(n, cone(x, y, z, 0.0f, 0.22f, 0.09f, 0.08f), BROWN);
    part(n, cone(x, y, z, 0.16f, 0.52f, 0.42f, 0.1f), DEEP);
    part(n, cone(x, y, z, 0.4f, 0.76f, 0.34f, 0.06f), BODY);
    part(n, cone(x, y, z, 0.62f, 1.0f, 0.26f, 0.01f), LIGHT);
  } else if constexpr (KIND == STAR) {
    part(n, plate(star5(x, y - 0.48f, 0.56f, 0.27f), z, 0.12f, 0.05f), BODY);
    part(n, ball(fabsf(x) - 0.1f, y - 0.53f, z - 0.12f, 0.05f), DARK);
    part(n, box(x, y - 0.4f, z - 0.12f, 0.07f, 0.015f, 0.02f, 0.015f), DARK);
  } else if constexpr (KIND == HEART) {
    part(n, plate(heart2(x, y - 0.52f), z, 0.15f, 0.08f), BODY);
    part(n, ellipsoid(x + 0.24f, y - 0.74f, z - 0.12f, 0.1f, 0.08f, 0.05f), LIGHT);
  } else if constexpr (KIND == ROBOT) {
    part(n, box(x, y - 0.36f, z, 0.22f, 0.18f, 0.14f, 0.03f), BODY);
    part(n, box(x, y - 0.74f, z, 0.19f, 0.12f, 0.13f, 0.03f), LIGHT);
    part(n, ball(fabsf(x) - 0.09f, y - 0.76f, z - 0.16f, 0.055f), YELLOW);
    part(n, box(x, y - 0.66f, z - 0.16f, 0.1f, 0.015f, 0.01f, 0.01f), DARK);
    part(n, box(x, y - 0.4f, z - 0.16f, 0.1f, 0.07f, 0.02f, 0.01f), GLASS);
    part(n, capsule(x, y, z, {0, 0.86f, 0}, {0, 0.95f, 0}, 0.02f), GREY);
    part(n, ball(x, y - 0.97f, z, 0.05f), YELLOW);
    part(n, box(fabsf(x) - 0.12f, y - 0.09f, z, 0.06f, 0.1f, 0.08f, 0.02f), DEEP);
    part(n, capsule(fabsf(x), y, z, {0.28f, 0.5f, 0}, {0.38f, 0.26f, 0.06f}, 0.06f), DEEP);
  } else if constexpr (KIND == LIGHTHOUSE) {
    float stripe = sinf(24 * y + 0.6f);
    part(n, cone(x, y, z, 0.0f, 0.72f, 0.25f, 0.16f), stripe > 0.0f ? BODY : WHITE);
    part(n, cone(x, y, z, 0.71f, 0.76f, 0.23f, 0.23f), DARK);
    part(n, cone(x, y, z, 0.74f, 0.88f, 0.13f, 0.13f), YELLOW);
    part(n, cone(x, y, z, 0.87f, 1.02f, 0.19f, 0.01f), BODY);
    part(n, box(x - 0.06f, y - 0.1f, z - 0.22f, 0.06f, 0.1f, 0.04f, 0.01f), DARK);
  } else if constexpr (KIND == BIRD) {
    float flap = 0.5f * sinf(7 * t), wy = y - 0.6f - flap * (fabsf(z) - 0.1f);
    part(n, ellipsoid(x, y - 0.5f, z, 0.36f, 0.22f, 0.2f), y < 0.42f ? LIGHT : BODY);
    part(n, ball(x - 0.3f, y - 0.7f, z, 0.17f), BODY);
    part(n, capsule(x, y, z, {0.44f, 0.69f, 0}, {0.58f, 0.66f, 0}, 0.05f), ORANGE);
    part(n, ball(x - 0.37f, y - 0.76f, fabsf(z) - 0.12f, 0.045f), DARK);
    part(n, ellipsoid(x + 0.06f, wy, fabsf(z) - 0.34f, 0.2f, 0.05f, 0.3f), DEEP);
    part(n, plate(triangle(x, z, -0.28f, 0, -0.64f, 0.16f, -0.64f, -0.16f), y - 0.54f, 0.04f, 0.01f), DEEP);
  } else if constexpr (KIND == BALL) {
    float stripe = sinf(3 * atan2f(z + 0.35f * (y - 0.42f), x));
    part(n, ball(x, y - 0.42f, z, 0.42f), y > 0.78f ? YELLOW : stripe > 0.0f ? BODY : WHITE);
  } else if constexpr (KIND == CUBE) {
    float cx = 0.82f * x + 0.57f * z, cz = 0.82f * z - 0.57f * x;
    part(n, box(cx, y - 0.39f, cz, 0.33f, 0.33f, 0.33f, 0.05f), BODY);
    part(n, ball(cx, y - 0.39f, fabsf(cz) - 0.3f, 0.14f), LIGHT);
    part(n, ball(fabsf(cx) - 0.3f, y - 0.39f, cz, 0.14f), LIGHT);
  } else if constexpr (KIND == MUSHROOM) {
    part(n, cone(x, y, z, 0.0f, 0.5f, 0.2f, 0.13f), WHITE);
    part(n, fmaxf(ellipsoid(x, y - 0.46f, z, 0.5f, 0.46f, 0.5f), 0.44f - y), BODY);
    part(n, ball(fabsf(x) - 0.27f, y - 0.72f, fabsf(z) - 0.25f, 0.1f), WHITE);
    part(n, ball(x, y - 0.62f, fabsf(z) - 0.44f, 0.1f), WHITE);
    part(n, ball(x, y - 0.9f, z, 0.1f), WHITE);
  } else if constexpr (KIND == DUCK) {
    part(n, ellipsoid(x + 0.06f, y - 0.28f, z, 0.46f, 0.27f, 0.3f), BODY);
    part(n, capsule(x, y, z, {-0.36f, 0.34f, 0}, {-0.54f, 0.5f, 0}, 0.09f), BODY);
    part(n, ball(x - 0.24f, y - 0.72f, z, 0.25f), BODY);
    part(n, ellipsoid(x - 0.52f, y - 0.66f, z, 0.16f, 0.06f, 0.13f), ORANGE);
    part(n, ball(x - 0.36f, y - 0.8f, fabsf(z) - 0.17f, 0.055f), DARK);
    part(n, ellipsoid(x + 0.1f, y - 0.34f, fabsf(z) - 0.26f, 0.22f, 0.13f, 0.08f), DEEP);
  } else if constexpr (KIND == AIRPLANE) {
    part(n, ellipsoid(x, y - 0.44f, z, 0.7f, 0.22f, 0.2f), fabsf(y - 0.52f) < 0.045f && x > -0.3f && x < 0.42f ? GLASS : BODY);
    part(n, box(x - 0.04f - 0.25f * fabsf(z), y - 0.4f - 0.3f * z, z, 0.15f, 0.025f, 0.68f, 0.015f), DEEP);
    part(n, plate(triangle(x, y, -0.62f, 0.5f, -0.22f, 0.5f, -0.66f, 1.0f), z, 0.03f, 0.01f), DEEP);
    part(n, box(x + 0.54f, y - 0.5f, z, 0.09f, 0.015f, 0.26f, 0.01f), LIGHT);
    part(n, ball(x - 0.66f, y - 0.44f, z, 0.1f), YELLOW);
  } else if constexpr (KIND == FLOWER) {
    part(n, capsule(x, y, z, {0, 0, 0}, {0, 0.66f, 0}, 0.04f), GREEN);
    part(n, ellipsoid(fabsf(x) - 0.17f, y - 0.2f - 0.35f * (fabsf(x) - 0.17f), z, 0.18f, 0.06f, 0.08f), GREEN);
    float fx = fabsf(x), fy = fabsf(y - 0.69f);
    float petals = fminf(ball(fx - 0.25f, fy, z, 0.14f), ball(fx - 0.125f, fy - 0.217f, z, 0.14f));
    part(n, petals, BODY);
    part(n, ellipsoid(x, y - 0.69f, z - 0.06f, 0.15f, 0.15f, 0.12f), YELLOW);
  } else {
    float hem = 0.06f + 0.05f * sinf(5 * atan2f(z, x) + 5 * t);
    part(n, fminf(ball(x, y - 0.62f, z, 0.36f), fmaxf(len(x, z) - 0.36f - 0.12f * (0.6f - y), fmaxf(hem - y, y - 0.62f))), BODY);
    part(n, ellipsoid(fabsf(x - 0.05f) - 0.12f, y - 0.68f, z - 0.31f, 0.06f, 0.09f, 0.06f), DARK);
    part(n, ball(x - 0.05f, y - 0.49f, z - 0.36f, 0.06f), DARK);
  }
  return n;
}

WORLD Rgb paint(int kind, Rgb body) {
  switch (kind) {
    case BODY: return body;
    case LIGHT: return mix(body, {1, 1, 1}, 0.45f);
    case DEEP: return mix(scale(body, 0.62f), {0.25f, 0.25f, 0.3f}, body.r + body.g + body.b < 0.5f ? 0.6f : 0.0f);
    case DARK: return {0.10f, 0.09f, 0.12f};
    case WHITE: return {0.97f, 0.97f, 0.97f};
    case BROWN: return {0.45f, 0.28f, 0.15f};
    case GLASS: return {0.62f, 0.86f, 0.98f};
    case YELLOW: return {1.0f, 0.84f, 0.25f};
    case GREEN: return {0.22f, 0.6f, 0.2f};
    case GREY: return {0.55f, 0.56f, 0.6f};
    default: return {1.0f, 0.55f, 0.12f};
  }
}

}  // namespace world
