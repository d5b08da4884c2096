"""Draws what the logs of a run say: python -m training.plot [--name pocket] [--out curves.png]."""
import argparse
import json
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

from .train_ae import RUNS

SHOWN = {"ae.jsonl": ["psnr"], "text.jsonl": ["loss", "unnamed"], "dit.jsonl": ["mean", "<0.35", "<0.65", "<0.9", "<1.01"], "distill.jsonl": ["mean"]}


def curves(log: Path, names: list) -> dict:
    """{name: (minutes, values)} of those that the log has."""
    lines = [json.loads(line) for line in log.read_text().splitlines() if line.strip()]
    have = {name: [(line["minutes"], line[name]) for line in lines if line.get(name) is not None] for name in names}
    return {name: tuple(zip(*points)) for name, points in have.items() if points}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--name", default="pocket")
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    folder = RUNS / arguments.name
    logs = [name for name in SHOWN if (folder / name).exists()]
    if not logs:
        raise SystemExit(f"{folder} has no logs yet: run python -m training.train_ae first.")
    figure, axes = plt.subplots(1, len(logs), figsize=(5 * len(logs), 4), squeeze=False)
    for axis, name in zip(axes[0], logs):
        for label, (minutes, values) in curves(folder / name, SHOWN[name]).items():
            axis.plot(minutes, values, label=label, linewidth=1)
        axis.set(title=name.removesuffix(".jsonl"), xlabel="minutes")
        axis.legend()
    out = arguments.out or folder / "curves.png"
    figure.savefig(out, dpi=100, bbox_inches="tight")
    print(out)


if __name__ == "__main__":
    main()
