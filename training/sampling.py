"""Block-by-block sampling over a clean past, as the page does it: a few steps, then one pass at t = 0 for the cache."""
import torch

from .umt5 import UMT5
from .wan import WanTransformer

BLOCK, WINDOW = 3, 6  # latent frames


def warp(timesteps: list, shift: float) -> list:
    """Timesteps in [0, 1000] -> noise levels in [0, 1]."""
    return [shift * (t / 1000) / (1 + (shift - 1) * t / 1000) for t in timesteps]


@torch.no_grad()
def sample(dit: WanTransformer, text: UMT5, ids, blocks=3, rows=8, columns=12, steps=8, shift=5.0,
           kind="euler", guidance=1.0, seed=0, begin=None) -> torch.Tensor:
    """ids [B, L] -> normalised latents [B, C, 3 * blocks, rows, columns]. `begin`: the first block's ids, where they are others."""
    generator = torch.Generator().manual_seed(seed)
    b, c = len(ids), dit.config["in_channels"]
    noise = lambda: torch.randn(b, c, BLOCK, rows, columns, generator=generator)
    empty = torch.zeros_like(ids)
    empty[:, 0] = 1
    told = lambda ids: [dit.text(text(ids))] + ([dit.text(text(empty))] if guidance != 1 else [])
    contexts, first = told(ids), told(ids if begin is None else begin)
    sigmas = warp([1000 * (steps - i) / steps for i in range(steps)], shift) + [0.0]
    caches, out = [[None] * len(dit.blocks) for _ in contexts], []
    for block in range(blocks):
        frames = torch.arange(block * BLOCK, (block + 1) * BLOCK)
        words = contexts if block else first
        flow = lambda x, sigma, i: dit(x, torch.full((b, BLOCK), 1000 * sigma), words[i], frames, caches=caches[i])
        x = noise()
        for sigma, following in zip(sigmas, sigmas[1:]):
            v = flow(x, sigma, 0)[0].float()
            if guidance != 1:
                free = flow(x, sigma, 1)[0].float()
                v = free + guidance * (v - free)
            if kind == "euler":
                x = x + (following - sigma) * v
            else:
                x = (1 - following) * (x - sigma * v) + following * noise()
        keep = (WINDOW - BLOCK) * (rows // 2) * (columns // 2)
        for i in range(len(contexts)):
            own = flow(x, 0.0, i)[1]
            join = lambda old, new: new if old is None else torch.cat([old, new], 2)[:, :, -keep:]
            caches[i] = [tuple(join(o and o[j], n[j]) for j in (0, 1)) for o, n in zip(caches[i], own)]
        out.append(x)
    return torch.cat(out, 2)
