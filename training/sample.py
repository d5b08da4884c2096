"""Renders prompts with the exported files: python -m training.sample "a red boat at sea" --out sheet.png."""
import argparse
from pathlib import Path

from .contact import sheet
from .device import begin
from .export import TARGET
from .pocket import Pocket


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("prompts", nargs="*")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "runs" / "sample.png")
    parser.add_argument("--blocks", type=int, default=3)
    parser.add_argument("--steps", type=int)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--model", type=Path, default=TARGET)
    arguments = parser.parse_args()
    pocket = Pocket(arguments.model, begin())
    prompts = arguments.prompts or pocket.model["prompts"]["en"]
    sheet(list(pocket.generate(prompts, blocks=arguments.blocks, steps=arguments.steps, seed=arguments.seed)), prompts, arguments.out)
    print(arguments.out)


if __name__ == "__main__":
    main()
