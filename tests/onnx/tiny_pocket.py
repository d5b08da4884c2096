"""Makes tests/goldens/tiny-onnx: a model of seeded weights, exported as Pocket is, what its encoder makes of frames, and a
long clip over a sliding window with a sink that moves along, by the plain reference of training/goldens/make_streaming.py.

    python tests/onnx/tiny_pocket.py

Needs what training/requirements.txt and training/goldens/requirements.txt name. Its sizes are those of tests/helpers/random-model.ts; its pictures mean nothing.
"""
import json
import sys
from pathlib import Path
from types import SimpleNamespace

import torch
from safetensors.torch import save_file

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "training" / "goldens")]

from make_streaming import StreamingWan  # noqa: E402
from training import taehv  # noqa: E402
from training.export_onnx import write  # noqa: E402
from training.umt5 import UMT5  # noqa: E402
from training.wan import WanTransformer  # noqa: E402

CHANNELS = 4
TEXT = {"vocab_size": 640, "d_model": 32, "d_kv": 16, "d_ff": 64, "num_layers": 1, "num_heads": 2, "relative_attention_num_buckets": 32,
        "relative_attention_max_distance": 128, "layer_norm_epsilon": 1e-6, "feed_forward_proj": "gated-gelu", "pad_token_id": 0, "eos_token_id": 1}
DIT = {"patch_size": [1, 2, 2], "num_attention_heads": 2, "attention_head_dim": 16, "in_channels": CHANNELS, "out_channels": CHANNELS,
       "text_dim": 32, "freq_dim": 32, "ffn_dim": 64, "num_layers": 2, "cross_attn_norm": True, "eps": 1e-6, "text_len": 24}
TAEHV = {**taehv.CONFIG, "latent_channels": CHANNELS, "decoder_channels": [8, 8, 8, 8]}

torch.manual_seed(11)
autoencoder = taehv.TAEHV(TAEHV)
autoencoder.encoder = taehv.Encoder(CHANNELS, 12)
pocket = SimpleNamespace(text=UMT5(TEXT).eval(), dit=WanTransformer(DIT).eval(), autoencoder=autoencoder.eval(), encodes=True,
                         mean=torch.tensor([0.1, -0.2, 0.3, 0.0]), std=torch.tensor([0.9, 1.1, 0.8, 1.0]))
for module in (pocket.text, pocket.dit, pocket.autoencoder):
    for name, p in module.named_parameters():  # training begins with zeros, which would hide mistakes
        if p.ndim > 1:
            torch.nn.init.normal_(p, std=max(1, p[0].numel()) ** -0.5)
        elif "norm" not in name:
            torch.nn.init.normal_(p, std=0.1)
for p in [*autoencoder.parameters()]:  # as a file has them
    p.data = p.data.half().float()
folder = ROOT / "tests" / "goldens" / "tiny-onnx"
document = write(pocket, folder, {})
frames = torch.rand(1, 9, 3, 32, 48)
with torch.no_grad():
    latents = (autoencoder.encode(frames)[0].transpose(0, 1) - pocket.mean[:, None, None, None]) / pocket.std[:, None, None, None]
save_file({"frames": frames[0].permute(0, 2, 3, 1).contiguous(), "latents": latents.contiguous()}, str(folder / "encoded.safetensors"))
(folder / "onnx.json").write_text(json.dumps(document, indent=1))

# Ten blocks, four windows: each is made of noise in one step from t = 1000, x0 = noise - flow, and kept clean.
streaming = StreamingWan(pocket.dit, DIT | {"window": 9, "sink": 3})
ids = torch.tensor([[3, 4, 5, 1]])
noise = torch.randn(CHANNELS, 30, 4, 6)
clean = []
with torch.no_grad():
    streaming.say(pocket.text(ids)[0])
    for part in noise.split(3, 1):
        clean.append(part - streaming.forward(part, torch.full((3,), 1000.0), False))
        streaming.forward(clean[-1], torch.zeros(3), True)
save_file({"ids": ids[0].int(), "noise": noise, "clean": torch.cat(clean, 1)}, str(folder / "streamed.safetensors"))
