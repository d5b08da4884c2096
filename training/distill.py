"""Guidance distillation: python -m training.distill [--preset pocket|gpu] [--name pocket] [--minutes 5] [--guidance 2].

Fine-tunes the student so that one pass predicts the guided flow of the frozen EMA teacher, v_u + w (v_c - v_u).
Starts from the EMA weights of runs/NAME/dit.pt and writes runs/NAME/guided.pt in the same form. Resumes runs/NAME/distill.pt, where that
was begun from the same weights and with the same guidance.
"""
import argparse
import copy
import math
from pathlib import Path

import torch

from . import tokens
from .device import begin, device
from .muon import optimisers
from .precision import mixed
from .progress import Progress
from .stream import source
from .train import PRESETS, compile_blocks, draw, is_matrix, load, report_line
from .train_ae import RUNS


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--preset", default="pocket", choices=PRESETS)
    parser.add_argument("--name", default=None)
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--guidance", type=float, default=2.0)
    parser.add_argument("--batch", type=int)
    arguments = parser.parse_args()
    preset = PRESETS[arguments.preset]
    folder, batch = RUNS / (arguments.name or arguments.preset), arguments.batch or preset["batch"]
    begin()
    teacher = load(folder).to(device())
    saved = torch.load(folder / "dit.pt", weights_only=False, map_location="cpu")
    tokenizer = tokens.load(folder / "tokenizer.json")
    data = source(preset, folder, tokenizer, [saved["step"], 1, 0])
    student = copy.deepcopy(teacher).train()
    ema = copy.deepcopy(teacher)
    teacher.requires_grad_(False)
    student.dit.condition_embedder.time_proj.weight.blocks = 6
    opts = optimisers(student, 6e-4, is_matrix)
    data.normalise(teacher.mean, teacher.std)
    if preset.get("compile") and arguments.minutes > 1:
        compile_blocks(student, teacher, ema)
    first, path, step, spent = tokenizer.get_vocab_size(), folder / "distill.pt", 0, 0.0
    begun = {"from": saved["step"], "guidance": arguments.guidance}
    if path.exists() and (kept := torch.load(path, weights_only=False, map_location="cpu"))["begun"] == begun:
        student.load_state_dict(kept["student"])
        ema.load_state_dict(kept["ema"])
        for o, s in zip(opts, kept["opts"]):
            o.load_state_dict(s)
        step, spent = kept["step"], kept["spent"]
        torch.manual_seed(1000 * step)  # or it would begin with the same clips and the same noise
    progress, errors = Progress(arguments.minutes, spent, folder / "distill.jsonl", every=20), []

    def save() -> None:
        write({"begun": begun, "student": student.state_dict(), "ema": ema.state_dict(), "opts": [o.state_dict() for o in opts],
               "step": step, "spent": progress.spent}, path)

    while (done := progress.done) < 1:
        rate = min(1, (step + 1) / 20) * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * done)))
        for o, scale in zip(opts, (1.0, 0.5)):
            o.param_groups[0]["lr"] = 6e-4 * scale * rate
        x, t, ids, frames, plan, target, sigma, cover, _ = draw(data.next(), batch, first, ema)
        empty = torch.zeros_like(ids)
        empty[:, 0] = 1
        n = target.shape[2]
        with mixed():
            with torch.no_grad():
                context = teacher.dit.text(teacher.text(torch.cat([ids, empty])))
                both = teacher.dit(torch.cat([x, x]), torch.cat([t, t]), context, frames, plan)[0][:, :, -n:].float()
            told, free = both.chunk(2)
            flow = student.dit(x, t, student.dit.text(student.text(ids)), frames, plan)[0][:, :, -n:].float()
        error = ((flow - (free + arguments.guidance * (told - free))).square() * cover).mean((1, 3, 4))
        for o in opts:
            o.zero_grad(set_to_none=True)
        error.mean().backward()
        torch.nn.utils.clip_grad_norm_(student.parameters(), 1.0)
        for o in opts:
            o.step()
        step += 1
        with torch.no_grad():
            torch._foreach_lerp_(list(ema.parameters()), list(student.parameters()), max(0.02, 1 / (step / 5 + 1)))
        errors.append((error.detach().flatten(), sigma.flatten()))
        if progress.due():
            e, v = (torch.cat(x) for x in zip(*errors))
            progress.line(step=step, guidance=arguments.guidance, mean=round(e.mean().item(), 4), **report_line(e, v))
            save()
            errors = []
    write({"ema": ema.state_dict(), "step": step, **{k: saved[k] for k in ("text_config", "dit_config")}}, folder / "guided.pt")
    path.unlink(missing_ok=True)


def write(state: dict, path: Path) -> None:
    """As a whole or not at all."""
    torch.save(state, path.with_suffix(".tmp"))
    path.with_suffix(".tmp").rename(path)


if __name__ == "__main__":
    main()
