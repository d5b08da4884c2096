"""Teaches the text encoder to read captions: python -m training.pretrain_text [--preset pocket|gpu|smoke] [--minutes 4].

From its output tokens one learned query per attribute reads the value that a caption gives it, or that it gives none.
Train it before the transformer: its weights are where `train` starts. Resumes runs/NAME/text.pt, which holds
{"model": state dict of UMT5, "text_config", "step", "accuracy": {language: {attribute: share right where named}}};
logs JSON lines to runs/NAME/text.jsonl.
"""
import argparse
import math
from pathlib import Path

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

from . import captions, tokens, umt5, world
from .device import begin, device
from .muon import optimisers
from .precision import mixed
from .progress import Progress

RUNS = Path(__file__).parent / "runs"
PRESETS = {
    "pocket": {"minutes": 4.0, "batch": 256, "pool": 40000, "held": 300, "lr": 6e-3, "adam": 1.0, "warmup": 30, "report": 20},
    "gpu": {"minutes": 2.0, "batch": 512, "pool": 40000, "held": 300, "lr": 6e-3, "adam": 1.0, "warmup": 30, "report": 20,
            "text": {"d_model": 256, "d_ff": 512, "num_layers": 3}, "world": world.WHOLE},  # not run on a GPU yet
    "smoke": {"minutes": 0.1, "batch": 64, "pool": 2000, "held": 40, "lr": 8e-3, "adam": 1.5, "warmup": 6, "report": 60},
}
TOKENS = 48
GROUPS = 4  # batches that are cut out of one draw by length, so that little of a batch is padding
FRESH = 0.5  # new captions per caption seen: the pool is a ring


class Reader(nn.Module):
    """Token outputs [B, L, D] -> {attribute: logits [B, values + 1]}; the last class is "not named"."""

    def __init__(self, width: int):
        super().__init__()
        sizes = {a: len(names) + 1 for a, names in world.ATTRIBUTES.items()}
        self.queries = nn.Parameter(torch.randn(len(sizes), width) * width ** -0.5)
        self.heads = nn.ModuleDict({a: nn.Linear(width, n) for a, n in sizes.items()})

    def forward(self, x, mask):  # mask [B, L], True for real tokens
        scores = (x @ self.queries.T).float().masked_fill(~mask[..., None], -1e9)  # [B, L, A]
        read = scores.softmax(1).mT.to(x.dtype) @ x  # [B, A, D]
        return {a: head(read[:, i]) for i, (a, head) in enumerate(self.heads.items())}


class Model(nn.Module):
    def __init__(self, config: dict):
        super().__init__()
        self.text, self.reader = umt5.UMT5(config), Reader(config["d_model"])

    def forward(self, ids):
        return self.reader(self.text(ids), ids != 0)


def make(n: int, tokenizer, rng, language: str | None = None, things: dict = world.SMALL) -> tuple:
    """n captions of scenes drawn evenly from what this edition teaches, `things` -> ids int64 [n, TOKENS] (0 = pad), labels int64 [n, attributes]."""
    names = world.ATTRIBUTES
    scenes = np.zeros(n, [(a, "<i4") for a in names])
    for a, values in names.items():
        scenes[a] = rng.choice([i for i, v in enumerate(values) if v in things[a]], n)
    told = [captions.said(s, rng, language) for s in scenes]
    ids = torch.zeros(n, TOKENS, dtype=torch.long)
    for row, (text, _), encoded in zip(ids, told, tokenizer.encode_batch([text for text, _ in told])):
        if len(encoded.ids) > TOKENS:
            raise ValueError(f"{len(encoded.ids)} tokens do not fit in {TOKENS}: {text}")
        row[:len(encoded.ids)] = torch.tensor(encoded.ids)
    labels = [[s[a] if a in said else len(values) for a, values in names.items()] for s, (_, said) in zip(scenes, told)]
    return ids, torch.from_numpy(np.array(labels, np.int64).reshape(n, len(names)))


class Pool:
    """A ring of captions of which the oldest are replaced while it is drawn from."""

    def __init__(self, size: int, tokenizer, rng, things: dict = world.SMALL):
        self.tokenizer, self.rng, self.things, self.at = tokenizer, rng, things, 0
        self.ids, self.labels = make(size, tokenizer, rng, things=things)

    def batches(self, batch: int) -> list:
        """GROUPS batches [(ids [batch, L], labels)], each of about one length, in random order."""
        n = min(int(FRESH * batch * GROUPS), len(self.ids) - self.at)
        self.ids[self.at:self.at + n], self.labels[self.at:self.at + n] = make(n, self.tokenizer, self.rng, things=self.things)
        self.at = (self.at + n) % len(self.ids)
        pick = torch.randint(len(self.ids), (batch * GROUPS,))
        lengths = (self.ids[pick] != 0).sum(1)
        order = lengths.argsort().view(GROUPS, batch)[torch.randperm(GROUPS)]
        return [(self.ids[pick[o], :int(lengths[o].max())], self.labels[pick[o]]) for o in order]


@torch.no_grad()
def evaluate(model: Model, held: dict) -> tuple:
    """held {language: (ids, labels)} -> {language: {attribute: share right where named}}, share right where not named."""
    table, unnamed = {}, []
    for language, (ids, labels) in held.items():
        ids, labels = ids.to(device()), labels.to(device())
        with mixed():
            out = model(ids)
        table[language] = {}
        for i, a in enumerate(out):
            right, named = out[a].argmax(1) == labels[:, i], labels[:, i] < len(world.ATTRIBUTES[a])
            table[language][a] = round(right[named].float().mean().item(), 4) if named.any() else None
            unnamed.append(right[~named].float())
    return table, round(torch.cat(unnamed).mean().item(), 4)


def _mean(listed) -> float:
    numbers = [v for v in listed if v is not None]
    return round(sum(numbers) / max(1, len(numbers)), 4)


def is_matrix(name: str, p: torch.Tensor) -> bool:
    return p.ndim == 2 and name.startswith("text.encoder") and "relative" not in name


def train(folder: Path, preset: dict, minutes: float, overrides: dict | None = None) -> dict:
    """Trains until `minutes` are spent in all, earlier runs counted; -> what text.pt holds."""
    torch.manual_seed(0)
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = tokens.load(folder / "tokenizer.json")
    if missing := {piece for piece, _ in tokens.pieces()} - set(tokenizer.get_vocab()):
        raise SystemExit(f"{folder / 'tokenizer.json'} lacks {len(missing)} words of the captions, such as {min(missing)!r}: "
                         "it is of another edition. Delete it, or take another --name.")
    config = {**umt5.CONFIG, **preset.get("text", {}), **(overrides or {}), "vocab_size": tokens.size(tokenizer)}
    model = Model(config).to(device())
    opts = optimisers(model, preset["lr"], is_matrix, preset["adam"])
    rates = [o.param_groups[0]["lr"] for o in opts]
    step, spent, path = 0, 0.0, folder / "text.pt"
    if path.exists():
        saved = torch.load(path, weights_only=False, map_location="cpu")
        if saved["text_config"] != config or saved["attributes"] != world.ATTRIBUTES:
            raise SystemExit(f"{path} was made for other captions or another text encoder: delete it, or take another --name.")
        model.text.load_state_dict(saved["model"])
        model.reader.load_state_dict(saved["reader"])
        for o, state in zip(opts, saved["opts"]):
            o.load_state_dict(state)
        step, spent = saved["step"], saved["spent"]
    things = preset.get("world", world.SMALL)
    held = {language: make(preset["held"], tokenizer, np.random.default_rng(9000 + i), language, things)
            for i, language in enumerate(captions.LANGUAGES)}
    pool = Pool(preset["pool"], tokenizer, np.random.default_rng(step + 1), things)
    progress = Progress(minutes, spent, folder / "text.jsonl", preset["report"])
    losses: list = []

    def report(last: bool) -> dict:
        table, unnamed = evaluate(model, held)
        line = {"step": step, "captions": step * preset["batch"], "loss": _mean(losses) if losses else None, "unnamed": unnamed,
                "languages": {language: _mean(row.values()) for language, row in table.items()},
                "attributes": {a: _mean(row[a] for row in table.values()) for a in world.ATTRIBUTES}}
        if last:
            line["accuracy"] = table
        progress.line(**line)
        state = {"model": model.text.state_dict(), "text_config": config, "step": step, "accuracy": table, "reader": model.reader.state_dict(),
                 "opts": [o.state_dict() for o in opts], "spent": progress.spent, "attributes": world.ATTRIBUTES}
        torch.save(state, path.with_suffix(".tmp"))
        path.with_suffix(".tmp").rename(path)
        return state

    while (done := progress.done) < 1:
        for ids, labels in pool.batches(preset["batch"]):
            scale = min(1, (step + 1) / preset["warmup"]) * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * max(0, min(1, done * 1.25 - 0.25)))))
            for o, rate in zip(opts, rates):
                o.param_groups[0]["lr"] = rate * scale
            ids, labels = ids.to(device()), labels.to(device())
            with mixed():
                out = model(ids)
            loss = sum(F.cross_entropy(logits.float(), labels[:, i]) for i, logits in enumerate(out.values())) / len(out)
            for o in opts:
                o.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            for o in opts:
                o.step()
            step += 1
            losses.append(loss.item())
        if progress.due():
            report(False)
            losses = []
    return report(True)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--preset", default="pocket", choices=PRESETS)
    parser.add_argument("--name", default=None)
    parser.add_argument("--minutes", type=float)
    parser.add_argument("--width", type=int, help="d_model of the text encoder, where it is not that of umt5.CONFIG")
    arguments = parser.parse_args()
    preset = PRESETS[arguments.preset]
    begin()
    train(RUNS / (arguments.name or arguments.preset), preset, arguments.minutes or preset["minutes"],
          {"d_model": arguments.width} if arguments.width else None)


if __name__ == "__main__":
    main()
