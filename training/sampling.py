"""Block-by-block sampling over a clean past, as the page does it: a few steps, then one pass at t = 0 for the cache."""
import torch

from .umt5 import UMT5
from .wan import WanTransformer, rotate, turn_table

BLOCK, WINDOW, SINK = 3, 9, 3  # latent frames: of a block; that a block sees, with itself; of them, the clip's first


def warp(timesteps: list, shift: float) -> list:
    """Timesteps in [0, 1000] -> noise levels in [0, 1]."""
    return [shift * (t / 1000) / (1 + (shift - 1) * t / 1000) for t in timesteps]


def kept(x: torch.Tensor, first: int, last: int) -> torch.Tensor:
    """The first and the last so many rows of x [B, H, N, K], each once."""
    return x if x.shape[2] <= first + last else torch.cat([x[:, :, :first], x[:, :, x.shape[2] - last:]], 2)


def turned(k: torch.Tensor, rows: int, frames: int) -> torch.Tensor:
    """Keys [B, H, N, K] of which the first `rows` stand so many frames later than they were made for."""
    turn = turn_table(frames, k.shape[-1], k.device)
    return torch.cat([rotate(k[:, :, :rows], turn).to(k.dtype), k[:, :, rows:]], 2)


@torch.no_grad()
def sample(dit: WanTransformer, text: UMT5, ids, blocks=3, rows=8, columns=12, steps=8, shift=5.0,
           kind="euler", guidance=1.0, seed=0, window=WINDOW, sink=SINK, remembered=None) -> torch.Tensor:
    """ids [B, L] -> normalised latents [B, C, 3 * blocks, rows, columns].

    A block sees the first `sink` frames and the last `window - sink`, itself among them. The sink stands right before the
    others, however far they have moved on: its keys are turned by the frames in between. `remembered` [B, C, 3 * blocks, rows,
    columns] stands in the cache in place of what is made."""
    generator = torch.Generator().manual_seed(seed)
    b, c = len(ids), dit.config["in_channels"]
    noise = lambda: torch.randn(b, c, BLOCK, rows, columns, generator=generator).to(ids.device)  # one noise for a seed, wherever it is
    empty = torch.zeros_like(ids)
    empty[:, 0] = 1
    contexts = [dit.text(text(ids))] + ([dit.text(text(empty))] if guidance != 1 else [])
    sigmas = warp([1000 * (steps - i) / steps for i in range(steps)], shift) + [0.0]
    caches, out, cells = [[None] * len(dit.blocks) for _ in contexts], [], (rows // 2) * (columns // 2)
    for block in range(blocks):
        frames = torch.arange(block * BLOCK, (block + 1) * BLOCK)
        gone = (block + 1) * BLOCK - window
        past = caches if gone <= 0 or not sink else [[(turned(k, sink * cells, gone), v) for k, v in cache] for cache in caches]
        flow = lambda x, sigma, i: dit(x, torch.full((b, BLOCK), 1000 * sigma, device=ids.device), contexts[i], frames, caches=past[i])
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
        first_cells, last_cells = sink * cells, (window - sink - BLOCK) * cells
        for i in range(len(contexts)):
            own = flow(x if remembered is None else remembered[:, :, frames], 0.0, i)[1]
            join = lambda old, new: new if old is None else kept(torch.cat([old, new], 2), first_cells, last_cells)
            caches[i] = [tuple(join(o and o[j], n[j]) for j in (0, 1)) for o, n in zip(caches[i], own)]
        out.append(x)
    return torch.cat(out, 2)
