"""Which numbers this processor multiplies fastest: bfloat16 on some (four times as fast), float32 on others (twice).

Both have an instruction for bfloat16; how fast it is, no flag tells. So it is tried, once a process. A GPU multiplies bfloat16 faster.
"""
import functools
import time

import torch

from .device import device

SIDE, TRIES = 512, 5


def _seconds(dtype: torch.dtype) -> float:
    """The best of some products of square matrices; the first is not counted, for it sets up."""
    a, times = torch.ones(SIDE, SIDE, dtype=dtype), []
    for _ in range(TRIES + 1):
        began = time.perf_counter()
        a @ a
        times.append(time.perf_counter() - began)
    return min(times[1:])


@functools.cache
def fastest() -> torch.dtype:
    """torch.bfloat16 or torch.float32."""
    if device().type == "cuda":
        return torch.bfloat16
    return min((torch.bfloat16, torch.float32), key=_seconds)


def mixed() -> torch.autocast:
    """A context in which products are made in bfloat16 where that is faster here, and in float32 where not."""
    return torch.autocast(device().type, torch.bfloat16, enabled=fastest() is torch.bfloat16)


if __name__ == "__main__":
    print({str(dtype): f"{2 * SIDE ** 3 / _seconds(dtype) / 1e9:.0f} GFLOP/s" for dtype in (torch.bfloat16, torch.float32)})
