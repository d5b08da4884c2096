"""Loads the exported Kinora Pocket files and turns prompts into clips: the page's pipeline, in PyTorch."""
import json
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer

from .data import tokenise
from .export import TARGET, read_gguf
from .sampling import sample
from .taehv import TAEHV
from .umt5 import UMT5
from .wan import WanTransformer


class Pocket:
    def __init__(self, folder: Path = TARGET):
        self.model = json.loads((folder / "model.json").read_text())
        parts = self.model["components"]
        self.tokenizer = Tokenizer.from_file(str(folder / parts["tokenizer"]["file"]))
        self.text, self.dit = UMT5(parts["text_encoder"]["config"]).eval(), WanTransformer(parts["transformer"]["config"]).eval()
        self.text.load_state_dict(read_gguf(folder / parts["text_encoder"]["file"]))
        self.dit.load_state_dict(read_gguf(folder / parts["transformer"]["file"]))
        self.autoencoder = TAEHV(parts["autoencoder"]["config"]).eval()
        weights = {k: v.float() for k, v in load_file(str(folder / parts["autoencoder"]["file"])).items()}
        self.autoencoder.decoder.load_state_dict({k.removeprefix("decoder."): v for k, v in weights.items()})
        self.mean, self.std = torch.tensor(self.model["latent"]["mean"]), torch.tensor(self.model["latent"]["std"])

    @torch.no_grad()
    def generate(self, prompts: list, blocks: int = 3, steps: int | None = None, seed: int = 0) -> np.ndarray:
        """-> uint8 [n, 12 * blocks - 3, H, W, 3]."""
        sampler = self.model["sampler"]
        ids = tokenise(self.tokenizer, prompts)
        ids = ids[:, :int((ids != 0).sum(1).max())]
        size = self.model["sizes"][0]
        with torch.autocast("cpu", torch.bfloat16):
            z = sample(self.dit, self.text, ids, blocks, size["height"] // 8, size["width"] // 8,
                       steps or len(sampler["timesteps"]), sampler["shift"], sampler["kind"], seed=seed)
            z = z * self.std[:, None, None, None] + self.mean[:, None, None, None]
            frames = self.autoencoder.decode(z.transpose(1, 2)).float().clamp(0, 1)
        return (frames.permute(0, 1, 3, 4, 2) * 255).round().byte().numpy()
