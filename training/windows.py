"""What a training step shows the transformer: windows of clips, noised, with what attends to what.

B batch, C latent channels, h x w latent cells. Noise levels run from 0 (clean) to 1 (noise).
"""
import torch

from . import wan
from .sampling import BLOCK
from .tokens import with_details

SUBJECT = 4.0  # how much more the loss of a cell of a first block counts where a subject is
BAND = 6.0  # and that of a later one, in the rows and columns of a subject
SHIFT = 8.0  # most of the noise levels lie where a scene is decided, between 0.88 and 0.98
COPIES = 3  # of the block that follows, in a window
WHOLE = 0.15  # of the windows are of whole clips, which know other sizes, too
SECOND = 0.25  # of the windows show the second block of a scene, the others one that has a first block and another before it
IMAGINED = 0.5  # of the windows have a past that the model made
GENERATIONS = 2  # at most, from block to block, of what the model made of what it had made
OLD = 0.15  # of the beginnings are those of whole clips, which more often hold two subjects or a camera that moves
DETAILED = 0.8  # of the captions of beginnings have the scene's details in front
TOLD = 0.7  # of those of windows


def noise_levels(shape, shift: float = SHIFT, device: torch.device | None = None) -> torch.Tensor:
    """Logit-normal noise levels in (0, 1), shifted towards noise."""
    s = torch.sigmoid(torch.randn(shape, device=device) * 1.1)
    return shift * s / (1 + (shift - 1) * s)


def teacher_forced(past: torch.Tensor, block: torch.Tensor):
    """past [B, C, 3 or 6, h, w]: the block before, after the scene's first block where that is another; block [B, C, 3, h, w].

    The sequence is: the past clean, then the block noisy, COPIES times and each with noise of its own. Frames are numbered as
    sampling does when its window is full: the first block, the sink, stands right before the last. How to begin is
    taught by `first_blocks`, at a third of the price.
    -> x [B, C, 12 or 15, h, w], t [B, 12 or 15], frame numbers, attention plan, target flow of the 9 noisy frames, levels [B, 9].
    """
    b, _, f, h, w = past.shape
    share = lambda: torch.rand(b, 1, 1, 1, 1, device=past.device)
    disturbed = 0.15 * share() * (share() < 0.6)
    past = past + disturbed * torch.randn_like(past)
    sigma = noise_levels((b, COPIES), device=past.device).repeat_interleave(BLOCK, 1)
    clean = block.repeat(1, 1, COPIES, 1, 1)
    noise = torch.randn_like(clean)
    level = sigma[:, None, :, None, None]
    x = torch.cat([past, (1 - level) * clean + level * noise], 2)
    t = 1000 * torch.cat([torch.zeros(b, f, device=past.device), sigma], 1)
    frames, plan = _sequence([(i, True) for i in range(f // BLOCK)] + COPIES * [(f // BLOCK, False)], h, w)
    return x, t, frames, plan, noise - clean, sigma


def _sequence(parts: list, h: int, w: int) -> tuple:
    """[(block, clean?)] -> frame numbers, attention plan."""
    frames = torch.cat([torch.arange(BLOCK) + BLOCK * block for block, _ in parts])
    return frames, wan.teacher_forcing(parts, BLOCK * h * w // 4)


@torch.no_grad()
def imagined(dit: wan.WanTransformer, context: torch.Tensor, past: torch.Tensor, generations: int = 1) -> torch.Tensor:
    """What the model makes of a past [B, C, 3 or 6, h, w] that was half noised away: its own mistakes, at the true places.

    Sampling goes on from what the model made, never from the truth; taught only with the truth, it loses a subject that it
    once drew badly. (The idea is that of error recycling, arXiv:2510.09212, and of self-forcing, arXiv:2506.08009.)
    `generations`: how often the block before is made again from itself, beside a sink that is made once, as in a long clip.
    """
    made = _made_again(dit, context, past, 0)
    for _ in range(1, generations if past.shape[2] > BLOCK else 1):
        made = _made_again(dit, context, made, BLOCK)
    return made


def _made_again(dit: wan.WanTransformer, context: torch.Tensor, past: torch.Tensor, kept: int) -> torch.Tensor:
    """`past` with all but its first `kept` frames noised to a random level and denoised in two steps."""
    b, _, f, h, w = past.shape
    clean = f - BLOCK  # frames in front that stay as they are, for the last block to be made from
    parts = [(0, True), (1, False)] if clean else [(0, False)]
    made_of = list(range(clean, f))
    if clean > kept:
        parts, made_of = [*parts, (0, False)], made_of + list(range(clean))
    frames, plan = _sequence(parts, h, w)
    level = (0.4 + 0.45 * torch.rand(b, len(made_of) // BLOCK, 1, 1, 1, device=past.device)).repeat_interleave(BLOCK, 1).transpose(1, 2).reshape(b, 1, -1, 1, 1)
    true = past[:, :, made_of]
    made = (1 - level) * true + level * torch.randn_like(true)
    for share in (0.5, 0.0):  # of the noise that is left after a step
        x = torch.cat([past[:, :, :clean], made], 2)
        t = torch.cat([torch.zeros(b, clean, device=past.device), 1000 * level[:, 0, :, 0, 0]], 1)
        flow = dit(x, t, context, frames, plan)[0][:, :, clean:].float()
        made, level = made - (1 - share) * level * flow, share * level
    out = past.clone()
    out[:, :, made_of] = made
    return out


def first_blocks(x0: torch.Tensor, cells: torch.Tensor):
    """Only the first block of a clip, or its first frame, which decide what everything looks like: many scenes for the price of few.

    x0 [B, C, 3 or 1, h, w], cells [B, 3 or 1, h, w] -> as `teacher_forced`, and the weights of the loss.
    """
    b, _, f, h, w = x0.shape
    sigma = noise_levels((b, 1), device=x0.device).repeat(1, f)
    noise, level = torch.randn_like(x0), sigma[:, None, :, None, None]
    weight = 1 + SUBJECT * cells
    plan = wan.teacher_forcing([(0, False)], f * h * w // 4)
    return (1 - level) * x0 + level * noise, 1000 * sigma, torch.arange(f), plan, noise - x0, sigma, (weight / weight.mean())[:, None]


def pick_windows(data: dict, n: int, first: int):
    """n random windows of one size -> past [n, C, 3 or 6, h, w], the block after it [n, C, 3, h, w], how much subjects cover both [n, 6 or 9, h, w], ids [n, L].

    Most captions that have room for them have the scene's details in front, as tokens from `first` on: in later blocks, too, they help
    to draw again what has left the picture.
    """
    source = _any_set(data) if data["windows"] is None or torch.rand(()) < WHOLE else data["windows"]
    second = torch.rand(()) < SECOND
    if source is data["windows"]:  # [first block, past, block]
        source = source["second" if second else "later"]
        used = slice(BLOCK if second else 0, 3 * BLOCK)
    else:
        used = slice(0, (2 if second else 3) * BLOCK)
    x0, cells, ids = _pick(source, n, used, first, TOLD)
    return x0[:, :, :-BLOCK], x0[:, :, -BLOCK:], cells, ids


def pick_beginnings(data: dict, n: int, frames: int, first: int):
    """n random beginnings of clips of one size -> x0 [n, C, frames, h, w], cover [n, frames, h, w], ids [n, L]."""
    source = _any_set(data) if data["beginnings"] is None or torch.rand(()) < OLD else data["beginnings"]
    return _pick(source, n, slice(0, frames), first, DETAILED * source["fresh"])


def _any_set(data: dict) -> dict:
    """One of the sets of whole clips, mostly that of the native size."""
    sets = data["sets"]
    return sets[0 if len(sets) == 1 or torch.rand(()) < 0.85 else int(torch.randint(1, len(sets), ()))]


def _pick(source: dict, n: int, window: slice, first: int, detailed) -> tuple:
    """`detailed`: how likely a caption has details in front, a number or one for each clip of the source.

    What is picked is decided on the CPU; latents and cover come from where they lie, ids from the CPU."""
    pick = torch.multinomial(source["chances"], n, replacement=True) if "chances" in source else torch.randint(len(source["latents"]), (n,))
    ids = source["ids"][pick, torch.randint(source["ids"].shape[1], (n,))].clone()
    told = torch.rand(n) < torch.as_tensor(detailed).expand(len(source["latents"]))[pick]
    ids = torch.where(told[:, None], with_details(ids, source["details"][pick], first), ids)
    return source["latents"][pick, :, window].float(), source["cells"][pick, window].float() / 255, ids


def cell_weights(cells: torch.Tensor) -> torch.Tensor:
    """The loss of the rows and columns in which subjects were, and of what they cover now, counts up to 1 + BAND times as much:
    [n, 6 or 9, h, w] of the past and the block -> [n, 1, 9, h, w], as `teacher_forced` orders.

    Mostly by the past. What is only covered in some of the possible futures is drawn too often where those count for more: weighted by the block's own
    cover alone, as until edition 8, a subject came in at one side while it was still leaving at the other."""
    seen = cells[:, :-BLOCK].amax(1, keepdim=True)
    band = torch.maximum(seen.amax(2, keepdim=True), seen.amax(3, keepdim=True))
    w = 1 + BAND * (0.75 * band + 0.25 * cells[:, -BLOCK:])
    return (w / w.mean())[:, None].repeat(1, 1, COPIES, 1, 1)
