"""Clips to be named by a person who knows nothing of them: python -m training.blind [--model DIR] [--clips 20] [--out DIR].

Strips of nine frames, 00.png and on, of random prompts that say subject, colour, motion, place and time in the model's own
English words, and answers.txt, which is for afterwards. Of ten clips, seven should be named right in subject, colour and motion.
"""
import argparse
import json
from pathlib import Path

import numpy as np
from PIL import Image

from .export import TARGET
from .pocket import Pocket
from .train_ae import RUNS

SAID = ("colour", "subject", "motion", "place", "time")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", type=Path, default=TARGET)
    parser.add_argument("--clips", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=RUNS / "blind")
    arguments = parser.parse_args()
    words = json.loads((arguments.model / "vocabulary.json").read_text())["en"]
    rng, pocket = np.random.default_rng(arguments.seed), Pocket(arguments.model)
    first = {a: [spellings[0] for spellings in words[a].values()] for a in SAID}
    prompts = ["a " + " ".join(str(rng.choice(first[a])) for a in SAID) for _ in range(arguments.clips)]
    arguments.out.mkdir(parents=True, exist_ok=True)
    for i, prompt in enumerate(prompts):
        clip = pocket.generate([prompt], seed=arguments.seed + i)[0]
        picks = np.linspace(0, len(clip) - 1, 9).round().astype(int)
        strip = np.concatenate([clip[k] for k in picks], axis=1)
        Image.fromarray(strip).resize((strip.shape[1] * 3 // 2, strip.shape[0] * 3 // 2), Image.LANCZOS).save(arguments.out / f"{i:02d}.png")
    (arguments.out / "answers.txt").write_text("".join(f"{i:02d} {prompt}\n" for i, prompt in enumerate(prompts)))
    print(arguments.out)


if __name__ == "__main__":
    main()
