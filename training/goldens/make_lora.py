"""Makes tests/goldens/lora/: LoRAs in the key styles of others and what PyTorch makes of merging them.

    python training/goldens/make_lora.py

adapter*.safetensors are written by diffusers itself, with its notes of alphas and ranks, and merged.safetensors has what
diffusers makes of them. That part wants `peft` beside what training/requirements.txt names.
"""

from pathlib import Path

import torch
from diffusers import WanPipeline, WanTransformer3DModel
from diffusers.training_utils import _collate_lora_metadata
from peft import LoraConfig, get_peft_model_state_dict
from safetensors.torch import save_file

OUT = Path(__file__).parents[2] / "tests" / "goldens" / "lora"
OUT.mkdir(exist_ok=True)
g = torch.Generator().manual_seed(5)
D, F, R, ALPHA, STRENGTH = 12, 20, 3, 6.0, 0.8
MODULES = {  # ours: original, shape
    "blocks.0.attn1.to_q": ("blocks.0.self_attn.q", (D, D)),
    "blocks.0.attn2.to_out.0": ("blocks.0.cross_attn.o", (D, D)),
    "blocks.0.ffn.net.0.proj": ("blocks.0.ffn.0", (F, D)),
    "blocks.0.ffn.net.2": ("blocks.0.ffn.2", (D, F)),
}
base = {f"{m}.weight": torch.randn(shape, generator=g) for m, (_, shape) in MODULES.items()}
base |= {f"{m}.bias": torch.randn(shape[0], generator=g) for m, (_, shape) in MODULES.items()}
down = {m: torch.randn(R, shape[1], generator=g) for m, (_, shape) in MODULES.items()}
up = {m: torch.randn(shape[0], R, generator=g) for m, (_, shape) in MODULES.items()}
bias = {m: torch.randn(shape[0], generator=g) for m, (_, shape) in MODULES.items()}


def merged(alpha, with_bias):
    out = dict(base)
    for m in MODULES:
        out[f"{m}.weight"] = base[f"{m}.weight"] + STRENGTH * (alpha / R) * (up[m] @ down[m])
        if with_bias:
            out[f"{m}.bias"] = base[f"{m}.bias"] + STRENGTH * bias[m]
    return out


def transformer():
    """Ours in diffusers, with the goldens' base weights where the goldens have some."""
    sizes = dict(num_attention_heads=1, attention_head_dim=D, ffn_dim=F, num_layers=1)
    model = WanTransformer3DModel(in_channels=4, out_channels=4, text_dim=8, freq_dim=8, **sizes)
    model.load_state_dict(base, strict=False)
    return model


def adapter(name, **config):
    """Has diffusers write an adapter, read it again and merge it; gives the merged weights by our names."""
    made = transformer()
    patterns = dict(alpha_pattern={"attn2.to_out.0": 24}, rank_pattern={"ffn.net.2": 2})
    targets = [m.removeprefix("blocks.0.") for m in MODULES]
    made.add_adapter(LoraConfig(r=R, lora_alpha=16, target_modules=targets, lora_bias=True, **patterns, **config))
    layers = {}
    for key, value in get_peft_model_state_dict(made).items():
        layers[key] = torch.randn(value.shape, generator=g)
    WanPipeline.save_lora_weights(
        OUT, layers, weight_name=name, **_collate_lora_metadata({"transformer": made})
    )
    read = transformer()
    read.load_lora_adapter(OUT, weight_name=name, prefix="transformer")
    read.fuse_lora(STRENGTH)
    read.unload_lora()
    return {k: v.detach().clone() for k, v in read.state_dict().items() if k in base}


adapters = {"adapter": adapter("adapter.safetensors"), "adapter-rs": adapter("adapter-rs.safetensors", use_rslora=True)}
save_file({f"base/{k}": v for k, v in base.items()}
          | {f"alpha/{k}": v.clone() for k, v in merged(ALPHA, False).items()}
          | {f"plain/{k}": v.clone() for k, v in merged(R, False).items()}
          | {f"bias/{k}": v.clone() for k, v in merged(R, True).items()}
          | {f"{name}/{k}": v for name, weights in adapters.items() for k, v in weights.items()}, OUT / "merged.safetensors")  # fmt: skip

kohya, comfy, diffusers, longlive = {}, {}, {}, {}
for m, (original, _) in MODULES.items():
    name = "lora_unet_" + original.replace(".", "_")
    kohya |= {f"{name}.lora_down.weight": down[m], f"{name}.lora_up.weight": up[m]}
    kohya[f"{name}.alpha"] = torch.tensor(ALPHA)
    name = f"diffusion_model.{original}"
    comfy |= {f"{name}.lora_A.weight": down[m], f"{name}.lora_B.weight": up[m], f"{name}.diff_b": bias[m]}
    diffusers |= {f"transformer.{m}.lora_A.weight": down[m], f"transformer.{m}.lora_B.weight": up[m]}
    name = f"base_model.model.model.{original}"
    longlive |= {f"{name}.lora_A.weight": down[m], f"{name}.lora_B.weight": up[m]}
save_file(kohya, OUT / "kohya.safetensors")
save_file(comfy, OUT / "comfy.safetensors")
save_file(diffusers, OUT / "diffusers.safetensors")
torch.save({"generator_lora": longlive, "step": 3000}, OUT / "longlive.pt")
print({p.name: p.stat().st_size for p in OUT.iterdir()})
