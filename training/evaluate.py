"""Scores the exported model with the kept judge: python -m training.evaluate [--prompts 512] [--full] [--report].

Prompts of combinations that were not taught, in all languages; the judge names what the generated clips show, and what
true renders of the same scenes show (its ceiling). Writes runs/evaluation.json. `--full` adds the same scenes in each language,
4, 8 and 16 steps, the weights before 8-bit rounding, sixty seconds, and second 4 over true pasts;
`--clips FOLDER` scores clips that the page's engine made (`--ask FOLDER` writes what to make for it); `--report` writes a table
and a contact sheet.
"""
import argparse
import json
import subprocess
from pathlib import Path

import numpy as np
import torch

from . import train
from .captions import LANGUAGES, caption
from .contact import sheet
from .data import HELD_OUT, LEAVING, combination, encode, load_autoencoder
from .judge import Judge, load, right, table
from .pocket import Pocket
from .train_ae import RUNS, psnr
from .world import ATTRIBUTES, FPS, FRAMES, HEIGHT, SMALL, WIDTH, details, render, sample_scenes

ROLLED = 96  # scenes that are made for a minute
# What is told of that minute. A subject that leaves the picture does so about once in eight seconds, most of them at the same time,
# so that one second says as much of where they are as of what has become of them.
ENDS = {**{f"second {s}": (s,) for s in (2, 4, 10, 20, 40, 60)}, "seconds 3 to 10": range(3, 11), "seconds 53 to 60": range(53, 61)}


def held_out(n: int, rng) -> np.ndarray:
    """n random scenes of combinations that no training clip showed."""
    scenes = sample_scenes(40 * n, rng, SMALL)
    scenes = scenes[np.isin(combination(scenes), np.load(HELD_OUT))][:n]
    assert len(scenes) == n, "too few combinations are held out"
    return scenes


def flicker(clips: np.ndarray) -> float:
    """Mean absolute second difference in time, 0..255: trembling that even motion does not have."""
    return float(np.abs(np.diff(clips.astype(np.int16), n=2, axis=1)).mean())


def read_clip(path: Path) -> np.ndarray:
    """The first FRAMES frames of an MP4 -> uint8 [FRAMES, HEIGHT, WIDTH, 3]; needs ffmpeg."""
    command = ["ffmpeg", "-v", "error", "-i", str(path), "-frames:v", str(FRAMES), "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    return np.frombuffer(subprocess.run(command, check=True, capture_output=True).stdout, np.uint8).reshape(FRAMES, HEIGHT, WIDTH, 3)


def generate(pocket: Pocket, prompts: list, **options) -> np.ndarray:
    return np.concatenate([pocket.generate(prompts[i:i + 16], seed=i, **options) for i in range(0, len(prompts), 16)])


def before_rounding(pocket: Pocket, folder: Path) -> Pocket:
    """The same model with the weights of the run that it was exported from."""
    model = train.load(folder, "guided.pt")
    pocket.text, pocket.dit = model.text, model.dit
    pocket.autoencoder = load_autoencoder(folder).float()
    return pocket


def shown(pocket: Pocket, z: torch.Tensor, second: int) -> np.ndarray:
    """The clips that end at that second of latents: [n, FRAMES, H, W, 3]."""
    end, warm_up = round(second * FPS / 4) + 1, 6
    return pocket.decode(z[:, :, max(0, end - 9 - warm_up):end])[:, -FRAMES:]


def in_parts(pocket: Pocket, prompts: list, scenes: np.ndarray, seconds: int, true_past: bool = False) -> torch.Tensor:
    """Latents of these scenes, that long; over their true renders' where `true_past`, else over what the model made itself."""
    blocks, parts = -(-(FPS * seconds + 3) // 12), []
    for i in range(0, len(prompts), 16):
        now = slice(i, i + 16)
        past = encode(pocket.autoencoder, render(scenes[now], frames=12 * blocks - 3)).float() if true_past else None
        parts.append(pocket.latents(prompts[now], blocks, seed=i, chosen=torch.from_numpy(details(scenes[now])), past=past))
    return torch.cat(parts)


def long_clips(pocket: Pocket, judge: Judge, prompts: list, scenes: np.ndarray) -> dict:
    """Tables of one roll-out of these scenes for each of `ENDS`, of clips that end there; also of what stays in view and of what
    leaves it; each beside its ceiling, for in true renders, too, a subject is out of the picture now and then, and dollies have ended."""
    z = in_parts(pocket, prompts, scenes, 60)
    leaves, named = np.isin(scenes["motion"], LEAVING), {}
    for second in sorted(set().union(*ENDS.values())):
        named["", second] = right(judge, shown(pocket, z, second), scenes)
        named["ceiling, ", second] = right(judge, render(scenes, start=second - (FRAMES - 1) / FPS), scenes)
    out = {}
    for name, seconds in ENDS.items():
        for which, them in (("", leaves | True), (", what stays in view", ~leaves), (", what leaves it", leaves)):
            for whose in ("", "ceiling, "):
                read = {a: np.concatenate([v[them] for v in (named[whose, s][a] for s in seconds)]) for a in named[whose, seconds[0]]}
                out[f"{whose}{name}{which}"] = table(read, np.concatenate([scenes[them] for _ in seconds]))
    return out


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--prompts", type=int, default=512)
    parser.add_argument("--first", type=int, help="only so many of the prompts")
    parser.add_argument("--steps", type=int)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--run", type=Path, default=RUNS / "pocket", help="the run that the model was exported from, for --full")
    parser.add_argument("--ask", type=Path, help="write prompts.json there and stop")
    parser.add_argument("--clips", type=Path, help="score 000.mp4, 001.mp4 ... of that folder, made from its prompts.json")
    parser.add_argument("--report", action="store_true")
    parser.add_argument("--out", type=Path, default=RUNS / "evaluation")
    arguments = parser.parse_args()
    rng = np.random.default_rng(2026)
    scenes = held_out(arguments.prompts, rng)
    spoken = np.array(list(LANGUAGES))[np.arange(len(scenes)) % len(LANGUAGES)]
    prompts = [caption(s, rng, language=language, plain=True) for s, language in zip(scenes, spoken)]
    scenes, spoken, prompts = scenes[:arguments.first], spoken[:arguments.first], prompts[:arguments.first]
    if arguments.ask:
        arguments.ask.mkdir(parents=True, exist_ok=True)
        (arguments.ask / "prompts.json").write_text(json.dumps(prompts, ensure_ascii=False, indent=0))
        return
    judge, pocket = load(), Pocket(arguments.model) if arguments.model else Pocket()
    score = lambda clips, chosen=slice(None): table(right(judge, clips, scenes[chosen]), scenes[chosen])
    if arguments.clips:
        clips = np.stack([read_clip(arguments.clips / f"{i:03d}.mp4") for i in range(len(prompts))])
    else:
        clips = generate(pocket, prompts, steps=arguments.steps)
    true = np.concatenate([render(scenes[i:i + 40]) for i in range(0, len(scenes), 40)])
    result = {"prompts": len(prompts), "steps": arguments.steps or len(pocket.model["sampler"]["timesteps"]), "ceiling": score(true), "generated": score(clips)}
    named = right(judge, clips, scenes)["motion"]
    result["motion, by motion"] = {ATTRIBUTES["motion"][m]: round(float(named[scenes["motion"] == m].mean()), 3) for m in np.unique(scenes["motion"])}
    for language in LANGUAGES:
        result[language] = score(clips[spoken == language], spoken == language)
    if pocket.encodes:
        result["autoencoder"] = {"psnr": round(psnr(pocket.autoencoder, true[:64]), 2)}
    result["flicker"] = {"generated": round(flicker(clips), 3), "true": round(flicker(true), 3)}
    if arguments.full:
        same, some = slice(0, 64), slice(0, 256)
        for language in LANGUAGES:  # the same scenes: what is left between the columns is the language
            told = [caption(s, rng, language=language, plain=True) for s in scenes[same]]
            result[f"{language}, same scenes"] = score(generate(pocket, told, steps=arguments.steps), same)
        for steps in (4, 8, 16):
            result[f"{steps} steps"] = score(generate(pocket, prompts[some], steps=steps), some)
        rolled = slice(0, ROLLED)
        result |= long_clips(pocket, judge, prompts[rolled], scenes[rolled])
        if pocket.encodes:  # what true pasts make better was lost by going on from one's own pictures; what they do not, is not drawn
            result["second 4, true pasts"] = score(shown(pocket, in_parts(pocket, prompts[rolled], scenes[rolled], 4, true_past=True), 4), rolled)
        result["before rounding"] = score(generate(before_rounding(pocket, arguments.run), prompts[some]), some)
    arguments.out.with_suffix(".json").write_text(json.dumps(result, indent=1))
    print(json.dumps(result, indent=1))
    if arguments.report:
        english = np.flatnonzero(spoken == "en")[:20]
        sheet([clips[i] for i in english], [prompts[i] for i in english], arguments.out.with_suffix(".png"))
        columns = {name: scores for name, scores in result.items() if isinstance(scores, dict) and "subject" in scores}
        rows = [f"| {a} | " + " | ".join(f"{c.get(a, float('nan')):.2f}" for c in columns.values()) + " |" for a in result["generated"]]
        head = ["| attribute | " + " | ".join(columns) + " |", "|---" * (len(columns) + 1) + "|"]
        arguments.out.with_suffix(".md").write_text("\n".join([*head, *rows]) + "\n")


if __name__ == "__main__":
    main()
