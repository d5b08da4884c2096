"""Scores the exported model: python -m training.evaluate [--prompts 96] [--steps 8].

A judge network, trained here on fresh renders passed through the decoder's own blur, names subject, colour, motion,
place and time of a clip. Its accuracy on true renders is the ceiling. Writes runs/evaluation.{json,png}.
"""
import argparse
import json
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

from .captions import caption
from .contact import sheet
from .pocket import Pocket
from .train_ae import RUNS
from .world import ATTRIBUTES, render, sample_scenes


class Judge(nn.Module):
    """Clips [N, 3, 11, 64, 96] in [0, 1] -> logits per attribute."""

    def __init__(self):
        super().__init__()
        self.frame = nn.Sequential(
            nn.Conv2d(3, 24, 5, 2, 2), nn.ReLU(), nn.Conv2d(24, 48, 3, 2, 1), nn.ReLU(),
            nn.Conv2d(48, 64, 3, 2, 1), nn.ReLU(), nn.Conv2d(64, 96, 3, 2, 1), nn.ReLU())
        self.time = nn.Sequential(nn.Conv1d(96 * 24, 192, 3, padding=1), nn.ReLU(), nn.Conv1d(192, 192, 3, padding=1), nn.ReLU())
        self.heads = nn.ModuleDict({a: nn.Linear(384, len(v)) for a, v in ATTRIBUTES.items()})

    def forward(self, x):
        n, _, t = x.shape[:3]
        y = self.frame(x.transpose(1, 2).flatten(0, 1)).flatten(1).unflatten(0, (n, t)).transpose(1, 2)
        y = self.time(y)
        y = torch.cat([y.mean(2), y.amax(2)], 1)
        return {a: head(y) for a, head in self.heads.items()}


def view(clips: np.ndarray) -> torch.Tensor:
    """uint8 [n, 33, H, W, 3] -> [n, 3, 11, H, W], every third frame."""
    return torch.from_numpy(clips[:, ::3]).permute(0, 4, 1, 2, 3).float() / 255


def train_judge(minutes: float, seed: int = 11) -> Judge:
    rng, judge = np.random.default_rng(seed), Judge()
    optimiser = torch.optim.AdamW(judge.parameters(), 2e-3)
    began = time.time()
    while (done := (time.time() - began) / (60 * minutes)) < 1:
        optimiser.param_groups[0]["lr"] = 2e-3 * (1 - done) + 1e-5
        scenes = sample_scenes(24, rng)
        x = view(render(scenes))
        if rng.random() < 0.7:  # blurred and noisy, as decoded clips are
            x = F.avg_pool3d(x, (1, 3, 3), 1, (0, 1, 1)) + 0.04 * torch.randn_like(x)
        with torch.autocast("cpu", torch.bfloat16):
            out = judge(x)
        loss = sum(F.cross_entropy(out[a].float(), torch.from_numpy(scenes[a].astype(np.int64))) for a in ATTRIBUTES)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return judge.eval()


@torch.no_grad()
def score(judge: Judge, clips: np.ndarray, scenes: np.ndarray) -> dict:
    """Accuracy per attribute, and `all`: subject, colour and motion right at once."""
    right = {}
    for a in ATTRIBUTES:
        guess = torch.cat([judge(view(clips[i:i + 16]))[a].argmax(1) for i in range(0, len(clips), 16)])
        right[a] = guess.numpy() == scenes[a]
    table = {a: round(float(v.mean()), 3) for a, v in right.items()}
    return {**table, "subject+colour+motion": round(float((right["subject"] & right["colour"] & right["motion"]).mean()), 3)}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--prompts", type=int, default=96)
    parser.add_argument("--steps", type=int)
    parser.add_argument("--judge-minutes", type=float, default=3.0)
    parser.add_argument("--out", type=Path, default=RUNS / "evaluation")
    arguments = parser.parse_args()
    rng = np.random.default_rng(2026)
    scenes = sample_scenes(arguments.prompts, rng)
    prompts = [caption(s, rng, language="zh" if i % 4 == 3 else "en", plain=True) for i, s in enumerate(scenes)]
    pocket = Pocket()
    clips = np.concatenate([pocket.generate(prompts[i:i + 16], steps=arguments.steps, seed=i) for i in range(0, len(prompts), 16)])
    sheet(list(clips[:20]), prompts[:20], arguments.out.with_suffix(".png"))
    judge = train_judge(arguments.judge_minutes)
    english = np.arange(len(scenes)) % 4 != 3
    table = {"ceiling": score(judge, render(scenes), scenes), "generated": score(judge, clips, scenes),
             "english": score(judge, clips[english], scenes[english]), "chinese": score(judge, clips[~english], scenes[~english]),
             "prompts": len(prompts), "steps": arguments.steps or len(pocket.model["sampler"]["timesteps"])}
    arguments.out.with_suffix(".json").write_text(json.dumps(table, indent=1))
    print(json.dumps(table, indent=1))


if __name__ == "__main__":
    main()
