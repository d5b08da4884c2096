"""Writes public/models/pocket from a run: python -m training.export [--name pocket] [--kind euler|renoise].

All files are made in a temporary folder and then moved, model.json last.
"""
import argparse
import hashlib
import json
import os
import shutil
import tempfile
from pathlib import Path

import gguf
import numpy as np
import torch
from safetensors.torch import save_file

from . import tokens, train, unsaid
from .captions import taught
from .data import load_autoencoder
from .prompts import examples
from .sampling import BLOCK, SINK, WINDOW
from .train_ae import RUNS
from .world import HEIGHT, SMALL, WIDTH

TARGET = Path(__file__).parents[1] / "public" / "models" / "pocket"
PIECE = 1 << 20
ENCODER = {"encoder_kind": "patches", "encoder_width": 128, "encoder_blocks": 2}  # taehv.Encoder, in the page's words


def write_gguf(path: Path, architecture: str, state: dict) -> None:
    """2-D weights whose rows are a multiple of 32 long become Q8_0, the rest F32."""
    writer = gguf.GGUFWriter(str(path), architecture)
    for name, tensor in state.items():
        value = tensor.detach().float().numpy()
        if value.ndim > 4:
            writer.add_array(f"comfy.gguf.orig_shape.{name}", [int(n) for n in value.shape])
            value = value.reshape(value.shape[0], -1)
        elif value.ndim == 2 and value.shape[1] % 32 == 0 and "scale_shift" not in name:
            kind = gguf.GGMLQuantizationType.Q8_0
            writer.add_tensor(name, gguf.quants.quantize(value, kind), raw_dtype=kind)
            continue
        writer.add_tensor(name, np.ascontiguousarray(value))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def read_gguf(path: Path) -> dict:
    """The tensors as float32, in their true shapes."""
    reader, out = gguf.GGUFReader(str(path)), {}
    for t in reader.tensors:
        shape = [int(n) for n in reversed(t.shape)]
        field = reader.fields.get(f"comfy.gguf.orig_shape.{t.name}")
        value = gguf.quants.dequantize(t.data, t.tensor_type)
        out[t.name] = torch.from_numpy(np.array(value, np.float32).reshape([int(n) for n in field.contents()] if field else shape))
    return out


def preview(autoencoder, latents: torch.Tensor, mean, std) -> dict:
    """Least squares from normalised latents [n, C, F, h, w] to the mean RGB of each decoded 8 x 8 cell."""
    with torch.no_grad():
        frames = autoencoder.decode(latents.transpose(1, 2)).clamp(0, 1)
    last = frames[:, ::4]  # the last frame of every latent
    colour = torch.nn.functional.avg_pool2d(last.flatten(0, 1), 8).permute(0, 2, 3, 1).reshape(-1, 3)
    z = ((latents - mean[:, None, None, None]) / std[:, None, None, None]).permute(0, 2, 3, 4, 1).reshape(-1, len(mean))
    fit = torch.linalg.lstsq(torch.cat([z, torch.ones(len(z), 1)], 1), colour).solution
    return {"matrix": fit[:-1].tolist(), "bias": fit[-1].tolist()}


def entry(path: str, data: bytes) -> dict:
    """What model.json says of a file: the page fetches a damaged piece again by itself."""
    digest = lambda part: hashlib.sha256(part).hexdigest()
    pieces = [digest(data[i:i + PIECE]) for i in range(0, len(data), PIECE)]
    return {"path": path, "bytes": len(data), "sha256": digest(data), "pieces": {"bytes": PIECE, "sha256": pieces}}


def facts(folder: Path) -> dict:
    """What the logs say of the training."""
    def last(name: str) -> dict:
        lines = (folder / name).read_text().splitlines() if (folder / name).exists() else ["{}"]
        return {k: v for k, v in json.loads(lines[-1]).items() if v == v}  # NaN is no JSON

    return {"hardware": "two CPU cores", "autoencoder": last("ae.jsonl"), "transformer": last("dit.jsonl"), "distillation": last("distill.jsonl")}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--name", default="pocket")
    parser.add_argument("--kind", default="euler", choices=["euler", "renoise"])
    parser.add_argument("--steps", type=int, default=4)
    parser.add_argument("--out", type=Path, default=TARGET)
    arguments = parser.parse_args()
    folder, out = RUNS / arguments.name, arguments.out
    weights = "guided.pt" if (folder / "guided.pt").exists() else "dit.pt"
    autoencoder, model = load_autoencoder(folder).float(), train.load(folder, weights)
    out.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(dir=out, suffix=".tmp"))
    write_gguf(temporary / "transformer.gguf", "wan", model.dit.state_dict())
    write_gguf(temporary / "text_encoder.gguf", "umt5", model.text.state_dict())
    half = {k: v.half().contiguous() for k, v in autoencoder.state_dict().items()}
    save_file(half, str(temporary / "taehv.safetensors"))
    shutil.copy(folder / "tokenizer.json", temporary / "tokenizer.json")
    (temporary / "vocabulary.json").write_text(json.dumps(taught(SMALL), ensure_ascii=False, indent=1))
    data = torch.load(folder / "data.pt", weights_only=False, map_location="cpu")
    saved = torch.load(folder / "dit.pt", weights_only=False, map_location="cpu")
    ae_config = torch.load(folder / "ae.pt", weights_only=False, map_location="cpu")["config"]
    files = [entry(p.name, p.read_bytes()) for p in sorted(temporary.iterdir())]
    document = {
        "format": "kinora-model/1", "id": "pocket", "name": "Kinora Pocket", "edition": "9", "license": "MIT", "fps": 16,
        "sizes": [{"width": WIDTH, "height": HEIGHT}, {"width": 96, "height": 64}], "seconds": {"default": 2, "max": 5},
        "latent": {"channels": len(model.mean), "stride": [4, 8, 8], "mean": model.mean.tolist(), "std": model.std.tolist()},
        "preview": preview(autoencoder, data["sets"][0]["latents"][:64].float(), model.mean, model.std),
        "sampler": {"kind": arguments.kind, "timesteps": [1000 * (arguments.steps - i) / arguments.steps for i in range(arguments.steps)],
                    "shift": 5, "num_frame_per_block": BLOCK, "window": WINDOW, "sink": SINK, "positions": "window"},
        "components": {
            "tokenizer": {"file": "tokenizer.json"},
            "text_encoder": {"network": "umt5", "config": saved["text_config"], "file": "text_encoder.gguf"},
            "transformer": {"network": "wan-transformer-causal", "config": saved["dit_config"], "file": "transformer.gguf"},
            "autoencoder": {"network": "taehv", "config": {**ae_config, **ENCODER}, "file": "taehv.safetensors"},
        },
        "details": tokens.detail_ids(tokens.load(folder / "tokenizer.json")),
        "files": files, "prompts": examples(), "vocabulary": "vocabulary.json", "unsaid": unsaid.of(SMALL), "training": facts(folder),
    }
    if (out / "showcase.mp4").exists():  # a clip for the page's first sight, made by npm run generate
        document["showcase"] = "showcase.mp4"
    for file in files:
        (temporary / file["path"]).chmod(0o644)
        os.replace(temporary / file["path"], out / file["path"])
    (temporary / "model.json").write_text(json.dumps(document, ensure_ascii=False, indent=1, allow_nan=False))
    os.replace(temporary / "model.json", out / "model.json")
    temporary.rmdir()
    print(json.dumps({f["path"]: f["bytes"] for f in files}))


if __name__ == "__main__":
    main()
