"""The judge, a small network that names what a clip shows: python -m training.judge [--minutes 30].

Trained on fresh renders of all combinations, sharp and as blurred as decoded clips are, and kept in
checkpoints/judge.safetensors: figures of different sessions and editions then mean the same. Single frames of many scenes
come first, for what a frame alone tells; then clips of up to a minute into a scene, for motions and cameras, which a trunk of
its own reads: convolutions over time, too, of smaller pictures at twice the rate, for a sway and a spin differ by a few pixels
that no frame's own features keep, and four pictures a second are too few to follow either.
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
from .precision import mixed
from .progress import Progress
from .world import ATTRIBUTES, FPS, FRAMES, SMALL, render, sample_scenes

PATH = Path(__file__).parent / "checkpoints" / "judge.safetensors"
READ = [a for a in ATTRIBUTES if a not in ("material", "look")]
STILL = [a for a in READ if a not in ("motion", "camera")]  # what one frame tells
MOTIONS = list(ATTRIBUTES["motion"])
SWAPPED = np.array([MOTIONS.index({"left": "right", "right": "left"}.get(m, m)) for m in MOTIONS])  # what a mirror shows
EVERY = 2  # it sees every other frame, small
FULL = 4  # and of these every fourth in full
WIDTH = 384  # features of a frame
MOVES = 1.0  # seconds after which a camera's way is no longer told from its end: `camera` counts for earlier clips only


class Trunk(nn.Module):
    """Pictures [N, 3, 80, 128] -> [N, WIDTH]: what is anywhere (a maximum over places), and what is where."""

    def __init__(self):
        super().__init__()
        stage = lambda a, b, stride: [nn.Conv2d(a, b, 3, stride, 1), nn.GroupNorm(8, b), nn.ReLU()]
        self.frame = nn.Sequential(nn.Conv2d(3, 32, 5, 2, 2), nn.GroupNorm(8, 32), nn.ReLU(), *stage(32, 64, 2), *stage(64, 64, 1),
                                   *stage(64, 128, 2), *stage(128, 128, 1), *stage(128, 192, 2), nn.Conv2d(192, 192, 1), nn.ReLU())
        self.where = nn.Conv2d(192, 24, 1)
        self.place = nn.Linear(24 * 40, WIDTH - 192)

    def forward(self, x):
        y = self.frame(x.contiguous(memory_format=torch.channels_last))
        return torch.cat([y.amax((2, 3)), F.relu(self.place(self.where(y).flatten(1)))], 1)


class Moves(nn.Module):
    """Small pictures in a row [N, 17, 3, 40, 64] -> [N, WIDTH, 5]: what moves, and how, around every fourth of them.

    It is also shown what differs from the clip's mean picture: before scenery that stands still, that is what moves."""

    def __init__(self):
        super().__init__()
        stage = lambda a, b, stride: [nn.Conv3d(a, b, 3, stride, 1), nn.GroupNorm(8, b), nn.ReLU()]
        self.net = nn.Sequential(nn.Conv3d(6, 32, (3, 5, 5), (1, 2, 2), (1, 2, 2)), nn.GroupNorm(8, 32), nn.ReLU(), *stage(32, 64, (1, 2, 2)),
                                 *stage(64, 96, 1), *stage(96, 128, 2), *stage(128, 192, (2, 1, 1)))
        self.where = nn.Conv3d(192, 24, 1)
        self.place = nn.Linear(24 * 40, WIDTH - 192)

    def forward(self, x):
        x = x.transpose(1, 2)
        y = self.net(torch.cat([x - 0.5, x - x.mean(2, keepdim=True)], 1).contiguous(memory_format=torch.channels_last_3d))
        where = F.relu(self.place(self.where(y).transpose(1, 2).flatten(2))).transpose(1, 2)
        return torch.cat([y.amax((3, 4)), where], 1)


class Judge(nn.Module):
    """Pictures [N, 5, 3, 80, 128] of clips, and small ones of four times as many moments [N, 17, 3, 40, 64], in [0, 1] -> {attribute: logits}."""

    def __init__(self):
        super().__init__()
        self.features, self.moves = Trunk().to(memory_format=torch.channels_last), Moves().to(memory_format=torch.channels_last_3d)
        self.stills = nn.ModuleDict({a: nn.Linear(WIDTH, len(ATTRIBUTES[a])) for a in STILL})
        self.time = nn.Sequential(nn.Conv1d(3 * WIDTH, 256, 3, padding=1), nn.ReLU(), nn.Conv1d(256, 256, 3, padding=1), nn.ReLU())
        self.heads = nn.ModuleDict({a: nn.Linear(512 + WIDTH, len(ATTRIBUTES[a])) for a in READ})

    def still(self, x):
        """Single frames [N, 3, 80, 128] -> {attribute of STILL: logits}."""
        y = self.features(x)
        return {a: head(y) for a, head in self.stills.items()}

    def forward(self, frames, small):
        y = self.features(frames.flatten(0, 1)).unflatten(0, frames.shape[:2]).transpose(1, 2)
        z = self.time(torch.cat([y, F.pad(y.diff(dim=2), (1, 0)), self.moves(small)], 1))  # what is there, and what changes
        z = torch.cat([z.mean(2), z.amax(2), y.mean(2)], 1)
        return {a: head(z) + (self.stills[a](y.transpose(1, 2)).mean(1) if a in STILL else 0) for a, head in self.heads.items()}


def view(clips: np.ndarray, every: int = EVERY) -> tuple:
    """Every so many frames of uint8 [n, 33, H, W, 3] -> in [0, 1], [n, 5, 3, H, W] and [n, 17, 3, H / 2, W / 2]."""
    x = torch.from_numpy(clips[:, ::every]).permute(0, 1, 4, 2, 3)
    return x[:, ::FULL].float() / 255, F.avg_pool3d(x.transpose(1, 2).float(), (1, 2, 2)).transpose(1, 2) / 255


def disturb(x: torch.Tensor) -> torch.Tensor:
    """Half of the clips [n, T, 3, H, W] lose sharpness and gain noise, as in decoding."""
    k = int(torch.randint(len(x) // 2, len(x) + 1, ()))
    soft = F.avg_pool3d(x[:k].transpose(1, 2), (1, 3, 3), 1, (0, 1, 1)).transpose(1, 2)
    mixed = torch.lerp(x[:k], soft, torch.rand(k, 1, 1, 1, 1))
    return torch.cat([mixed + 0.05 * torch.rand(k, 1, 1, 1, 1) * torch.randn_like(mixed), x[k:]]).clamp(0, 1)


def mirrored(pictures: tuple, scenes: np.ndarray) -> tuple:
    """Every other of the clips, each tensor [n, T, 3, H, W], seen in a mirror, where what drives left drives right; and their scenes. Twice as much to learn from."""
    pictures, scenes = tuple(x.clone() for x in pictures), scenes.copy()
    for x in pictures:
        x[::2] = x[::2].flip(-1)
    scenes["motion"][::2] = SWAPPED[scenes["motion"][::2]]
    return pictures, scenes


def loss_of(out: dict, scenes: np.ndarray, starts: np.ndarray | float = 0.0) -> torch.Tensor:
    """Cross entropy summed over the attributes of `out`; a second subject's counts only where there is one."""
    alone = torch.from_numpy(scenes["relation"] == 0)
    total = 0.0
    for a, logits in out.items():
        target = torch.from_numpy(scenes[a].astype(np.int64))
        if a.endswith("2"):
            target = target.masked_fill(alone, -100)
            if alone.all():
                continue
        if a == "camera":
            target = target.masked_fill(torch.from_numpy(np.broadcast_to(starts > MOVES, len(target)).copy()), -100)
        total = total + F.cross_entropy(logits.float(), target, ignore_index=-100)
    return total


@torch.no_grad()
def right(judge: Judge, clips: np.ndarray, scenes: np.ndarray) -> dict:
    """Whether each attribute of each clip is named right: {attribute: bool [n]}; of a second subject only where there is one."""
    out = {a: [] for a in READ}
    for i in range(0, len(clips), 32):
        with mixed():
            guess = judge(*view(clips[i:i + 32]))
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


def load(partly: bool = False) -> Judge:
    """The kept judge; or `partly` what fits of one of another shape."""
    if not PATH.exists():
        raise SystemExit(f"There is no judge yet ({PATH.name}): train it with python -m training.judge")
    judge = Judge()
    kept, own = load_file(str(PATH)), judge.state_dict()
    judge.load_state_dict({k: v.float() for k, v in kept.items() if not partly or k in own and own[k].shape == v.shape}, strict=not partly)
    return judge.eval()


def renders(n: int, frames: int, rng, world: dict) -> tuple:
    """n random scenes of `world`, when they begin, and every other of their frames, uint8 [n, frames, 80, 128, 3].

    Half of the scenes are shown from their beginning, the others from some second of their first minute on."""
    scenes = sample_scenes(n, rng, world)
    starts = np.where(rng.random(n) < 0.5, 0 if frames > 1 else rng.uniform(0, 2, n), rng.uniform(0, 58, n))
    return scenes, starts, render(scenes, frames=frames, start=starts, fps=FPS / EVERY)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--stills", type=float, default=0.3, help="share of the time that single frames get")
    parser.add_argument("--clips", type=int, default=14000)
    parser.add_argument("--frames", type=int, default=24000, help="scenes for single frames")
    parser.add_argument("--go-on", action="store_true", help="from the kept judge, as far as it has this shape, with no single frames")
    parser.add_argument("--rate", type=float, default=2e-3, help="of learning, at most")
    parser.add_argument("--seed", type=int, default=515151, help="of the clips: another one each time that it goes on")
    parser.add_argument("--out", type=Path, default=PATH)
    arguments = parser.parse_args()
    torch.manual_seed(0)
    rng = np.random.default_rng(arguments.seed)
    if arguments.go_on:
        arguments.stills, arguments.frames = 0.0, 0
    moments = 1 + (FRAMES - 1) // EVERY
    stills = renders(arguments.frames, 1, rng, SMALL) if arguments.frames else None
    hard = {"camera": {**SMALL["camera"], "still": 3}, "relation": {**SMALL["relation"], "alone": 3}}  # cameras that move, and pairs, are rare
    clips = renders(arguments.clips, moments, rng, SMALL | hard)
    held = sample_scenes(300, np.random.default_rng(616161), SMALL)
    held_clips, late_clips = render(held), render(held, start=58.0)
    judge = load(partly=True).train() if arguments.go_on else Judge()
    opts = optimisers(judge, arguments.rate, lambda n, p: p.ndim in (2, 4, 5) and "heads" not in n and "stills" not in n)
    progress = Progress(arguments.minutes, every=45)
    while (done := progress.done) < 1:
        single = done < arguments.stills
        through = done / arguments.stills if single else (done - arguments.stills) / (1 - arguments.stills)
        for o, scale in zip(opts, (1.0, 0.5)):
            o.param_groups[0]["lr"] = arguments.rate * scale * min(1.0, 1.5 * (1.1 - through) if single else 1.5 * (1 - through)) + 1e-6
        scenes, starts, pictures = stills if single else clips
        pick = rng.integers(0, len(scenes), 96 if single else 24)
        seen, shown = mirrored(tuple(map(disturb, view(pictures[pick], every=1))), scenes[pick])
        with mixed():
            out = judge.still(seen[0][:, 0]) if single else judge(*seen)
        loss = loss_of(out, shown, starts[pick])
        for o in opts:
            o.zero_grad(set_to_none=True)
        loss.backward()
        for o in opts:
            o.step()
        if progress.due():
            if single:
                with torch.no_grad():
                    guess = judge.still(view(held_clips)[0][:, 2])
                shares = {a: round(float((v.argmax(1).numpy() == held[a]).mean()), 3) for a, v in guess.items() if not a.endswith("2")}
            else:
                shares = table(right(judge, held_clips, held), held) | {"late motion": table(right(judge, late_clips, held), held)["motion"]}
            progress.line(loss=round(loss.item(), 3), **shares)
    for clips_of in (held_clips, late_clips):
        print(json.dumps(table(right(judge, clips_of, held), held)))
    arguments.out.parent.mkdir(exist_ok=True)
    save_file({k: v.half().contiguous() for k, v in judge.state_dict().items()}, str(arguments.out))


if __name__ == "__main__":
    main()
