"""Clips as normalised latents with tokenised captions, made once per run and kept in runs/NAME/data.pt."""
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch

from .captions import caption
from .taehv import TAEHV
from .world import render, sample_scenes

CAPTIONS = 4  # paraphrases kept for every clip
TOKENS = 32


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


def make(model: TAEHV, tokenizer, clips: int, seed: int) -> dict:
    """-> latents [n, C, F, h, w] (raw, bf16), ids [n, CAPTIONS, TOKENS], scenes, mean and std [C]."""
    rng = np.random.default_rng(seed)
    scenes = sample_scenes(clips, rng)
    starts = np.where(rng.random(clips) < 0.8, 0, rng.uniform(0, 3, clips))
    chunk = lambda i: encode(model, render(scenes[i:i + 16], start=starts[i:i + 16])).bfloat16()
    with ThreadPoolExecutor(2) as workers:
        latents = torch.cat(list(workers.map(chunk, range(0, clips, 16))))
    ids = torch.stack([tokenise(tokenizer, [caption(s, rng) for _ in range(CAPTIONS)]) for s in scenes])
    assert len(latents) == len(ids) == len(scenes) == clips
    flat = latents.float().transpose(0, 1).flatten(1)
    return {"latents": latents, "ids": ids, "scenes": scenes, "mean": flat.mean(1), "std": flat.std(1)}
