"""Trains the transformer and the text encoder together: python -m training.train [--preset pocket|smoke].

Rectified flow, teacher-forced: every sequence holds clean blocks and noisy copies of all blocks, and a noisy block
sees the clean blocks before it, as in sampling. Needs runs/NAME/ae.pt; resumes runs/NAME/dit.pt.
"""
import argparse
import copy
import json
import math
import os
import time
from pathlib import Path

import torch

from . import checkpoint, tokens, umt5, wan
from .data import load_autoencoder, make, normalised
from .muon import optimisers
from .train_ae import RUNS

PRESETS = {
    "pocket": {"minutes": 260.0, "batch": 12, "sets": [(128, 80, 7500), (96, 64, 1500)], "lr": 2.2e-3, "dit": {}, "ema": 0.995, "compile": True},
    "smoke": {"minutes": 0.4, "batch": 4, "sets": [(96, 64, 48)], "lr": 2.5e-3, "dit": {"num_layers": 2}, "ema": 0.9},
}
BLOCK = 3


class Model(torch.nn.Module):
    """The text encoder and the transformer, with the statistics of the latents they work on."""

    def __init__(self, text_config: dict, dit_config: dict):
        super().__init__()
        self.text, self.dit = umt5.UMT5(text_config), wan.WanTransformer(dit_config)
        self.dit.initialise()
        self.register_buffer("mean", torch.zeros(dit_config["in_channels"]))
        self.register_buffer("std", torch.ones(dit_config["in_channels"]))


def noise_levels(shape, shift: float = 3.0) -> torch.Tensor:
    """Logit-normal noise levels in (0, 1), shifted towards noise."""
    s = torch.sigmoid(torch.randn(shape) * 1.1)
    return shift * s / (1 + (shift - 1) * s)


def teacher_forced(x0: torch.Tensor, offset: int):
    """x0 [B, C, 6, h, w]: two blocks, the first of which starts at frame `offset`.

    The sequence is: block 0 clean, block 0 noisy twice (it decides what everything looks like), block 1 noisy.
    -> x [B, C, 12, h, w], t [B, 12], frame numbers, attention plan, target flow of the 9 noisy frames, levels [B, 9].
    """
    b, _, _, h, w = x0.shape
    first, second = x0[:, :, :BLOCK], x0[:, :, BLOCK:]
    disturbed = 0.15 * torch.rand(b, 1, 1, 1, 1) * (torch.rand(b, 1, 1, 1, 1) < 0.6)
    past = first + disturbed * torch.randn_like(first)
    sigma = noise_levels((b, 3)).repeat_interleave(BLOCK, 1)
    clean = torch.cat([first, first, second], 2)
    noise = torch.randn_like(clean)
    level = sigma[:, None, :, None, None]
    x = torch.cat([past, (1 - level) * clean + level * noise], 2)
    t = 1000 * torch.cat([torch.zeros(b, BLOCK), sigma], 1)
    here = torch.arange(BLOCK)
    frames = torch.cat([here, here, here, here + BLOCK]) + offset
    plan = wan.teacher_forcing([(0, True), (0, False), (0, False), (1, False)], BLOCK * h * w // 4)
    return x, t, frames, plan, noise - clean, sigma


def pick_clips(data: dict, latents: list, n: int):
    """n random two-block windows of one size -> x0 [n, C, 6, h, w], how much subjects cover its cells [n, 6, h, w], ids [n, L], first frame number."""
    which = 0 if len(latents) == 1 or torch.rand(()) < 0.88 else int(torch.randint(1, len(latents), ()))  # mostly the native size
    data, latents = data["sets"][which], latents[which]
    pick = torch.randint(len(latents), (n,))
    ids = data["ids"][pick, torch.randint(data["ids"].shape[1], (n,))].clone()
    start = 0 if torch.rand(()) < 0.7 else BLOCK
    offset = start if torch.rand(()) < 0.7 else start + BLOCK * int(torch.randint(1, 10, ()))
    window = slice(start, start + 2 * BLOCK)
    return latents[pick, :, window].float(), data["cells"][pick, window].float() / 255, ids, offset


def cell_weights(cells: torch.Tensor, subject: float = 4.0) -> torch.Tensor:
    """The loss of what subjects cover counts 1 + `subject` times as much: [n, 6, h, w] -> [n, 1, 9, h, w], as `teacher_forced` orders."""
    w = 1 + subject * cells
    w = torch.cat([w[:, :BLOCK], w], 1)
    return (w / w.mean())[:, None]


@torch.no_grad()
def channel_weights(autoencoder, latents: torch.Tensor, std: torch.Tensor) -> torch.Tensor:
    """How much of the loss each latent channel deserves: the root of what a wrong value does to the picture. [C]."""
    z = latents[:4].float().transpose(1, 2)
    clean, energy = autoencoder.decode(z), []
    for channel in range(len(std)):
        wrong = z.clone()
        wrong[:, :, channel] += std[channel] * torch.randn_like(wrong[:, :, channel])
        energy.append((autoencoder.decode(wrong) - clean).square().mean())
    weight = torch.stack(energy).sqrt()
    return weight / weight.mean()


def report_line(error: torch.Tensor, sigma: torch.Tensor) -> dict:
    """Mean squared flow error by noise level; error and sigma [n]."""
    edges = [0, 0.35, 0.65, 0.9, 1.01]
    return {f"<{hi:g}": round(error[(sigma >= lo) & (sigma < hi)].mean().item(), 3) for lo, hi in zip(edges, edges[1:])}


def load(folder: Path, weights: str = "dit.pt") -> Model:
    saved = torch.load(folder / weights, weights_only=False)
    model = Model(saved["text_config"], saved["dit_config"])
    model.load_state_dict(saved["ema"])
    return model.eval()


def is_matrix(name: str, p: torch.Tensor) -> bool:
    return p.ndim == 2 and "shared" not in name and "relative" not in name and "proj_out" not in name


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--preset", default="pocket", choices=PRESETS)
    parser.add_argument("--name", default=None)
    parser.add_argument("--minutes", type=float)
    arguments = parser.parse_args()
    preset = PRESETS[arguments.preset]
    minutes = arguments.minutes or preset["minutes"]
    folder = RUNS / (arguments.name or arguments.preset)
    torch.manual_seed(0)
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", 2)))
    committed = checkpoint.restore(arguments.name or arguments.preset, folder)
    tokenizer = tokens.load(folder / "tokenizer.json")
    if not (folder / "data.pt").exists():
        began = time.time()
        torch.save(make(load_autoencoder(folder), tokenizer, preset["sets"], 7), folder / "data.pt")
        print(f"{preset['sets']} clips encoded in {time.time() - began:.0f} s", flush=True)
    data = torch.load(folder / "data.pt", weights_only=False)
    taught = torch.load(folder / "text.pt", weights_only=False) if (folder / "text.pt").exists() else None
    text_config = taught["text_config"] if taught else {**umt5.CONFIG, "vocab_size": tokens.size(tokenizer)}
    dit_config = {**wan.CONFIG, **preset["dit"], "text_dim": text_config["d_model"]}
    model = Model(text_config, dit_config)
    model.mean.copy_(data["mean"])
    model.std.copy_(data["std"])
    if taught:
        model.text.load_state_dict(taught["model"])
    if committed and not (folder / "dit.pt").exists():  # an earlier session's weights, fresh optimisers
        model.load_state_dict(checkpoint.read(folder.name, "dit")[0])
    model.dit.condition_embedder.time_proj.weight.blocks = 6
    ema = copy.deepcopy(model)
    opts = optimisers(model, preset["lr"], is_matrix)
    step, spent = 0, 0.0
    if (folder / "dit.pt").exists():
        saved = torch.load(folder / "dit.pt", weights_only=False)
        model.load_state_dict(saved["model"])
        ema.load_state_dict(saved["ema"])
        for o, s in zip(opts, saved["opts"]):
            o.load_state_dict(s)
        step, spent = saved["step"], saved["spent"]
    weight = channel_weights(load_autoencoder(folder), data["sets"][0]["latents"], data["std"])
    print("channel weights", [round(w, 2) for w in weight.tolist()], flush=True)
    latents = normalised(data)
    if preset.get("compile"):
        for block in model.dit.blocks:
            block.forward = torch.compile(block.forward)
    began, reported, errors = time.time(), time.time(), []

    def save() -> None:
        state = {"model": model.state_dict(), "ema": ema.state_dict(), "opts": [o.state_dict() for o in opts], "step": step,
                 "spent": spent + time.time() - began, "text_config": text_config, "dit_config": dit_config}
        torch.save(state, folder / "dit.tmp")
        (folder / "dit.tmp").rename(folder / "dit.pt")

    while (done := (spent + time.time() - began) / (60 * minutes)) < 1:
        rate = min(1, (step + 1) / 100) * min(1, 0.03 + 0.97 * 0.5 * (1 + math.cos(math.pi * max(0, 2 * done - 1))))
        for o, scale in zip(opts, (1.0, 0.5)):
            o.param_groups[0]["lr"] = preset["lr"] * scale * rate
        x0, cells, ids, offset = pick_clips(data, latents, preset["batch"])
        dropped = torch.rand(len(ids)) < 0.1
        ids[dropped] = 0
        ids[dropped, 0] = 1
        x, t, frames, plan, target, sigma = teacher_forced(x0, offset)
        with torch.autocast("cpu", torch.bfloat16):
            flow = model.dit(x, t, model.dit.text(model.text(ids)), frames, plan)[0]
        error = ((flow[:, :, -target.shape[2]:].float() - target).square() * cell_weights(cells)).mean((3, 4))  # [B, C, Fn]
        error = (error * weight[:, None]).mean(1)  # [B, Fn]
        for o in opts:
            o.zero_grad(set_to_none=True)
        error.mean().backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for o in opts:
            o.step()
        step += 1
        decay = min(preset["ema"], 1 - 1 / (step / 5 + 1))
        with torch.no_grad():
            torch._foreach_lerp_(list(ema.parameters()), list(model.parameters()), 1 - decay)
        errors.append((error.detach().flatten(), sigma.flatten()))
        if time.time() - reported > 30:
            e, s = (torch.cat(v) for v in zip(*errors))
            line = {"step": step, "minutes": round(done * minutes, 2), "clips": step * preset["batch"], "mean": round(e.mean().item(), 4), **report_line(e, s)}
            print(json.dumps(line), flush=True)
            with open(folder / "dit.jsonl", "a") as log:
                log.write(json.dumps(line) + "\n")
            save()
            reported, errors = time.time(), []
    save()


if __name__ == "__main__":
    main()
