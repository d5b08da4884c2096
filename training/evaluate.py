"""Scores the exported model with the kept judge: python -m training.evaluate [--prompts 240] [--steps 8] [--report].

Random prompts of Pocket's edition in all languages; the judge names what the generated clips show, and what true renders
of the same scenes show (its ceiling). Writes runs/evaluation.json, and with --report a contact sheet and a Markdown table.
"""
import argparse
import json
from pathlib import Path

import numpy as np
import torch

from .captions import LANGUAGES, caption
from .contact import sheet
from .judge import load, right, table
from .pocket import Pocket
from .train_ae import RUNS
from .world import SMALL, render, sample_scenes


def flicker(clips: np.ndarray) -> float:
    """Mean absolute second difference in time, 0..255: trembling that even motion does not have."""
    return float(np.abs(np.diff(clips.astype(np.int16), n=2, axis=1)).mean())


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--prompts", type=int, default=240)
    parser.add_argument("--steps", type=int)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--report", action="store_true")
    parser.add_argument("--out", type=Path, default=RUNS / "evaluation")
    arguments = parser.parse_args()
    rng, judge = np.random.default_rng(2026), load()
    scenes = sample_scenes(arguments.prompts, rng, SMALL)
    spoken = np.array(list(LANGUAGES))[np.arange(len(scenes)) % len(LANGUAGES)]
    prompts = [caption(s, rng, language=language, plain=True) for s, language in zip(scenes, spoken)]
    pocket = Pocket(arguments.model) if arguments.model else Pocket()
    torch.manual_seed(0)
    clips = np.concatenate([pocket.generate(prompts[i:i + 16], steps=arguments.steps, seed=i) for i in range(0, len(prompts), 16)])
    named = right(judge, clips, scenes)
    true = np.concatenate([render(scenes[i:i + 40]) for i in range(0, len(scenes), 40)])
    result = {"ceiling": table(right(judge, true, scenes), scenes), "generated": table(named, scenes)}
    for language in LANGUAGES:
        own = spoken == language
        result[language] = table({a: v[own] for a, v in named.items()}, scenes[own])
    result["flicker"] = {"generated": round(flicker(clips), 3), "true": round(flicker(true), 3)}
    result |= {"prompts": len(prompts), "steps": arguments.steps or len(pocket.model["sampler"]["timesteps"])}
    arguments.out.with_suffix(".json").write_text(json.dumps(result, indent=1))
    print(json.dumps(result, indent=1))
    if arguments.report:
        english = np.flatnonzero(spoken == "en")[:20]
        sheet([clips[i] for i in english], [prompts[i] for i in english], arguments.out.with_suffix(".png"))
        rows = [f"| {a} | {result['ceiling'].get(a, 0):.2f} | {v:.2f} |" for a, v in result["generated"].items()]
        arguments.out.with_suffix(".md").write_text("\n".join(["| attribute | judge on true renders | judge on generated clips |", "|---|---|---|", *rows]) + "\n")


if __name__ == "__main__":
    main()
