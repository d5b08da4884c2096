"""Where a step's clips come from: `Stored`, made once and kept in files; `Stream`, rendered as training eats them and never stored.

A stream keeps rings in the device's memory, a part of which every step replaces. It is for a GPU, which renders and encodes clips in a fraction
of a step (`world/gpu.py`); on a CPU it is the same, slowly, and only tests do it.
"""
from pathlib import Path

import numpy as np
import torch

from . import data as clips
from .data import chances, load_autoencoder, make_beginnings, make_windows, one_size, taught
from .device import device
from .world import WHOLE

KEPT = ("latents", "cells", "ids", "details", "fresh")  # of what data.py makes: all that a step asks for
RETURNS = 0.5  # of the steps bring windows of returning subjects
KINDS = ("clips", "beginnings", "windows")


class Stored:
    """The clips of a run's files, as `data.load` gives them."""

    def __init__(self, folder: Path):
        self.data = [clips.load(folder)]

    def statistics(self) -> tuple:
        return self.data[0]["mean"], self.data[0]["std"]

    def normalise(self, mean: torch.Tensor, std: torch.Tensor) -> None:
        clips.normalise(self.data[0], mean, std)

    def next(self) -> dict:
        return self.data[0]


def source(preset: dict, folder: Path, tokenizer, seed: list):
    """What a preset of train.py learns from; `seed`: other numbers, other clips, where they are made anew."""
    if "stream" not in preset:
        return Stored(folder)
    return Stream(load_autoencoder(folder).to(device()), tokenizer, **preset["stream"], seed=seed)


class Stream:
    """Clips of several sizes, each as what `data.load` gives: {"sets": [one], "beginnings", "windows"}.

    model: the autoencoder, on the device. sizes: [(width, height, odds)]. ring: how many clips, beginnings and windows are kept of each size;
    fresh: how many of them a step replaces, of the size that it shows. Combinations that are held out are left out of both.
    """

    def __init__(self, model, tokenizer, sizes: list, ring: dict, fresh: dict, seed: list, world: dict = WHOLE):
        self.model, self.tokenizer, self.sizes, self.fresh, self.world = model, tokenizer, sizes, fresh, world
        self.rng, self.scale = np.random.default_rng(seed), None
        self.odds = torch.tensor([float(odds) for *_, odds in sizes])
        self.data = [self._filled(size[:2], ring) for size in sizes]
        self.at: dict = {}  # (size, ring) -> where the next clips go

    def statistics(self) -> tuple:
        """Mean and deviation of each latent channel, [C] each, over whole clips of all sizes; before `normalise`."""
        flat = torch.cat([d["sets"][0]["latents"].float().transpose(0, 1).flatten(1) for d in self.data], 1)
        return flat.mean(1), flat.std(1)

    def normalise(self, mean: torch.Tensor, std: torch.Tensor) -> None:
        """Puts what is there, and all that comes, in units of the channels' deviation."""
        for d in self.data:
            clips.normalise(d, mean, std)
        self.scale = (mean[:, None, None, None], std[:, None, None, None])

    def next(self) -> dict:
        """What the next step shows clips of: one size, with its new clips."""
        which = int(torch.multinomial(self.odds, 1)) if len(self.odds) > 1 else 0
        d, size = self.data[which], self.sizes[which][:2]
        for kind in KINDS:
            if self.fresh[kind]:
                for name, new in self._made(kind, self.fresh[kind], size, returns=kind == "windows" and self.rng.random() < RETURNS).items():
                    self._replace((which, name), self._rings(d)[name], new)
        if self.fresh["windows"]:
            d["windows"]["later"]["chances"] = chances(d["windows"]["later"]["cells"]).cpu()
        return d

    def _made(self, kind: str, n: int, size: tuple, returns: bool = False) -> dict:
        """{name of a ring: rows for it}."""
        seed, options = int(self.rng.integers(2 ** 62)), {"world": self.world, "captions": 1} | ({"returns": True} if returns else {})
        if kind == "clips":
            made = one_size(self.model, self.tokenizer, *size, n, np.random.default_rng(seed), **options)
        else:
            made = {"beginnings": make_beginnings, "windows": make_windows}[kind](self.model, self.tokenizer, n, seed, size=size, **options)
        made = {k: v for k, v in taught(made).items() if k in KEPT}
        if kind != "windows":
            return {kind: made}
        chosen = lambda which: {k: v[which.to(v.device)] for k, v in made.items()}
        return {"second": chosen(made["fresh"]), "later": chosen(~made["fresh"])}

    def _filled(self, size: tuple, ring: dict) -> dict:
        made = {name: rows for kind in KINDS for name, rows in self._made(kind, ring[kind], size).items()}
        if small := [name for name, rows in made.items() if not len(rows["latents"])]:
            raise ValueError(f"rings of {ring} are too small: not one of {small} came")
        made["later"]["chances"] = chances(made["later"]["cells"]).cpu()
        return {"sets": [made["clips"]], "beginnings": made["beginnings"], "windows": {k: made[k] for k in ("second", "later")}}

    @staticmethod
    def _rings(d: dict) -> dict:
        return {"clips": d["sets"][0], "beginnings": d["beginnings"], **d["windows"]}

    def _replace(self, place: tuple, ring: dict, new: dict) -> None:
        size, first = len(ring["latents"]), self.at.get(place, 0)
        n = min(len(new["latents"]), size - first)
        if self.scale:
            mean, std = self.scale
            new["latents"] = ((new["latents"].float() - mean) / std).bfloat16()
        for k in KEPT:
            ring[k][first:first + n] = new[k][:n]
        self.at[place] = (first + n) % size
