"""What a later session needs to go on: python -m training.checkpoint [--name pocket] writes checkpoints/NAME.safetensors.

The EMA weights before distillation and the autoencoder's training encoder (its decoder is in the released model), in f16;
no optimiser state. `restore` makes a run's
ae.pt and dit.pt of it where they are missing, with fresh optimisers and the clock at zero.
"""
import argparse
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from .taehv import CONFIG, TAEHV
from .train_ae import RUNS

FOLDER = Path(__file__).parent / "checkpoints"
RELEASED = Path(__file__).parents[1] / "public" / "models"


def save(name: str) -> Path:
    ae = torch.load(RUNS / name / "ae.pt", weights_only=False)
    dit = torch.load(RUNS / name / "dit.pt", weights_only=False)
    tensors = {f"ae.{k}": v for k, v in ae["model"].items() if not k.startswith("decoder.")} | {f"dit.{k}": v for k, v in dit["ema"].items()}
    FOLDER.mkdir(exist_ok=True)
    path = FOLDER / f"{name}.safetensors"
    halves = {k: (v.float() if k in ("dit.mean", "dit.std") else v.half()).contiguous() for k, v in tensors.items()}
    save_file(halves, str(path), metadata={"layers": str(dit["dit_config"]["num_layers"]), "vocab": str(dit["text_config"]["vocab_size"])})
    return path


def read(name: str, prefix: str) -> dict:
    """The tensors under `prefix`, in f32."""
    with safe_open(str(FOLDER / f"{name}.safetensors"), "pt") as file:
        return {k.removeprefix(prefix): file.get_tensor(k).float() for k in file.keys() if k.startswith(prefix)}


def restore(name: str, folder: Path) -> bool:
    """Makes ae.pt of the checkpoint where the run has none; True when there is a checkpoint."""
    if not (FOLDER / f"{name}.safetensors").exists():
        return False
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "ae.pt").exists():
        model = TAEHV(CONFIG)
        decoder = {k: v.float() for k, v in load_file(str(RELEASED / name / "taehv.safetensors")).items()}
        model.load_state_dict(read(name, "ae.") | decoder)
        torch.save({"model": model.state_dict(), "config": CONFIG}, folder / "ae.pt")
    return True


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--name", default="pocket")
    path = save(parser.parse_args().name)
    print(path, path.stat().st_size)


if __name__ == "__main__":
    main()
