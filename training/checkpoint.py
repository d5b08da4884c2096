"""What a later session needs to go on: python -m training.checkpoint [--name pocket] writes checkpoints/NAME-{ae,dit}.safetensors.

The autoencoder with training's own encoder, and the EMA weights before distillation, in f16; no optimiser state. `restore`
makes a run's ae.pt of it where that is missing, and `train` starts from the transformer's weights, with fresh optimisers.
"""
import argparse
import json
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file

from .train_ae import RUNS

FOLDER = Path(__file__).parent / "checkpoints"


def save(name: str) -> list:
    """-> the files, each under 16 MiB."""
    ae = torch.load(RUNS / name / "ae.pt", weights_only=False)
    dit = torch.load(RUNS / name / "dit.pt", weights_only=False)
    FOLDER.mkdir(exist_ok=True)
    paths = []
    for part, weights, facts in (("ae", ae["model"], {"config": ae["config"]}),
                                 ("dit", dit["ema"], {"text_config": dit["text_config"], "dit_config": dit["dit_config"], "step": dit["step"], "spent": dit["spent"]})):
        halves = {k: (v.float() if k in ("mean", "std") else v.half()).contiguous() for k, v in weights.items()}
        paths.append(FOLDER / f"{name}-{part}.safetensors")
        save_file(halves, str(paths[-1]), metadata={"facts": json.dumps(facts)})
    return paths


def read(name: str, part: str) -> tuple:
    """(tensors in f32, what is known of them)."""
    with safe_open(str(FOLDER / f"{name}-{part}.safetensors"), "pt") as file:
        return {k: file.get_tensor(k).float() for k in file.keys()}, json.loads(file.metadata()["facts"])


def restore(name: str, folder: Path) -> bool:
    """Makes ae.pt of the checkpoint where the run has none; True when there is a checkpoint."""
    if not (FOLDER / f"{name}-dit.safetensors").exists():
        return False
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "ae.pt").exists():
        model, facts = read(name, "ae")
        torch.save({"model": model, "config": facts["config"]}, folder / "ae.pt")
    return True


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--name", default="pocket")
    for path in save(parser.parse_args().name):
        print(path, path.stat().st_size)


if __name__ == "__main__":
    main()
