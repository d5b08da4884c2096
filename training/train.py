"""Trains the transformer and the text encoder together: python -m training.train [--preset pocket|gpu|smoke].

Rectified flow, teacher-forced: every sequence holds clean blocks and noisy copies of all blocks, and a noisy block
sees the clean blocks before it, as in sampling; some steps show first blocks only. Needs runs/NAME/ae.pt; resumes
runs/NAME/dit.pt. Several processes: torchrun --nproc-per-node N -m training.train, each with its own batch.
"""
import argparse
import copy
import functools
import math
import time
from pathlib import Path

import torch
import torch._inductor.config

from . import checkpoint, tokens, umt5, wan, workers
from .data import load_autoencoder, make, make_beginnings, make_windows
from .device import begin, device
from .muon import optimisers
from .precision import mixed
from .progress import Progress
from .stream import source
from .train_ae import RUNS
from .windows import BLOCK, GENERATIONS, IMAGINED, cell_weights, first_blocks, imagined, pick_beginnings, pick_windows, teacher_forced

# For one GPU of the H200 class and half an hour of it, in pieces of ten minutes. Nobody has run this preset on a GPU: its batches, rates and minutes
# are the CPU's, carried over by what is known of larger batches and wider networks, and `stream` by an estimate of what rendering costs.
# Eager, not compiled: four sizes in six shapes each would take minutes to compile, in every piece again. With the autoencoder
# the model stays within 32 MB as q8_0 (a test counts it); heads are 128 wide, as in the large Wan models.
GPU_DIT = {"num_attention_heads": 3, "attention_head_dim": 128, "ffn_dim": 1536, "num_layers": 6}
GPU_TEXT = {"d_model": 256, "d_ff": 512, "num_layers": 3}  # where pretrain_text has not run; its own preset has the same
GPU_STREAM = {"sizes": [(320, 192, 6), (192, 320, 2), (256, 256, 2), (128, 80, 1)],
              "ring": {"clips": 256, "beginnings": 2048, "windows": 2048}, "fresh": {"clips": 1, "beginnings": 32, "windows": 16}}
PRESETS = {
    "pocket": {"minutes": 360.0, "batch": 12, "sets": [(128, 80, 3600), (96, 64, 720)], "beginnings": 48000, "windows": 12000, "returns": 12000, "lr": 2.2e-3, "dit": {}, "ema": 0.995, "compile": True},
    "gpu": {"minutes": 18.0, "batch": 64, "sets": [], "beginnings": 0, "windows": 0, "returns": 0, "lr": 2.2e-3, "dit": GPU_DIT, "text": GPU_TEXT, "ema": 0.998, "stream": GPU_STREAM},
    "smoke": {"minutes": 0.4, "batch": 4, "sets": [(96, 64, 48)], "beginnings": 0, "windows": 0, "returns": 0, "lr": 2.5e-3, "dit": {"num_layers": 2}, "ema": 0.9},
}
FILES = {"beginnings": (make_beginnings, 6000, 1000), "windows": (make_windows, 4000, 2000),  # kind: (what makes it, how many in a file, a seed)
         "returns": (functools.partial(make_windows, returns=True), 4000, 3000)}
HALF, FALL = 0.4, 0.96  # shares of the time at which the learning rate changes
FIRST = {1: 0.03, BLOCK: 0.2}  # share of the steps that show only so many frames, the first, of more clips


class Model(torch.nn.Module):
    """The text encoder and the transformer, with the statistics of the latents they work on."""

    def __init__(self, text_config: dict, dit_config: dict):
        super().__init__()
        self.text, self.dit = umt5.UMT5(text_config), wan.WanTransformer(dit_config)
        self.dit.initialise()
        self.register_buffer("mean", torch.zeros(dit_config["in_channels"]))
        self.register_buffer("std", torch.ones(dit_config["in_channels"]))


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
    """Mean squared flow error by noise level, of the levels that occur; error and sigma [n]."""
    edges = [0, 0.35, 0.65, 0.9, 1.01]
    inside = {f"<{hi:g}": error[(sigma >= lo) & (sigma < hi)] for lo, hi in zip(edges, edges[1:])}
    return {name: round(e.mean().item(), 3) for name, e in inside.items() if len(e)}


def load(folder: Path, weights: str = "dit.pt") -> Model:
    saved = torch.load(folder / weights, weights_only=False, map_location="cpu")
    model = Model(saved["text_config"], saved["dit_config"])
    model.load_state_dict(saved["ema"])
    return model.eval()


def is_matrix(name: str, p: torch.Tensor) -> bool:
    return p.ndim == 2 and "shared" not in name and "relative" not in name and "proj_out" not in name


def minutes_had(folder: Path, saved: dict | None) -> float:
    """How long a run was trained so far: by its own state, or by what is committed where it has none."""
    if saved:
        return saved["spent"] / 60
    return checkpoint.read(folder.name, "dit")[1].get("spent", 0.0) / 60 if checkpoint.restore(folder.name, folder) else 0.0


def set_up(preset: dict, folder: Path, begun: int = 0) -> tuple:
    """(model, source of clips, steps and seconds of earlier machines) as a training of `begun` steps finds them.

    The latents; and the text encoder, or the whole model where one is committed. Clips made anew are other ones than those
    that the committed weights have seen."""
    committed = checkpoint.read(folder.name, "dit") if checkpoint.restore(folder.name, folder) else None
    taught_before = committed[1]["step"] if committed else 0
    tokenizer = tokens.load(folder / "tokenizer.json")
    if workers.RANK == 0 and preset["sets"] and not (folder / "data.pt").exists():
        began = time.time()
        torch.save(make(load_autoencoder(folder).to(device()), tokenizer, preset["sets"], 7 + taught_before), folder / "data.tmp")
        (folder / "data.tmp").rename(folder / "data.pt")
        print(f"{preset['sets']} clips encoded in {time.time() - began:.0f} s", flush=True)
    for kind, (maker, number, seed) in FILES.items():
        for part in range(preset[kind] // number):
            path = folder / f"{kind}-{part:02d}.pt"
            if workers.RANK == 0 and not path.exists():
                torch.save(maker(load_autoencoder(folder).to(device()), tokenizer, number, seed + taught_before + part), path.with_suffix(".tmp"))
                path.with_suffix(".tmp").rename(path)
    workers.wait()
    data = source(preset, folder, tokenizer, [taught_before + begun, workers.RANK])
    taught = torch.load(folder / "text.pt", weights_only=False, map_location="cpu") if (folder / "text.pt").exists() else None
    text_config = taught["text_config"] if taught else {**umt5.CONFIG, **preset.get("text", {}), "vocab_size": tokens.size(tokenizer)}
    model = Model(text_config, {**wan.CONFIG, **preset["dit"], "text_dim": text_config["d_model"]})
    mean, std = data.statistics()
    model.mean.copy_(mean)
    model.std.copy_(std)
    if taught:
        model.text.load_state_dict(taught["model"])
    if not committed:
        return model.to(device()), data, 0, 0.0
    model.load_state_dict(committed[0])  # fresh optimisers
    return model.to(device()), data, taught_before, committed[1].get("spent", 0.0)


def draw(data: dict, batch: int, first: int, model: Model) -> tuple:
    """What one step shows: (x, t, ids, frame numbers, attention plan, target flow, levels, weights of the loss, a beginning only?).

    `model` makes some of the pasts."""
    lot = torch.rand(())
    shown = 1 if lot < FIRST[1] else BLOCK if lot < sum(FIRST.values()) else 0
    if shown:
        x0, cells, ids = pick_beginnings(data, batch * {BLOCK: 4, 1: 12}[shown], shown, first)
    else:
        past, block, cells, ids = pick_windows(data, batch, first)
    dropped = torch.rand(len(ids)) < 0.1
    ids[dropped] = 0
    ids[dropped, 0] = 1
    ids = ids[:, :int((ids != 0).sum(1).max())]  # the transformer pads what the text encoder gives
    ids = ids.to(device())
    if shown:
        x, t, frames, plan, target, sigma, cover = first_blocks(x0, cells)
    else:
        if torch.rand(()) < IMAGINED:
            with torch.no_grad(), mixed():
                past = imagined(model.dit, model.dit.text(model.text(ids)), past, int(torch.randint(1, GENERATIONS + 1, ())))
        x, t, frames, plan, target, sigma = teacher_forced(past, block)
        cover = cell_weights(cells)
    return x, t, ids, frames, plan, target, sigma, cover, shown > 0


def compile_blocks(*models: Model) -> None:
    torch._dynamo.config.cache_size_limit = 64  # windows and pasts of two sizes and first blocks, each a program of its own
    torch._inductor.config.cpp.simdlen = 256  # PyTorch 2.15.0's code for 512 bits gives NaN for a past of one block
    for model in models:
        for block in model.dit.blocks:
            block.forward = torch.compile(block.forward, dynamic=False)


def learning_rate(step: int, done: float) -> float:
    """A short warm-up; the full rate; from HALF of the time on a third of it; and down as one minus a root at the end. A share of the preset's rate.

    Muon's steps are as long in a direction that is all noise as in one that is learnt, so what small batches can learn at
    the full rate is soon learnt, and finer things only come at a lower one.
    """
    falling = min(1.0, max(0.0, (done - FALL) / (1 - FALL)))
    return min(1, (step + 1) / 100) * (1 if done < HALF else 0.36) * max(0.01, 1 - math.sqrt(falling))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--preset", default="pocket", choices=PRESETS)
    parser.add_argument("--name", default=None)
    parser.add_argument("--minutes", type=float, help="in all, over all sessions")
    parser.add_argument("--spent", type=float, help="minutes that the committed weights have had, where their file does not say it")
    arguments = parser.parse_args()
    preset = PRESETS[arguments.preset]
    folder = RUNS / (arguments.name or arguments.preset)
    begin()
    torch.manual_seed(0)
    workers.join()
    path = folder / "dit.pt"
    saved = torch.load(path, weights_only=False, map_location="cpu") if path.exists() else None
    minutes = arguments.minutes or preset["minutes"]
    if (had := minutes_had(folder, saved)) >= minutes:
        raise SystemExit(f"{folder.name} has had {had:.0f} minutes of training, and {minutes:g} in all are asked for: "
                         f"--minutes {math.ceil(had) + 60} would go on for an hour, and --name NEW begins from nothing")
    model, data, step, spent = set_up(preset, folder, saved["step"] if saved else 0)
    workers.first_fills([*model.parameters(), *model.buffers()])
    first = tokens.load(folder / "tokenizer.json").get_vocab_size()
    model.dit.condition_embedder.time_proj.weight.blocks = 6
    ema = copy.deepcopy(model)
    opts = optimisers(model, preset["lr"], is_matrix)
    spent = 60 * arguments.spent if arguments.spent else spent
    warmed = step  # where the optimisers knew nothing
    if saved:
        model.load_state_dict(saved["model"])
        ema.load_state_dict(saved["ema"])
        for o, s in zip(opts, saved["opts"]):
            o.load_state_dict(s)
        step, spent, warmed = saved["step"], saved["spent"], saved.get("warmed", 0)
    torch.manual_seed(1000 * step + workers.RANK)  # or every session would begin with the same clips and the same noise
    weight = channel_weights(load_autoencoder(folder).to(device()), data.data[0]["sets"][0]["latents"], model.std)
    data.normalise(model.mean, model.std)
    if preset.get("compile"):
        compile_blocks(model, ema)
    progress = Progress(minutes, spent, folder / "dit.jsonl", quiet=workers.RANK > 0)
    errors: dict = {True: [], False: []}

    def save() -> None:
        if workers.RANK > 0:
            return
        state = {"model": model.state_dict(), "ema": ema.state_dict(), "opts": [o.state_dict() for o in opts], "step": step,
                 "spent": progress.spent, "warmed": warmed, "text_config": model.text.config, "dit_config": model.dit.config}
        torch.save(state, path.with_suffix(".tmp"))
        path.with_suffix(".tmp").rename(path)

    while (done := workers.first_says(progress.done)) < 1:
        rate = learning_rate(step - warmed, done)
        for o, scale in zip(opts, (1.0, 0.5)):
            o.param_groups[0]["lr"] = preset["lr"] * scale * rate
        x, t, ids, frames, plan, target, sigma, cover, starts = draw(data.next(), preset["batch"], first, ema)
        with mixed():
            flow = model.dit(x, t, model.dit.text(model.text(ids)), frames, plan)[0]
        error = ((flow[:, :, -target.shape[2]:].float() - target).square() * cover).mean((3, 4))  # [B, C, Fn]
        error = (error * weight[:, None]).mean(1)  # [B, Fn]
        if not error.isfinite().all():
            raise ArithmeticError(f"step {step}: the loss is not finite; {path.name} keeps what was before it")
        for o in opts:
            o.zero_grad(set_to_none=True)
        error.mean().backward()
        workers.average_gradients(model)
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for o in opts:
            o.step()
        step += 1
        decay = min(preset["ema"], 1 - 1 / (step / 5 + 1))
        with torch.no_grad():
            torch._foreach_lerp_(list(ema.parameters()), list(model.parameters()), 1 - decay)
        errors[starts].append((error.detach().flatten(), sigma.flatten()))
        if progress.due() and errors[False]:
            e, s = (torch.cat(v) for v in zip(*errors[False]))
            of_starts = {"starts": round(torch.cat([v for v, _ in errors[True]]).mean().item(), 4)} if errors[True] else {}
            progress.line(step=step, rate=round(rate, 3), mean=round(e.mean().item(), 4), **report_line(e, s), **of_starts)
            save()
            errors = {True: [], False: []}
    save()
    workers.leave()


if __name__ == "__main__":
    main()
