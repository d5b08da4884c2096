"""Where a training computes: on a CUDA device where PyTorch finds one, one for each process; on the CPU else, or where TRAIN_ON=cpu says so."""
import functools
import os

import torch


@functools.cache
def device() -> torch.device:
    """Asked once a process; SystemExit where TRAIN_ON asks for what is not there."""
    wanted = os.environ.get("TRAIN_ON", "")
    if wanted not in ("", "cpu", "cuda"):
        raise SystemExit(f"TRAIN_ON={wanted}: it may be cpu or cuda, or be left out")
    if wanted == "cuda" and not torch.cuda.is_available():
        raise SystemExit(f"TRAIN_ON=cuda, but PyTorch {torch.__version__} finds no CUDA device: see `nvidia-smi`, or leave TRAIN_ON out")
    if wanted == "cpu" or not torch.cuda.is_available():
        return torch.device("cpu")
    rank, count = int(os.environ.get("LOCAL_RANK", 0)), torch.cuda.device_count()
    if rank >= count:
        raise SystemExit(f"process {rank} of this machine has no GPU of its own, there are {count}: torchrun --nproc-per-node {count}")
    return torch.device("cuda", rank)


def begin() -> torch.device:
    """What every stage does first: as many threads as OMP_NUM_THREADS says (two where it is not set), and the device for what names none."""
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", 2)))
    if device().type == "cuda":
        torch.cuda.set_device(device())
    return device()
