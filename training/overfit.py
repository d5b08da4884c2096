"""Whether a run learns its clips by heart: python -m training.overfit [--name pocket] [--clips 160].

The flow error of first frames, weighed as in training, by noise level: of clips that the run was taught with, and of fresh
scenes from the same world. Where the second is much higher, more clips help and more steps do not.
"""
import argparse

import numpy as np
import torch

from . import tokens
from .captions import caption
from .data import encode, load_autoencoder, subject_cells, tokenise
from .precision import mixed
from .train import load
from .train_ae import RUNS
from .windows import SUBJECT
from .world import SMALL, details, render, sample_scenes

LEVELS = (0.98, 0.95, 0.9, 0.8, 0.6, 0.3)


@torch.no_grad()
def flow_error(model, z: torch.Tensor, cells: torch.Tensor, ids: torch.Tensor) -> dict:
    """z normalised latents [n, C, 1, h, w], cells [n, 1, h, w], ids [n, L] -> {noise level: error}."""
    torch.manual_seed(1)
    weight = 1 + SUBJECT * cells
    weight, errors = (weight / weight.mean())[:, None], {}
    context = model.dit.text(model.text(ids))
    for level in LEVELS:
        noise = torch.randn_like(z)
        with mixed():
            flow = model.dit((1 - level) * z + level * noise, torch.full((len(z), 1), 1000 * level), context, torch.arange(1))[0].float()
        errors[level] = round(((flow - (noise - z)).square() * weight).mean().item(), 3)
    return errors


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--name", default="pocket")
    parser.add_argument("--clips", type=int, default=160)
    arguments = parser.parse_args()
    folder, n = RUNS / arguments.name, arguments.clips
    model, autoencoder, tokenizer = load(folder), load_autoencoder(folder), tokens.load(folder / "tokenizer.json")
    old = torch.load(folder / "data.pt", weights_only=False)["sets"][0]
    begin = old["fresh"].nonzero()[:n, 0]
    scenes = sample_scenes(n, np.random.default_rng(77), SMALL)
    pictures, masks = render(scenes, frames=1, masks=True)
    for name, shown, z, cells in (("taught", old["scenes"][begin.numpy()], old["latents"][begin][:, :, :1].float(), old["cells"][begin][:, :1]),
                                  ("fresh", scenes, encode(autoencoder, pictures), subject_cells(masks))):
        rng = np.random.default_rng(1)
        ids = tokenise(tokenizer, [caption(s, rng, "en", plain=True) for s in shown])
        ids = tokens.with_details(ids, torch.from_numpy(details(shown)), tokenizer.get_vocab_size())
        z = (z - model.mean[:, None, None, None]) / model.std[:, None, None, None]
        print(name, flow_error(model, z, cells.float() / 255, ids))


if __name__ == "__main__":
    main()
