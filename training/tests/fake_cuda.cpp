// A driver without a GPU: render.cu as a C++ compiler reads it, its threads run one after another. For test_gpu_renderer.py, which
// puts it in the place of libcuda, so that all of world/gpu.py but the GPU itself is under test.
#include <string.h>
#include <algorithm>
#include <atomic>
#include <cmath>
#include <thread>
#include <vector>
#define __global__
struct Index { int x, y, z; };
static thread_local Index blockIdx, threadIdx;
#include "../world/render.cu"

extern "C" int cuModuleLoadData(void **module, const void *code) { return *module = (void *)code, code ? 0 : 1; }
extern "C" int cuModuleGetFunction(void **function, void *module, const char *name) { return *function = (void *)&render, module && !strcmp(name, "render") ? 0 : 500; }
extern "C" int cuLaunchKernel(void *function, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz, unsigned shared, void *stream, void **a, void **extra) {
  if (function != (void *)&render || shared || extra || gy > 65535 || gz > 65535 || bx * by * bz > 1024) return 1;
  std::atomic<unsigned> next{0};
  auto work = [&] {
    for (unsigned k; (k = next++) < gx;)
      for (unsigned j = 0; j < gy; j++)
        for (unsigned i = 0; i < gz; i++)
          for (unsigned t = 0; t < bx * by * bz; t++) {
            blockIdx = {(int)k, (int)j, (int)i}, threadIdx = {(int)(t % bx), (int)(t / bx % by), (int)(t / bx / by)};
            render(*(const Scene **)a[0], *(const float **)a[1], *(unsigned char **)a[2], *(unsigned char **)a[3], *(int *)a[4], *(int *)a[5], *(int *)a[6]);
          }
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < 2; i++) threads.emplace_back(work);
  for (auto &t : threads) t.join();
  return 0;
}
