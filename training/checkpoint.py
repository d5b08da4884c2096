"""What a later session needs to go on: python -m training.checkpoint [--name pocket] writes checkpoints/NAME-{ae,dit}.safetensors.

What does not fit in 16 MiB becomes several files, NAME-dit-1-of-4.safetensors and so on; a model that takes more than eight in all is refused.

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
LIMIT, FILES = 16 * 2 ** 20 - 2 ** 16, 8  # bytes of tensors in a file, with room for its header; files


def save(name: str) -> list:
    """-> the files, each under 16 MiB; ValueError, and nothing written, where there would be more than eight."""
    ae = torch.load(RUNS / name / "ae.pt", weights_only=False, map_location="cpu")
    dit = torch.load(RUNS / name / "dit.pt", weights_only=False, map_location="cpu")
    files = []
    for part, weights, facts in (("ae", ae["model"], {"config": ae["config"]}),
                                 ("dit", dit["ema"], {"text_config": dit["text_config"], "dit_config": dit["dit_config"], "step": dit["step"], "spent": dit["spent"]})):
        halves = {k: (v.float() if k in ("mean", "std") else v.half()).contiguous() for k, v in weights.items()}
        pieces = _pieces(halves)
        names = [f"{name}-{part}{f'-{i + 1}-of-{len(pieces)}' if len(pieces) > 1 else ''}.safetensors" for i in range(len(pieces))]
        files += [(FOLDER / file, piece, {"facts": json.dumps(facts)}) for file, piece in zip(names, pieces)]
    if len(files) > FILES:
        raise ValueError(f"{name} takes {len(files)} files of 16 MiB, and {FILES} can be carried: take a smaller network")
    FOLDER.mkdir(exist_ok=True)
    for old in [p for part in ("ae", "dit") for p in _files(name, part)]:
        old.unlink()  # another number of pieces would stay beside the new ones
    for path, piece, facts in files:
        save_file(piece, str(path), metadata=facts)
    return [path for path, *_ in files]


def _pieces(tensors: dict) -> list:
    """Tensors in order, as few dicts as hold at most LIMIT bytes each."""
    pieces, room = [{}], LIMIT
    for k, v in tensors.items():
        if v.nbytes > room and pieces[-1]:
            pieces.append({})
            room = LIMIT
        pieces[-1][k] = v
        room -= v.nbytes
    return pieces


def _files(name: str, part: str) -> list:
    """Those of a part that are there, in order; FileNotFoundError where some of several are missing."""
    whole, several = FOLDER / f"{name}-{part}.safetensors", sorted(FOLDER.glob(f"{name}-{part}-*-of-*.safetensors"))
    if several and len(several) != int(several[0].stem.rsplit("-", 1)[1]):
        raise FileNotFoundError(f"of {name}-{part} there are only {', '.join(p.name for p in several)}")
    return [whole] if whole.exists() else several


def read(name: str, part: str) -> tuple:
    """(tensors in f32, what is known of them)."""
    tensors: dict = {}
    for path in _files(name, part):
        with safe_open(str(path), "pt") as file:
            tensors |= {k: file.get_tensor(k).float() for k in file.keys()}
            facts = json.loads(file.metadata()["facts"])
    return tensors, facts


def restore(name: str, folder: Path) -> bool:
    """Makes ae.pt of the checkpoint where the run has none; True when there is a checkpoint.

    SystemExit where the run has another encoder: the transformer was taught with this one's latents, and would draw noise."""
    if not _files(name, "dit"):
        return False
    folder.mkdir(parents=True, exist_ok=True)
    model, facts = read(name, "ae")
    if not (folder / "ae.pt").exists():
        torch.save({"model": model, "config": facts["config"]}, folder / "ae.pt")
        return True
    own = torch.load(folder / "ae.pt", weights_only=False, map_location="cpu")["model"]
    if not all(k in own and own[k].shape == v.shape and torch.allclose(own[k].float(), v, rtol=2e-3, atol=1e-4) for k, v in model.items() if k.startswith("encoder.")):
        raise SystemExit(f"{folder.name}/ae.pt is not the autoencoder that the committed transformer was taught with: "
                         "begin from nothing with --name NEW in every stage, or move that file away to go on from what is committed")
    return True


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--name", default="pocket")
    for path in save(parser.parse_args().name):
        print(path, path.stat().st_size)


if __name__ == "__main__":
    main()
