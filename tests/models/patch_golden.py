"""Makes tests/goldens/patch-encoder.safetensors: Pocket's encoder as it is trained, small, with frames and their latents.

    python tests/models/patch_golden.py

Needs what training/requirements.txt names. The form of the file is that of training/goldens/make_goldens.py.
"""
import json
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from training.taehv import Encoder, patches  # noqa: E402

Z, WIDTH = 5, 12
CONFIG = {
    "latent_channels": Z,
    "decoder_channels": [8, 8, 8, 8],
    "decoder_time_upscale": [False, True, True],
    "decoder_space_upscale": [False, False, False],
    "patch_size": 8,
    "encoder_kind": "patches",
    "encoder_width": WIDTH,
    "encoder_blocks": 2,
}

torch.manual_seed(6)
model = Encoder(Z, WIDTH)
for parameter in model.parameters():  # training begins with zeros, which would hide mistakes
    torch.nn.init.normal_(parameter, std=(3 / max(1, parameter[0].numel())) ** 0.5 if parameter.ndim > 1 else 0.1)
frames = torch.rand(1, 9, 3, 24, 32)
with torch.no_grad():
    latents = model(patches(frames))
tensors = {f"weights/encoder.{k}": v for k, v in model.state_dict().items()}
tensors |= {"input/frames": frames[0], "expected/latents": latents[0]}
metadata = {"version": "1", "network": "patch-encoder", "config": json.dumps(CONFIG)}
path = ROOT / "tests" / "goldens" / "patch-encoder.safetensors"
save_file({k: v.contiguous().clone() for k, v in tensors.items()}, str(path), metadata=metadata)
print(path.name, path.stat().st_size, "bytes, std", float(latents.std()))
