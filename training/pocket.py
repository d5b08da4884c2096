"""Loads the exported Kinora Pocket files and turns prompts into clips: the page's pipeline, in PyTorch."""
import json
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer

from .data import tokenise
from .export import TARGET, read_gguf
from .precision import mixed
from .sampling import sample
from .taehv import TAEHV
from .tokens import with_details
from .umt5 import UMT5
from .wan import WanTransformer


class Pocket:
    """`device`: where clips are made; prompts, latents and pictures come from and go to the CPU."""

    def __init__(self, folder: Path = TARGET, device: torch.device | str = "cpu"):
        self.device = device
        self.model = json.loads((folder / "model.json").read_text())
        parts = self.model["components"]
        self.tokenizer = Tokenizer.from_file(str(folder / parts["tokenizer"]["file"]))
        self.text, self.dit = UMT5(parts["text_encoder"]["config"]).eval(), WanTransformer(parts["transformer"]["config"]).eval()
        self.text.load_state_dict(read_gguf(folder / parts["text_encoder"]["file"]))
        self.dit.load_state_dict(read_gguf(folder / parts["transformer"]["file"]))
        self.autoencoder = TAEHV(parts["autoencoder"]["config"]).eval()
        weights = load_file(str(folder / parts["autoencoder"]["file"]))
        self.autoencoder.decoder.load_state_dict({k.removeprefix("decoder."): v.float() for k, v in weights.items() if k.startswith("decoder.")})
        encoder = {k.removeprefix("encoder."): v.float() for k, v in weights.items() if k.startswith("encoder.")}
        self.encodes = bool(encoder)  # edition 1 has none
        if encoder:
            self.autoencoder.encoder.load_state_dict(encoder)
        for network in (self.text, self.dit, self.autoencoder):
            network.to(device)
        self.mean, self.std = torch.tensor(self.model["latent"]["mean"]), torch.tensor(self.model["latent"]["std"])

    @torch.no_grad()
    def latents(self, prompts: list, blocks: int = 3, steps: int | None = None, seed: int = 0, chosen: torch.Tensor | None = None, past: torch.Tensor | None = None) -> torch.Tensor:
        """-> the decoder's latents [n, C, 3 * blocks, h, w].

        `chosen` [n, D]: the details of the scenes, which else the seed chooses. `past`: latents of this form, remembered in place of what is made."""
        sampler = self.model["sampler"]
        ids = tokenise(self.tokenizer, prompts)
        if details := self.model.get("details"):
            if chosen is None:
                generator = torch.Generator().manual_seed(seed)
                chosen = torch.stack([torch.randint(len(group), (len(ids),), generator=generator) for group in details], 1)
            ids = with_details(ids, chosen, details[0][0])
        ids = ids[:, :int((ids != 0).sum(1).max())]
        size = self.model["sizes"][0]
        mean, std = self.mean[:, None, None, None], self.std[:, None, None, None]
        with mixed():
            z = sample(self.dit, self.text, ids.to(self.device), blocks, size["height"] // 8, size["width"] // 8,
                       steps or len(sampler["timesteps"]), sampler["shift"], sampler["kind"], seed=seed, window=sampler["window"], sink=sampler["sink"],
                       remembered=None if past is None else ((past - mean) / std).to(self.device))
        return z.float().cpu() * std + mean

    @torch.no_grad()
    def decode(self, z: torch.Tensor) -> np.ndarray:
        """Latents [n, C, F, h, w] -> uint8 [n, 4 * F - 3, H, W, 3]."""
        frames = torch.cat([self.autoencoder.decode(part.to(self.device).transpose(1, 2)).clamp(0, 1).cpu() for part in z.split(16)])
        return (frames.permute(0, 1, 3, 4, 2) * 255).round().byte().numpy()

    def generate(self, prompts: list, **options) -> np.ndarray:
        """As `latents` -> uint8 [n, 12 * blocks - 3, H, W, 3]."""
        return self.decode(self.latents(prompts, **options))
