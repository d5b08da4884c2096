"""Clips as normalised latents with tokenised captions, made once per run and kept in runs/NAME/data.pt."""
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from .captions import caption
from .taehv import TAEHV
from .world import ATTRIBUTES, FRAMES, HEIGHT, SMALL, WIDTH, details, render, sample_scenes

CAPTIONS = 4  # paraphrases kept for every clip
TOKENS = 48
HELD_OUT = Path(__file__).parent / "checkpoints" / "held-out.npy"  # combinations that no training clip shows, for the evaluation
TOGETHER = ("subject", "colour", "motion", "place")


def combination(scenes: np.ndarray) -> np.ndarray:
    """One number for the values of `TOGETHER` in each scene [n]."""
    return np.ravel_multi_index([scenes[a] for a in TOGETHER], [len(ATTRIBUTES[a]) for a in TOGETHER])


def load_autoencoder(folder: Path) -> TAEHV:
    saved = torch.load(folder / "ae.pt", weights_only=False)
    model = TAEHV(saved["config"]).to(memory_format=torch.channels_last).eval()
    model.load_state_dict(saved["model"])
    return model


def tokenise(tokenizer, texts: list) -> torch.Tensor:
    """-> int64 [n, TOKENS], padded with 0."""
    out = torch.zeros(len(texts), TOKENS, dtype=torch.long)
    for row, text in zip(out, texts):
        ids = tokenizer.encode(text).ids
        assert len(ids) <= TOKENS, f"{len(ids)} tokens do not fit in {TOKENS}: {text}"
        row[:len(ids)] = torch.tensor(ids)
    return out


@torch.no_grad()
def encode(model: TAEHV, clips: np.ndarray) -> torch.Tensor:
    """uint8 [n, T, H, W, 3] -> latents [n, C, F, h, w]."""
    x = torch.from_numpy(clips).permute(0, 1, 4, 2, 3).float() / 255
    with torch.autocast("cpu", torch.bfloat16):
        return model.encode(x).float().transpose(1, 2)


def subject_cells(masks: np.ndarray) -> torch.Tensor:
    """uint8 [n, T, h, w] -> uint8 [n, F, h, w]: how much subjects cover a latent cell or its neighbours, at most in its frames."""
    m = torch.from_numpy(masks)
    m = torch.cat([m[:, :1].expand(-1, 3, -1, -1), m], 1).unflatten(1, (-1, 4)).amax(2)
    return F.max_pool2d(m.float(), 3, 1, 1).byte()


def make(model: TAEHV, tokenizer, sets: list, seed: int, world: dict = SMALL) -> dict:
    """sets: [(width, height, clips)] -> {"sets": [what `one_size` gives], "mean": [C], "std": [C]} over all of them."""
    rng = np.random.default_rng(seed)
    made = [one_size(model, tokenizer, *size, rng, world) for size in sets]
    flat = torch.cat([s["latents"][:2000].float().transpose(0, 1).flatten(1) for s in made], 1)
    return {"sets": made, "mean": flat.mean(1), "std": flat.std(1)}


def make_beginnings(model: TAEHV, tokenizer, clips: int, seed: int, world: dict = SMALL) -> dict:
    """What `one_size` gives, of the first block of many more clips of the native size: cheap, and what a thing looks like
    is learnt from many scenes. Nine thousand alone were learnt by heart (`python -m training.overfit` shows it)."""
    plain = world | {"relation": {**world["relation"], "alone": 30}, "camera": {**world["camera"], "still": 20}}
    return one_size(model, tokenizer, WIDTH, HEIGHT, clips, np.random.default_rng(seed), plain, frames=9, late=0.0)


def make_windows(model: TAEHV, tokenizer, clips: int, seed: int, world: dict = SMALL) -> dict:
    """What `one_size` gives, of the first two blocks of many clips, half of which begin later in the scene: how things go on
    needs as many scenes as how they begin."""
    return one_size(model, tokenizer, WIDTH, HEIGHT, clips, np.random.default_rng(seed), world, frames=21, late=0.5)


def one_size(model: TAEHV, tokenizer, width: int, height: int, clips: int, rng, world: dict, frames: int = FRAMES, late: float = 0.2) -> dict:
    """-> latents [n, C, F, h, w] (raw, bf16), cells [n, F, h, w], ids [n, CAPTIONS, TOKENS], scenes, details [n, D], whether at the start [n].

    `late`: the share of the clips that begin later in the scene."""
    scenes = sample_scenes(clips, rng, world)
    starts = np.where(rng.random(clips) < 1 - late, 0, rng.uniform(0, 3, clips))

    def chunk(i: int):
        pictures, masks = render(scenes[i:i + 7], width, height, frames, start=starts[i:i + 7], masks=True)
        return encode(model, pictures).bfloat16(), subject_cells(masks)

    with ThreadPoolExecutor(2) as workers:
        latents, cells = (torch.cat(x) for x in zip(*workers.map(chunk, range(0, clips, 7))))
    ids = torch.stack([tokenise(tokenizer, [caption(s, rng) for _ in range(CAPTIONS)]) for s in scenes])
    assert len(latents) == len(cells) == len(ids) == len(scenes) == clips
    return {"latents": latents, "cells": cells, "ids": ids, "scenes": scenes, "details": torch.from_numpy(details(scenes)), "fresh": torch.from_numpy(starts == 0)}


def taught(s: dict) -> dict:
    """A set without the clips of combinations that are held out."""
    keep = ~np.isin(combination(s["scenes"]), np.load(HELD_OUT))
    return {k: v[keep] if isinstance(v, np.ndarray) else v[torch.from_numpy(keep)] for k, v in s.items()}


def load(folder: Path) -> dict:
    """The sets of data.pt; and `beginnings` and `windows`, what `make_beginnings` and `make_windows` gave, all files of each in one."""
    data = torch.load(folder / "data.pt", weights_only=False)
    data["sets"] = [taught(s) for s in data["sets"]]
    join = lambda values: np.concatenate(values) if isinstance(values[0], np.ndarray) else torch.cat(values)
    for kind in ("beginnings", "windows"):
        parts = [taught(torch.load(path, weights_only=False)) for path in sorted(folder.glob(f"{kind}-*.pt"))]
        data[kind] = {k: join([p[k] for p in parts]) for k in parts[0]} if parts else None
    return data


def normalise(data: dict) -> None:
    """Puts the latents of all sets in units of their channels' deviation, bf16."""
    for s in [*data["sets"], *filter(None, (data["beginnings"], data["windows"]))]:
        s["latents"] = torch.cat([((part.float() - data["mean"][:, None, None, None]) / data["std"][:, None, None, None]).bfloat16()
                                  for part in s["latents"].split(4000)])
