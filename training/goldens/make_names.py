"""Makes tests/goldens/names.json: tensor names in the layouts of others, as diffusers and gguf-py convert them.

    python training/goldens/make_names.py && npx prettier --write tests/goldens/names.json

The original names are those of Wan2.1 `wan/modules/{model,t5,vae}.py`; that nothing is left out is checked
against diffusers' and transformers' own state dicts.
"""

import json
from pathlib import Path

import gguf
import torch
from diffusers import AutoencoderKLWan, WanTransformer3DModel
from diffusers.loaders.single_file_utils import convert_wan_transformer_to_diffusers, convert_wan_vae_to_diffusers
from transformers import UMT5Config, UMT5EncoderModel

OUT = Path(__file__).parents[2] / "tests" / "goldens" / "names.json"


def both(*names: str) -> list[str]:
    return [f"{n}.{kind}" for n in names for kind in ("weight", "bias")]


def transformer(layers: int) -> list[str]:
    names = both(
        "patch_embedding", "text_embedding.0", "text_embedding.2", "time_embedding.0", "time_embedding.2",
        "time_projection.1", "head.head",
    )  # fmt: skip
    names.append("head.modulation")
    for i in range(layers):
        names.append(f"blocks.{i}.modulation")
        names += both(f"blocks.{i}.norm3", f"blocks.{i}.ffn.0", f"blocks.{i}.ffn.2")
        for attn in ("self_attn", "cross_attn"):
            names += both(*(f"blocks.{i}.{attn}.{n}" for n in "qkvo"))
            names += [f"blocks.{i}.{attn}.norm_{n}.weight" for n in "qk"]
    return names


def vae() -> list[str]:
    def residual(at: str, shortcut: bool) -> list[str]:
        names = [f"{at}.residual.0.gamma", f"{at}.residual.3.gamma"]
        names += both(f"{at}.residual.2", f"{at}.residual.6")
        return names + (both(f"{at}.shortcut") if shortcut else [])

    names = both("conv1", "conv2")
    for side in ("encoder", "decoder"):
        names += both(f"{side}.conv1", f"{side}.head.2") + [f"{side}.head.0.gamma", f"{side}.middle.1.norm.gamma"]
        names += residual(f"{side}.middle.0", False) + residual(f"{side}.middle.2", False)
        names += both(f"{side}.middle.1.to_qkv", f"{side}.middle.1.proj")
    for i in range(11):
        at = f"encoder.downsamples.{i}"
        if i in (2, 5, 8):
            names += both(f"{at}.resample.1") + (both(f"{at}.time_conv") if i > 2 else [])
        else:
            names += residual(at, i in (3, 6))
    for i in range(15):
        at = f"decoder.upsamples.{i}"
        if i % 4 == 3:
            names += both(f"{at}.resample.1") + (both(f"{at}.time_conv") if i < 11 else [])
        else:
            names += residual(at, i == 4)
    return names


def converted(names: list[str], convert) -> dict[str, str]:
    marked = {name: torch.tensor([float(i)]) for i, name in enumerate(names)}
    return {names[int(t.item())]: new for new, t in convert(marked).items()}


def check(pairs: dict[str, str], wanted) -> dict[str, str]:
    assert sorted(pairs.values()) == sorted(wanted), set(pairs.values()) ^ set(wanted)
    return pairs


with torch.device("meta"):
    dit = WanTransformer3DModel(num_layers=2, cross_attn_norm=True, qk_norm="rms_norm_across_heads")
    auto = AutoencoderKLWan()
    text = UMT5EncoderModel(UMT5Config(num_layers=2, feed_forward_proj="gated-gelu"))

hf = [n for n in text.state_dict() if n != "encoder.embed_tokens.weight"]
mapping = gguf.get_tensor_name_map(gguf.MODEL_ARCH.T5ENCODER, 2)
ggufs = {mapping.get_name(n, try_suffixes=(".weight",)): n for n in hf}
assert None not in ggufs

original = {"token_embedding.weight": "shared.weight", "norm.weight": "encoder.final_layer_norm.weight"}
for i in range(2):
    layer = f"encoder.block.{i}.layer"
    original |= {f"blocks.{i}.attn.{n}.weight": f"{layer}.0.SelfAttention.{n}.weight" for n in "qkvo"}
    original |= {
        f"blocks.{i}.norm1.weight": f"{layer}.0.layer_norm.weight",
        f"blocks.{i}.norm2.weight": f"{layer}.1.layer_norm.weight",
        f"blocks.{i}.pos_embedding.embedding.weight": f"{layer}.0.SelfAttention.relative_attention_bias.weight",
        f"blocks.{i}.ffn.gate.0.weight": f"{layer}.1.DenseReluDense.wi_0.weight",
        f"blocks.{i}.ffn.fc1.weight": f"{layer}.1.DenseReluDense.wi_1.weight",
        f"blocks.{i}.ffn.fc2.weight": f"{layer}.1.DenseReluDense.wo.weight",
    }

shapes = {
    "wan-transformer": {n: list(t.shape) for n, t in dit.state_dict().items()},
    "umt5": {n: list(t.shape) for n, t in text.state_dict().items() if n in hf},
    "wan-vae": {n: list(t.shape) for n, t in auto.state_dict().items()},
}
names = {
    "wan-transformer": check(converted(transformer(2), convert_wan_transformer_to_diffusers), dit.state_dict()),
    "umt5": check(original, hf),
    "umt5-gguf": check(ggufs, hf),
    "wan-vae": check(converted(vae(), convert_wan_vae_to_diffusers), auto.state_dict()),
}
configs = {
    "wan-transformer": {k: v for k, v in dit.config.items() if not k.startswith("_")},
    "umt5": {
        k: text.config.to_dict()[k]
        for k in ("vocab_size", "d_model", "d_kv", "d_ff", "num_layers", "num_heads", "feed_forward_proj")
    },
    "wan-vae": {k: v for k, v in auto.config.items() if not k.startswith("_")},
}
OUT.write_text(json.dumps({"names": names, "shapes": shapes, "configs": configs}) + "\n")
print({k: len(v) for k, v in names.items()}, OUT.stat().st_size)
