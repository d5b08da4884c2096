"""The judge, a small network that names what a clip shows: python -m training.judge [--minutes 8].

Trained on fresh renders of all combinations, sharp and as blurred as decoded clips are, and kept in
checkpoints/judge.safetensors: figures of different sessions and editions then mean the same.
"""
import argparse
import json
from pathlib import Path

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from safetensors.torch import load_file, save_file

from .muon import optimisers
from .progress import Progress
from .world import ATTRIBUTES, FPS, FRAMES, SMALL, render, sample_scenes

PATH = Path(__file__).parent / "checkpoints" / "judge.safetensors"
READ = [a for a in ATTRIBUTES if a not in ("material", "look")]
EVERY = 4  # it sees every fourth frame


class Judge(nn.Module):
    """Clips [N, 9, 3, 80, 128] in [0, 1] -> {attribute: logits}."""

    def __init__(self):
        super().__init__()
        stage = lambda a, b: [nn.Conv2d(a, b, 3, 2, 1), nn.GroupNorm(8, b), nn.ReLU()]
        self.frame = nn.Sequential(nn.Conv2d(3, 32, 5, 2, 2), nn.GroupNorm(8, 32), nn.ReLU(), *stage(32, 64), nn.Conv2d(64, 64, 3, 1, 1),
                                   nn.GroupNorm(8, 64), nn.ReLU(), *stage(64, 96), *stage(96, 128), nn.Conv2d(128, 48, 1))
        self.place = nn.Linear(48 * 40, 256)
        self.time = nn.Sequential(nn.Conv1d(512, 256, 3, padding=1), nn.ReLU(), nn.Conv1d(256, 256, 3, padding=1), nn.ReLU())
        self.heads = nn.ModuleDict({a: nn.Linear(768, len(ATTRIBUTES[a])) for a in READ})

    def forward(self, x):
        n, t = x.shape[:2]
        y = self.frame(x.flatten(0, 1).contiguous(memory_format=torch.channels_last))
        y = F.relu(self.place(y.flatten(1))).unflatten(0, (n, t)).transpose(1, 2)
        z = self.time(torch.cat([y, F.pad(y.diff(dim=2), (1, 0))], 1))  # what is there, and what changed
        z = torch.cat([z.mean(2), z.amax(2), y.mean(2)], 1)
        return {a: head(z) for a, head in self.heads.items()}


def view(clips: np.ndarray) -> torch.Tensor:
    """uint8 [n, 33, H, W, 3] -> [n, 9, 3, H, W] in [0, 1]."""
    return torch.from_numpy(clips[:, ::EVERY]).permute(0, 1, 4, 2, 3).float() / 255


def disturb(x: torch.Tensor) -> torch.Tensor:
    """Half of the clips lose sharpness and gain noise, as in decoding."""
    k = int(torch.randint(len(x) // 2, len(x) + 1, ()))
    soft = F.avg_pool3d(x[:k].transpose(1, 2), (1, 3, 3), 1, (0, 1, 1)).transpose(1, 2)
    mixed = torch.lerp(x[:k], soft, torch.rand(k, 1, 1, 1, 1))
    return torch.cat([mixed + 0.05 * torch.rand(k, 1, 1, 1, 1) * torch.randn_like(mixed), x[k:]]).clamp(0, 1)


def loss_of(out: dict, scenes: np.ndarray) -> torch.Tensor:
    alone = torch.from_numpy(scenes["relation"] == 0)
    total = 0.0
    for a in READ:
        target = torch.from_numpy(scenes[a].astype(np.int64))
        if a.endswith("2"):
            target = target.masked_fill(alone, -100)
            if alone.all():
                continue
        total = total + F.cross_entropy(out[a].float(), target, ignore_index=-100)
    return total


@torch.no_grad()
def right(judge: Judge, clips: np.ndarray, scenes: np.ndarray) -> dict:
    """Whether each attribute of each clip is named right: {attribute: bool [n]}; of a second subject only where there is one."""
    out = {a: [] for a in READ}
    for i in range(0, len(clips), 32):
        with torch.autocast("cpu", torch.bfloat16):
            guess = judge(view(clips[i:i + 32]))
        for a in READ:
            out[a].append(guess[a].float().argmax(1).numpy() == scenes[a][i:i + 32])
    return {a: np.concatenate(v) for a, v in out.items()}


def table(named: dict, scenes: np.ndarray) -> dict:
    """Shares; a second subject's count only clips that have one, and `all` is every attribute of a clip but those."""
    pair = scenes["relation"] > 0
    shares = {a: round(float(v[pair].mean() if a.endswith("2") else v.mean()), 3) for a, v in named.items() if pair.any() or not a.endswith("2")}
    single = [a for a in READ if not a.endswith("2")]
    shares["subject+colour+motion"] = round(float((named["subject"] & named["colour"] & named["motion"]).mean()), 3)
    shares["all"] = round(float(np.logical_and.reduce([named[a] for a in single]).mean()), 3)
    if pair.any():
        shares["both subjects"] = round(float((named["subject"] & named["subject2"])[pair].mean()), 3)
    return shares


def load() -> Judge:
    if not PATH.exists():
        raise SystemExit(f"There is no judge yet ({PATH.name}): train it with python -m training.judge")
    judge = Judge()
    judge.load_state_dict({k: v.float() for k, v in load_file(str(PATH)).items()})
    return judge.eval()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=8.0)
    parser.add_argument("--clips", type=int, default=6000)
    arguments = parser.parse_args()
    torch.manual_seed(0)
    rng = np.random.default_rng(515151)
    scenes = sample_scenes(arguments.clips, rng, SMALL)
    starts = rng.choice([0.0, 1.0, 2.5], arguments.clips)
    few = lambda s, start: render(s, frames=1 + (FRAMES - 1) // EVERY, start=start, fps=FPS / EVERY)
    clips = few(scenes, starts)
    held = sample_scenes(300, np.random.default_rng(616161), SMALL)
    held_clips = render(held)
    judge = Judge().to(memory_format=torch.channels_last)
    opts = optimisers(judge, 2e-3, lambda n, p: p.ndim in (2, 4) and "heads" not in n)
    progress = Progress(arguments.minutes, every=45)
    while (done := progress.done) < 1:
        for o, scale in zip(opts, (1.0, 0.5)):
            o.param_groups[0]["lr"] = 2e-3 * scale * min(1.0, 1.5 * (1 - done)) + 1e-6
        pick = rng.integers(0, len(scenes), 32)
        x = disturb(torch.from_numpy(clips[pick]).permute(0, 1, 4, 2, 3).float() / 255)
        with torch.autocast("cpu", torch.bfloat16):
            out = judge(x)
        loss = loss_of(out, scenes[pick])
        for o in opts:
            o.zero_grad(set_to_none=True)
        loss.backward()
        for o in opts:
            o.step()
        if progress.due():
            progress.line(loss=round(loss.item(), 3), **table(right(judge, held_clips, held), held))
    print(json.dumps(table(right(judge, held_clips, held), held)))
    PATH.parent.mkdir(exist_ok=True)
    save_file({k: v.half().contiguous() for k, v in judge.state_dict().items()}, str(PATH))


if __name__ == "__main__":
    main()
