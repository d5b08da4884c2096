"""Seconds of PyTorch for operations of the bench, on the same card: bf16 through cuBLAS and flash attention.

Reads a JSON list from stdin: {"op": "matmul", "dims": [M, N, K]} or {"op": "attention", "dims": [M, keys, heads, d]}.
Writes {"device": name, "dtype": name, "seconds": [s, ...]}. Without CUDA it measures the CPU in f32.
"""

import json
import sys
import time

import torch
import torch.nn.functional as F

CUDA = torch.cuda.is_available()
DEVICE = "cuda" if CUDA else "cpu"
DTYPE = torch.bfloat16 if CUDA else torch.float32
ROUNDS, LEAST = 5, 0.06


def sync() -> None:
    if CUDA:
        torch.cuda.synchronize()


def seconds(work) -> float:
    """The median of rounds of repetitions between two waits, as tests/bench/measure.ts has it."""

    def round_of(repetitions: int) -> float:
        sync()
        began = time.perf_counter()
        for _ in range(repetitions):
            work()
        sync()
        return time.perf_counter() - began

    round_of(3)
    repetitions = 1
    while round_of(repetitions) < LEAST and repetitions < 4096:
        repetitions *= 2
    return sorted(round_of(repetitions) / repetitions for _ in range(ROUNDS))[ROUNDS // 2]


def prepare(op: str, dims: list):
    random = lambda *shape: torch.randn(*shape, device=DEVICE, dtype=DTYPE)  # noqa: E731
    if op == "matmul":
        m, n, k = dims
        x, w = random(m, k), random(n, k)
        return lambda: F.linear(x, w)
    if op == "attention":
        m, keys, heads, d = dims
        q, k, v = random(1, heads, m, d), random(1, heads, keys, d), random(1, heads, keys, d)
        return lambda: F.scaled_dot_product_attention(q, k, v)
    raise SystemExit(f"unknown operation {op}")


with torch.inference_mode():
    times = [seconds(prepare(case["op"], case["dims"])) for case in json.load(sys.stdin)]
name = torch.cuda.get_device_name() if CUDA else "CPU"
json.dump({"device": name, "dtype": str(DTYPE).removeprefix("torch."), "seconds": times}, sys.stdout)
