"""Trains the autoencoder on crops of rendered clips: python -m training.train_ae [--preset pocket|gpu|smoke] [--decoder].

Writes runs/NAME/ae.pt (resumed from when present) and a JSON line per report to runs/NAME/ae.jsonl.

`--decoder` is a stage after it, with minutes of its own: it polishes the decoder alone, so that a transformer that makes these latents stays
good. In float32: what a decoder learns in bfloat16 fits that rounding, and was 1 dB worse in the page, which has none.
"""
import argparse
import json
import math
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from .device import begin, device
from .muon import optimisers
from .precision import mixed
from .progress import Progress
from .taehv import CONFIG, TAEHV
from .world import FRAMES, HEIGHT, SMALL, WHOLE, WIDTH, gpu, render, sample_scenes

RUNS = Path(__file__).parent / "runs"
PRESETS = {
    "pocket": {"minutes": 17.0, "batch": 8, "crop": 48, "frames": 13, "pool": 500, "lr": 6e-4, "polish": (4, 80, 9)},
    "gpu": {"minutes": 5.0, "batch": 32, "crop": 96, "frames": 17, "pool": 240, "lr": 6e-4, "polish": (16, 160, 9), "size": (320, 192), "fresh": 4},  # not run on a GPU yet
    "smoke": {"minutes": 0.3, "batch": 4, "crop": 32, "frames": 5, "pool": 16, "lr": 3e-3, "polish": (2, 48, 5)},
}  # polish: batch, crop and frames of --decoder; a clip's PSNR is that of its whole picture, so crops are larger. `size` and `fresh`: see FreshPool


class Pool:
    """Rendered clips, replaced one by one on a thread of its own; a batch is random crops of them."""

    def __init__(self, size: int, rng: np.random.Generator):
        self.rng, self.next, self.worker = rng, 0, ThreadPoolExecutor(1)
        self.clips = render(sample_scenes(size, rng, SMALL))
        self.fresh = self.worker.submit(self.draw)

    def draw(self) -> np.ndarray:
        rng = np.random.default_rng(self.rng.integers(2 ** 62))
        return render(sample_scenes(1, rng, SMALL), start=rng.uniform(0, 6))[0]

    def batch(self, n: int, crop: int, frames: int) -> torch.Tensor:
        """-> [n, frames, 3, crop, crop] in [0, 1]."""
        if self.fresh.done():
            self.clips[self.next % len(self.clips)] = self.fresh.result()
            self.fresh = self.worker.submit(self.draw)
            self.next += 1
        total, height, width = self.clips.shape[1:4]
        out = np.empty((n, frames, crop, crop, 3), np.uint8)
        for k in range(n):
            c, t = self.rng.integers(len(self.clips)), self.rng.integers(total - frames + 1)
            y, x = self.rng.integers(height - crop + 1), self.rng.integers(width - crop + 1)
            out[k] = self.clips[c, t:t + frames, y:y + crop, x:x + crop]
        return torch.from_numpy(out).permute(0, 1, 4, 2, 3).float() / 255


class FreshPool:
    """A pool on the device, of the whole world: with every batch some of its clips, the oldest, are rendered anew."""

    def __init__(self, count: int, rng: np.random.Generator, size: tuple, fresh: int):
        self.rng, self.size, self.fresh, self.next = rng, size, fresh, 0
        self.clips = torch.cat([self.draw(min(8, count - i)) for i in range(0, count, 8)])

    def draw(self, n: int) -> torch.Tensor:
        """-> uint8 [n, FRAMES, height, width, 3], on the device."""
        scenes, starts = sample_scenes(n, self.rng, WHOLE), self.rng.uniform(0, 6, n)
        if device().type == "cuda":
            return gpu.render(scenes, *self.size, start=starts, device=device())
        return torch.from_numpy(render(scenes, *self.size, start=starts))

    def batch(self, n: int, crop: int, frames: int) -> torch.Tensor:
        """As that of `Pool`."""
        at = (self.next + np.arange(self.fresh)) % len(self.clips)
        self.clips[torch.from_numpy(at).to(self.clips.device)] = self.draw(self.fresh)
        self.next += self.fresh
        total, height, width = self.clips.shape[1:4]
        low = lambda room: self.rng.integers(room + 1, size=n)
        places = zip(self.rng.integers(len(self.clips), size=n), low(total - frames), low(height - crop), low(width - crop))
        out = torch.stack([self.clips[c, t:t + frames, y:y + crop, x:x + crop] for c, t, y, x in places])
        return out.permute(0, 1, 4, 2, 3).float() / 255


def reconstruction_loss(out: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """L1, heavier at edges and where things move, plus L1 of the picture's gradients. [N, T, 3, H, W]."""
    weight = torch.ones_like(x[:, :, :1])
    dx, dy = x.diff(dim=-1), x.diff(dim=-2)
    weight[..., 1:] += 3 * dx.abs().amax(2, keepdim=True)
    weight[..., 1:, :] += 3 * dy.abs().amax(2, keepdim=True)
    weight[:, 1:] += 3 * x.diff(dim=1).abs().amax(2, keepdim=True)
    error = out - x
    l1 = (weight * (error.abs() + 6 * error.square())).mean()
    gradient = (out.diff(dim=-1) - dx).abs().mean() + (out.diff(dim=-2) - dy).abs().mean()
    return l1 + 0.7 * gradient


def infidelity(out: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """The mean over clips of the logarithm of their squared error: PSNR, upside down. [N, T, 3, H, W]."""
    return ((out - x).square().mean((1, 2, 3, 4)) + 2e-5).log().mean()


@torch.no_grad()
def psnr(model: TAEHV, clips: np.ndarray) -> float:
    """Mean over clips of the PSNR in dB, in float32, as the page computes; clips uint8 [n, T, H, W, 3]."""
    x = torch.as_tensor(clips, device=next(model.parameters()).device).permute(0, 1, 4, 2, 3).float() / 255
    out = torch.cat([model.decode(model.encode(part)) for part in x.split(8)]).clamp(0, 1)
    return float((-10 * (out - x).square().mean((1, 2, 3, 4)).log10()).mean())


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--preset", default="pocket", choices=PRESETS)
    parser.add_argument("--name", default=None)
    parser.add_argument("--minutes", type=float)
    parser.add_argument("--decoder", action="store_true", help="polish the decoder: in float32, for PSNR alone; the encoder, and so the latents, stay as they are")
    arguments = parser.parse_args()
    preset = PRESETS[arguments.preset]
    folder = RUNS / (arguments.name or arguments.preset)
    folder.mkdir(parents=True, exist_ok=True)
    begin()
    torch.manual_seed(0)
    model = TAEHV(CONFIG).to(device(), memory_format=torch.channels_last)
    opts = optimisers(model, preset["lr"], lambda n, p: p.ndim == 4)
    stage, path = "decoder" if arguments.decoder else "whole", folder / "ae.pt"
    saved = torch.load(path, weights_only=False, map_location="cpu") if path.exists() else None
    step, spent = 0, 0.0
    if saved:
        model.load_state_dict(saved["model"])
    if saved and saved.get("stage", "whole") == stage:
        for o, s in zip(opts, saved.get("opts", [])):  # a committed checkpoint has no optimiser states
            o.load_state_dict(s)
        step, spent = saved.get("step", 1), saved.get("spent", 0.0)
    rng = np.random.default_rng([step, arguments.decoder])
    pool = FreshPool(preset["pool"], rng, preset["size"], preset["fresh"]) if "size" in preset else Pool(preset["pool"], rng)
    if not saved:
        model.start_from_pca(pool.batch(min(120, preset["pool"]), 64, FRAMES).to(device()))
    held_out = render(sample_scenes(6, np.random.default_rng(10 ** 6), WHOLE if "size" in preset else SMALL), *preset.get("size", (WIDTH, HEIGHT)))
    shown = preset["polish"] if arguments.decoder else (preset["batch"], preset["crop"], preset["frames"])
    linear = model.keep_linear_part()
    model.encoder.requires_grad_(not arguments.decoder)
    progress = Progress(arguments.minutes or preset["minutes"], spent, folder / "ae.jsonl")

    def save() -> None:
        state = {"model": model.state_dict(), "opts": [o.state_dict() for o in opts], "step": step,
                 "spent": progress.spent, "stage": stage, "config": CONFIG}
        torch.save(state, path.with_suffix(".tmp"))
        path.with_suffix(".tmp").rename(path)

    print(json.dumps({"psnr at the start": psnr(model, held_out)}), flush=True)
    while (done := progress.done) < 1 or not step:  # on a busy machine setting up may take all the time
        rate = min(1, (step + 1) / 150) * (0.5 + 0.5 * math.cos(math.pi * done)) + 0.005
        opts[0].param_groups[0]["lr"] = preset["lr"] * rate
        opts[1].param_groups[0]["lr"] = 0.35 * preset["lr"] * rate
        x = pool.batch(*shown).to(device())
        with nullcontext() if arguments.decoder else mixed():
            z = model.encode(x)
            out = model.decode(z + (0.03 if arguments.decoder else 0.05) * torch.randn_like(z))
        if arguments.decoder:
            loss = infidelity(out, x)
        else:
            loss = reconstruction_loss(out.float(), x) + 1e-3 * z.float().square().mean()
        for o in opts:
            o.zero_grad(set_to_none=True)
        loss.backward()
        for p, mask in linear:
            if p.grad is not None:
                p.grad.mul_(mask)
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for o in opts:
            o.step()
        step += 1
        if progress.due():
            progress.line(step=step, loss=loss.item(), psnr=round(psnr(model, held_out), 2), z=round(z.float().std().item(), 3))
            save()
    save()
    print(json.dumps({"step": step, "psnr": psnr(model, held_out)}), flush=True)


if __name__ == "__main__":
    main()
