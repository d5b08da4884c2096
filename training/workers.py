"""Several processes that train one model, as torchrun starts them; one process alone needs none of it."""
import os

import torch
import torch.distributed as dist

from .device import device

RANK = int(os.environ.get("RANK", 0))
COUNT = int(os.environ.get("WORLD_SIZE", 1))


def join() -> None:
    """Meets the other processes: over NCCL where each has a GPU, over Gloo else."""
    if COUNT > 1:
        dist.init_process_group("nccl" if device().type == "cuda" else "gloo")


def wait() -> None:
    """Until all are here."""
    if COUNT > 1:
        dist.barrier()


def leave() -> None:
    if COUNT > 1:
        dist.destroy_process_group()


def average_gradients(model: torch.nn.Module) -> None:
    """Every process gets the mean of all gradients, so that all take the same step."""
    if COUNT == 1:
        return
    gradients = [p.grad for p in model.parameters() if p.grad is not None]
    flat = torch.cat([g.flatten() for g in gradients])
    dist.all_reduce(flat)
    flat /= COUNT
    for g, mean in zip(gradients, flat.split([g.numel() for g in gradients])):
        g.copy_(mean.view_as(g))


def first_says(value: float) -> float:
    """The first process's value, to everyone: clocks differ, and all must stop at the same step."""
    if COUNT == 1:
        return value
    told = torch.tensor([value], dtype=torch.float64, device=device())
    dist.broadcast(told, 0)
    return float(told)


def first_fills(tensors: list) -> None:
    """Everyone gets the first process's values, in place."""
    for t in tensors if COUNT > 1 else ():
        dist.broadcast(t.detach(), 0)
