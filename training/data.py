"""Clips as normalised latents with tokenised captions, made once per run and kept in runs/NAME/data.pt."""
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from .captions import caption
from .device import device
from .precision import mixed
from .taehv import TAEHV
from .world import ATTRIBUTES, FPS, FRAMES, HEIGHT, SMALL, WIDTH, details, gpu, render, sample_scenes

CAPTIONS = 4  # paraphrases kept for every clip
TOKENS = 48
SECOND = 0.25  # of the windows show the first block and the second
HARD = {"spin": 4.0, "sway": 4.0, "pulse": 2.0}  # how much more often clips of these motions are shown: the last to be learnt
RETURNING = 0.3  # of the windows of later blocks are those of subjects that come back: with half of them sways were forgotten
HELD_OUT = Path(__file__).parent / "checkpoints" / "held-out.npy"  # combinations that no training clip shows, for the evaluation
LEAVING = [i for i, m in enumerate(ATTRIBUTES["motion"]) if m in ("left", "right", "rise", "fall")]  # out of the picture, and back into it
TOGETHER = ("subject", "colour", "motion", "place")


def combination(scenes: np.ndarray) -> np.ndarray:
    """One number for the values of `TOGETHER` in each scene [n]."""
    return np.ravel_multi_index([scenes[a] for a in TOGETHER], [len(ATTRIBUTES[a]) for a in TOGETHER])


def load_autoencoder(folder: Path) -> TAEHV:
    saved = torch.load(folder / "ae.pt", weights_only=False, map_location="cpu")
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
def encode(model: TAEHV, clips: np.ndarray | torch.Tensor) -> torch.Tensor:
    """uint8 [n, T, H, W, 3] -> latents [n, C, F, h, w], where the model is."""
    x = torch.as_tensor(clips, device=next(model.parameters()).device).permute(0, 1, 4, 2, 3).float() / 255
    with mixed():
        return model.encode(x).float().transpose(1, 2)


def subject_cells(masks: np.ndarray | torch.Tensor) -> torch.Tensor:
    """uint8 [n, T, h, w] -> uint8 [n, F, h, w]: how much subjects cover a latent cell or its neighbours, at most in its frames."""
    m = torch.as_tensor(masks)
    m = torch.cat([m[:, :1].expand(-1, 3, -1, -1), m], 1).unflatten(1, (-1, 4)).amax(2)
    return F.max_pool2d(m.float(), 3, 1, 1).byte()


def make(model: TAEHV, tokenizer, sets: list, seed: int, world: dict = SMALL) -> dict:
    """sets: [(width, height, clips)] -> {"sets": [what `one_size` gives], "mean": [C], "std": [C]} over all of them."""
    rng = np.random.default_rng(seed)
    made = [one_size(model, tokenizer, *size, rng, world) for size in sets]
    flat = torch.cat([s["latents"][:2000].float().transpose(0, 1).flatten(1) for s in made], 1)
    return {"sets": made, "mean": flat.mean(1), "std": flat.std(1)}


def make_beginnings(model: TAEHV, tokenizer, clips: int, seed: int, world: dict = SMALL, size: tuple = (WIDTH, HEIGHT), captions: int = CAPTIONS) -> dict:
    """What `one_size` gives, of the first block of many more clips of one size, the native one: cheap, and what a thing looks like
    is learnt from many scenes. Nine thousand alone were learnt by heart (`python -m training.overfit` shows it)."""
    plain = world | {"relation": {**world["relation"], "alone": 30}, "camera": {**world["camera"], "still": 20}}
    return one_size(model, tokenizer, *size, clips, np.random.default_rng(seed), plain, frames=9, late=0.0, captions=captions)


def make_windows(model: TAEHV, tokenizer, clips: int, seed: int, world: dict = SMALL, size: tuple = (WIDTH, HEIGHT), captions: int = CAPTIONS,
                 returns: bool = False) -> dict:
    """What `one_size` gives, of three blocks of many scenes: the first, some later one as far as a minute away, and the one
    after that. How things go on, leave and come back needs as many scenes as how they begin. Where the later block is the
    first itself, it stands there twice, and the scene counts as `fresh`.

    returns: only of subjects that move out of the picture, about the time at which they come back."""
    rng = np.random.default_rng(seed)
    if returns:
        scenes = sample_scenes(clips, rng, world, motion=rng.choice(LEAVING, clips))
        later = returning(scenes, rng)
    else:
        scenes = sample_scenes(clips, rng, world)
        later = np.where(rng.random(clips) < 0.4, rng.integers(1, 6, clips), rng.integers(1, 81, clips))
        later[rng.random(clips) < SECOND] = 0
    before = np.where(later > 0, 5, 0)  # frames that the encoder sees before the later block: two latents of its own
    starts = (12 * later - 3 - before) / FPS * (later > 0)

    def chunk(i: int):
        now = slice(i, i + 7)
        first, then = (shot(model, scenes[now], *size, frames, start) for frames, start in ((9, 0.0), (29, starts[now])))
        tail = lambda x, at: torch.stack([v[2:8] if n else v[:6] for v, n in zip(x, at)])
        return (torch.cat([first[0], tail(then[0].transpose(1, 2), later[now]).transpose(1, 2)], 2),
                torch.cat([first[1], tail(then[1], later[now])], 1))

    return described(tokenizer, rng, scenes, *in_chunks(chunk, clips), later == 0, captions)


def returning(scenes: np.ndarray, rng) -> np.ndarray:
    """For each scene [n] the number of a block, within its first minute, in which little is left of its subject, or of the one before: int [n]."""
    first = rng.integers(1, 65, len(scenes))
    cover = render(scenes, 64, 40, 16, start=(12 * first + 3) / FPS, masks=True, fps=FPS / 12)[1].mean((2, 3), dtype=np.float32)  # a frame a block
    hidden = (1.01 - cover / (cover.max(1, keepdims=True) + 1e-6)) ** 3
    ends = np.cumsum(hidden / hidden.sum(1, keepdims=True), 1)
    return first + np.minimum((rng.random((len(scenes), 1)) > ends).sum(1), 15) + rng.integers(-1, 1, len(scenes))


def one_size(model: TAEHV, tokenizer, width: int, height: int, clips: int, rng, world: dict, frames: int = FRAMES, late: float = 0.2, captions: int = CAPTIONS) -> dict:
    """-> latents [n, C, F, h, w] (raw, bf16), cells [n, F, h, w], ids [n, captions, TOKENS], scenes, details [n, D], whether at the start [n].

    `late`: the share of the clips that begin later in the scene."""
    scenes = sample_scenes(clips, rng, world)
    starts = np.where(rng.random(clips) < 1 - late, 0, rng.uniform(0, 3, clips))
    chunk = lambda i: shot(model, scenes[i:i + 7], width, height, frames, starts[i:i + 7])
    return described(tokenizer, rng, scenes, *in_chunks(chunk, clips), starts == 0, captions)


def shot(model: TAEHV, scenes: np.ndarray, width: int, height: int, frames: int, start) -> tuple:
    """Scenes [n] from `start` seconds on -> latents [n, C, F, h, w] (raw, bf16), cells [n, F, h, w]; rendered, and left, where the model is."""
    where = next(model.parameters()).device
    options = {"start": start, "masks": True}
    pictures, masks = gpu.render(scenes, width, height, frames, device=where, **options) if where.type == "cuda" else render(scenes, width, height, frames, **options)
    return encode(model, pictures).bfloat16(), subject_cells(masks)


def in_chunks(chunk, clips: int) -> tuple:
    """(latents, cells) of all of them, by calls of chunk(first of seven) on two threads; on a GPU, whose kernels belong to one thread, on this one."""
    if device().type == "cuda":
        return tuple(torch.cat(x) for x in zip(*map(chunk, range(0, clips, 7))))
    with ThreadPoolExecutor(2) as workers:
        return tuple(torch.cat(x) for x in zip(*workers.map(chunk, range(0, clips, 7))))


def described(tokenizer, rng, scenes: np.ndarray, latents: torch.Tensor, cells: torch.Tensor, fresh: np.ndarray, captions: int = CAPTIONS) -> dict:
    ids = torch.stack([tokenise(tokenizer, [caption(s, rng) for _ in range(captions)]) for s in scenes])
    assert len(latents) == len(cells) == len(ids) == len(scenes)
    return {"latents": latents, "cells": cells, "ids": ids, "scenes": scenes, "details": torch.from_numpy(details(scenes)), "fresh": torch.from_numpy(fresh)}


def taught(s: dict) -> dict:
    """A set without the clips of combinations that are held out."""
    keep = ~np.isin(combination(s["scenes"]), np.load(HELD_OUT))
    return {k: v[keep] if isinstance(v, np.ndarray) else v[torch.from_numpy(keep).to(v.device)] for k, v in s.items()}


def load(folder: Path) -> dict:
    """The sets of data.pt; and `beginnings` and `windows`, what `make_beginnings` and `make_windows` gave, all files of each in one;
    the windows as `second`, which show a scene's first two blocks, and `later`, with those of returning subjects. Latents and cells are on the device."""
    data = torch.load(folder / "data.pt", weights_only=False, map_location="cpu")
    data["sets"] = [taught(s) for s in data["sets"]]
    join = lambda values: np.concatenate(values) if isinstance(values[0], np.ndarray) else torch.cat(values)
    for kind in ("beginnings", "windows", "returns"):
        parts = [taught(torch.load(path, weights_only=False, map_location="cpu")) for path in sorted(folder.glob(f"{kind}-*.pt"))]
        data[kind] = {k: join([p[k] for p in parts]) for k in parts[0]} if parts else None
    if windows := data["windows"]:
        chosen = lambda which: {k: v[which.numpy() if isinstance(v, np.ndarray) else which] for k, v in windows.items()}
        data["windows"] = {"second": chosen(windows["fresh"]), "later": chosen(~windows["fresh"])}
        later = data["windows"]["later"]
        odds = chances(later["cells"])
        if returns := data.pop("returns"):
            data["windows"]["later"] = {k: join([v, returns[k]]) for k, v in later.items()}
            odds = torch.cat([(1 - RETURNING) * odds, RETURNING * chances(returns["cells"])])
        data["windows"]["later"]["chances"] = odds
    for s in every_set(data):
        s["latents"], s["cells"] = s["latents"].to(device()), s["cells"].to(device())
        s["chances"] = s.get("chances", torch.ones(len(s["scenes"]))) * often(s["scenes"])
    return data


def every_set(data: dict) -> list:
    """All that `load` gave which has latents."""
    return [*data["sets"], *filter(None, [data["beginnings"]]), *(data["windows"] or {}).values()]


def often(scenes: np.ndarray) -> torch.Tensor:
    """How much more often than others each scene [n] is shown, by its motion: [n]."""
    return torch.tensor([HARD.get(m, 1.0) for m in ATTRIBUTES["motion"]])[torch.from_numpy(scenes["motion"].astype(np.int64))]


def chances(cells: torch.Tensor) -> torch.Tensor:
    """Cover [n, 9, h, w] of windows (first block, another, the one after that) -> how often to show each, [n], in all 1.

    Half are picked evenly, half by how much of a subject is missing in the block before: what comes back into the picture can
    only be drawn after the first block, and is what a long clip lost. Only by what is known before: picked by what comes
    back in the last block, as until edition 8, windows taught that a subject comes back sooner than it does."""
    first, before = (cells[:, at].float().mean((1, 2, 3)) for at in (slice(0, 3), slice(3, 6)))
    missing = (first > 0) * (1 - before / first.clamp(min=1e-6)).clamp(min=0) + 1e-6
    return 0.5 / len(cells) + 0.5 * missing / missing.sum()


def normalise(data: dict, mean: torch.Tensor, std: torch.Tensor) -> None:
    """Puts the latents of all sets in units of their channels' deviation, bf16: of that which the model was begun with, mean and std [C],
    not of these clips' own, which is some percent another."""
    for s in every_set(data):
        s["latents"] = torch.cat([((part.float() - mean[:, None, None, None]) / std[:, None, None, None]).bfloat16()
                                  for part in s["latents"].split(4000)])
