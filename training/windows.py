"""What a training step shows the transformer: windows of clips, noised, with what attends to what.

B batch, C latent channels, h x w latent cells. Noise levels run from 0 (clean) to 1 (noise).
"""
import torch

from . import wan
from .sampling import BLOCK
from .tokens import with_details

SUBJECT = 4.0  # how much more the loss of a cell counts where a subject is
SHIFT = 8.0  # most of the noise levels lie where a scene is decided, between 0.88 and 0.98
COPIES = 3  # of the block that follows, in a window
WHOLE = 0.4  # of the windows are of whole clips, which know later blocks and other sizes, too
OLD = 0.15  # of the beginnings are those of whole clips, which more often hold two subjects or a camera that moves
DETAILED = 0.8  # of the captions that may have details


def noise_levels(shape, shift: float = SHIFT) -> torch.Tensor:
    """Logit-normal noise levels in (0, 1), shifted towards noise."""
    s = torch.sigmoid(torch.randn(shape) * 1.1)
    return shift * s / (1 + (shift - 1) * s)


def teacher_forced(x0: torch.Tensor, offset: int):
    """x0 [B, C, 6, h, w]: two blocks, the first of which starts at frame `offset`.

    The sequence is: block 0 clean, block 1 noisy, COPIES times and each with noise of its own. How to begin is
    taught by `first_blocks`, at a third of the price.
    -> x [B, C, 12, h, w], t [B, 12], frame numbers, attention plan, target flow of the 9 noisy frames, levels [B, 9].
    """
    b, _, _, h, w = x0.shape
    first, second = x0[:, :, :BLOCK], x0[:, :, BLOCK:]
    disturbed = 0.15 * torch.rand(b, 1, 1, 1, 1) * (torch.rand(b, 1, 1, 1, 1) < 0.6)
    past = first + disturbed * torch.randn_like(first)
    sigma = noise_levels((b, COPIES)).repeat_interleave(BLOCK, 1)
    clean = second.repeat(1, 1, COPIES, 1, 1)
    noise = torch.randn_like(clean)
    level = sigma[:, None, :, None, None]
    x = torch.cat([past, (1 - level) * clean + level * noise], 2)
    t = 1000 * torch.cat([torch.zeros(b, BLOCK), sigma], 1)
    here = torch.arange(BLOCK)
    frames = torch.cat([here, (here + BLOCK).repeat(COPIES)]) + offset
    plan = wan.teacher_forcing([(0, True)] + COPIES * [(1, False)], BLOCK * h * w // 4)
    return x, t, frames, plan, noise - clean, sigma


def first_blocks(x0: torch.Tensor, cells: torch.Tensor):
    """Only the first block of a clip, or its first frame, which decide what everything looks like: many scenes for the price of few.

    x0 [B, C, 3 or 1, h, w], cells [B, 3 or 1, h, w] -> as `teacher_forced`, and the weights of the loss.
    """
    b, _, f, h, w = x0.shape
    sigma = noise_levels((b, 1)).repeat(1, f)
    noise, level = torch.randn_like(x0), sigma[:, None, :, None, None]
    weight = 1 + SUBJECT * cells
    plan = wan.teacher_forcing([(0, False)], f * h * w // 4)
    return (1 - level) * x0 + level * noise, 1000 * sigma, torch.arange(f), plan, noise - x0, sigma, (weight / weight.mean())[:, None]


def pick_clips(data: dict, n: int, first: int):
    """n random two-block windows of one size -> x0 [n, C, 6, h, w], how much subjects cover its cells [n, 6, h, w], ids [n, L], first frame number.

    Some captions of windows that show a scene's start have its details in front of them, as tokens from `first` on.
    """
    source = _any_set(data) if data["windows"] is None or torch.rand(()) < WHOLE else data["windows"]
    start = 0 if source["latents"].shape[2] == 2 * BLOCK or torch.rand(()) < 0.6 else BLOCK
    offset = start if torch.rand(()) < 0.7 else start + BLOCK * int(torch.randint(1, 10, ()))
    return *_pick(source, n, slice(start, start + 2 * BLOCK), first if start == 0 else None, 0.5 * DETAILED), offset


def pick_beginnings(data: dict, n: int, frames: int, first: int):
    """n random beginnings of clips of one size -> x0 [n, C, frames, h, w], cover [n, frames, h, w], ids [n, L]."""
    source = _any_set(data) if data["beginnings"] is None or torch.rand(()) < OLD else data["beginnings"]
    return _pick(source, n, slice(0, frames), first, DETAILED)


def _any_set(data: dict) -> dict:
    """One of the sets of whole clips, mostly that of the native size."""
    sets = data["sets"]
    return sets[0 if len(sets) == 1 or torch.rand(()) < 0.85 else int(torch.randint(1, len(sets), ()))]


def _pick(source: dict, n: int, window: slice, first: int | None, detailed: float) -> tuple:
    pick = torch.randint(len(source["latents"]), (n,))
    ids = source["ids"][pick, torch.randint(source["ids"].shape[1], (n,))].clone()
    if first is not None:
        told = source["fresh"][pick] & (torch.rand(n) < detailed)
        ids = torch.where(told[:, None], with_details(ids, source["details"][pick], first), ids)
    return source["latents"][pick, :, window].float(), source["cells"][pick, window].float() / 255, ids


def cell_weights(cells: torch.Tensor) -> torch.Tensor:
    """The loss of what subjects cover counts 1 + SUBJECT times as much: [n, 6, h, w] -> [n, 1, 9, h, w], as `teacher_forced` orders."""
    w = 1 + SUBJECT * cells[:, BLOCK:]
    return (w / w.mean())[:, None].repeat(1, 1, COPIES, 1, 1)
