"""Makes tests/goldens/*.safetensors: small networks with their inputs and their outputs, layer by layer.

    python training/goldens/make_goldens.py

Needs torch, diffusers, transformers and safetensors (requirements.txt); a CPU does. Each file holds
`weights/NAME`, `input/NAME` and `expected/NAME`, and in its metadata the network, its config (JSON) and the
version. Raise VERSION, here and in tests/models/goldens.ts, when what the files hold changes its meaning.
"""

import json
from pathlib import Path

import torch
from safetensors.torch import save_file

import networks as net

VERSION = "1"
FOLDER = Path(__file__).parents[2] / "tests" / "goldens"
TIED = "encoder.embed_tokens.weight"  # is shared.weight


def save(name, network, config, model, inputs, expected, half=False, prefix=""):
    tensors = {}
    for key, value in model.state_dict().items():
        if key != TIED and key.startswith(prefix):
            tensors[f"weights/{key}"] = value.half() if half else value
    tensors |= {f"input/{k}": v for k, v in inputs.items()}
    tensors |= {f"expected/{k}": v for k, v in expected.items()}
    for key, value in tensors.items():
        assert value.isfinite().all(), f"{name}: {key}"
    metadata = {"version": VERSION, "network": network, "config": json.dumps(config)}
    path = FOLDER / f"{name}.safetensors"
    save_file({k: v.contiguous().clone() for k, v in tensors.items()}, path, metadata=metadata)
    scale = {k: f"{v.float().std():.2f}" for k, v in list(expected.items())[-1:]}
    print(f"{path.name}: {path.stat().st_size / 1024:.0f} KiB, std {scale}")


def umt5(name, config, length, seed):
    model = net.umt5(config, seed)
    ids = torch.randint(0, config["vocab_size"], (length,), generator=torch.Generator().manual_seed(seed)).int()
    save(name, "umt5", config, model, {"input_ids": ids}, net.run_umt5(model, ids))


def wan(name, config, shape, length, seed, timestep=937.5, half=False):
    model = net.wan(config, seed, half)
    latents = net.seeded((config["in_channels"], *shape), seed + 1)
    text = net.seeded((length, config["text_dim"]), seed + 2)
    time = torch.tensor([timestep])
    out = net.run_wan(model, latents, time, text, config.get("text_len", 512))
    inputs = {"hidden_states": latents, "timestep": time, "encoder_hidden_states": text}
    save(name, "wan-transformer", config, model, inputs, out, half)


def causal(name, config, shape, length, seed, half=False):
    model = net.wan(config, seed, half)
    latents = net.seeded((config["in_channels"], *shape), seed + 1)
    context = net.seeded((config["in_channels"], *shape), seed + 2)
    text = net.seeded((length, config["text_dim"]), seed + 3)
    time = 1000 * torch.rand(shape[0], generator=torch.Generator().manual_seed(seed + 4))
    out = net.run_causal(model, config, latents, context, time, text)
    net.check_causal(model, config, latents, context, time, text, out["sample"])
    inputs = {"hidden_states": latents, "context": context, "timestep": time, "encoder_hidden_states": text}
    save(name, "wan-transformer-causal", config, model, inputs, out, half)


def taehv(name, config, decoder_input, encoder_input, seed, half=False):
    model = net.taehv(config, seed, half, decoder_input[1:])
    latents = net.seeded((decoder_input[0], config["latent_channels"], *decoder_input[1:]), seed + 1)
    frames = net.seeded((encoder_input[0], 3, *encoder_input[1:]), seed + 2).sigmoid()
    decoded = net.run_taehv_decoder(model, latents)
    save(f"{name}-decoder", "taehv-decoder", config, model, {"latents": latents}, decoded, half, "decoder")
    encoded = net.run_taehv_encoder(model, frames)
    save(f"{name}-encoder", "taehv-encoder", config, model, {"frames": frames}, encoded, half, "encoder")


def wan_config(heads, size, **changes):
    config = {
        "patch_size": [1, 2, 2],
        "num_attention_heads": heads,
        "attention_head_dim": size,
        "in_channels": 4,
        "out_channels": 4,
        "text_dim": 12,
        "freq_dim": 16,
        "ffn_dim": 40,
        "num_layers": 2,
        "cross_attn_norm": True,
        "qk_norm": "rms_norm_across_heads",
        "eps": 1e-6,
        "text_len": 16,
    }
    return config | changes


def umt5_config(**changes):
    config = {"vocab_size": 61, "d_model": 24, "d_kv": 10, "d_ff": 36, "num_layers": 2, "num_heads": 3}
    return config | {"feed_forward_proj": "gated-gelu", "layer_norm_epsilon": 1e-6} | changes


def taehv_config(**changes):
    config = {
        "latent_channels": 5,
        "decoder_channels": [12, 8, 6, 5],
        "encoder_channels": 7,
        "encoder_time_downscale": [True, True, False],
        "decoder_time_upscale": [False, True, True],
        "decoder_space_upscale": [True, True, True],
        "patch_size": 1,
    }
    return config | changes


def main():
    torch.manual_seed(0)
    FOLDER.mkdir(parents=True, exist_ok=True)
    umt5("umt5-odd", umt5_config(), 7, seed=1)
    umt5("umt5-one-token", umt5_config(d_model=20, num_heads=1, d_kv=12, num_layers=1), 1, seed=2)
    # longer than the largest distance that has a bucket of its own; every matrix has whole blocks of q8_0
    far = umt5_config(d_model=32, d_kv=16, num_heads=2, d_ff=64, relative_attention_max_distance=40)
    umt5("umt5-long", far | {"relative_attention_num_buckets": 16, "layer_norm_epsilon": 1e-3}, 100, seed=3)
    wan("wan-head128", wan_config(1, 128, num_layers=1, ffn_dim=48), (3, 6, 4), 5, seed=10, half=True)
    # one frame, no pads, whole blocks of q8_0
    blocks = wan_config(1, 64, num_layers=1, ffn_dim=64, text_dim=32, freq_dim=32)
    wan("wan-head64", blocks, (1, 4, 10), 16, seed=20, half=True)
    # no cross norm, more text than text_len, no patches, odd sizes, three layers
    bare = wan_config(3, 12, cross_attn_norm=False, patch_size=[1, 1, 1], num_layers=3, text_len=6)
    wan("wan-head12", bare, (3, 5, 3), 9, seed=30, timestep=3.0, half=True)
    # other channels out than in, a large eps, frames and columns patched, the usual text_len
    other = wan_config(2, 20, in_channels=5, out_channels=3, patch_size=[2, 1, 3], eps=1e-2, ffn_dim=33)
    wan("wan-head20", other | {"text_len": 512}, (6, 3, 9), 1, seed=40, timestep=625.0, half=True)
    # the last block is shorter than the others
    causal("causal-blocks", wan_config(2, 20, num_frame_per_block=3), (7, 6, 2), 5, seed=50, half=True)
    one = wan_config(3, 12, num_frame_per_block=1, patch_size=[1, 1, 1], num_layers=3, cross_attn_norm=False)
    causal("causal-frames", one, (4, 3, 5), 16, seed=60, half=True)
    window = wan_config(1, 16, num_frame_per_block=2, window=6, sink=2, ffn_dim=24)
    causal("causal-window", window, (13, 4, 2), 3, seed=70)
    # frames that are no multiple of 4, and a height that halves to odd numbers
    taehv("taehv", taehv_config(), (2, 3, 2), (5, 17, 6), seed=80, half=True)
    flags = taehv_config(
        encoder_time_downscale=[False, True, False],
        decoder_time_upscale=[True, True, True],
        decoder_space_upscale=[False, True, False],
        decoder_channels=[8, 6, 5, 4],
        patch_size=2,
        latent_channels=4,
        encoder_channels=6,
    )
    taehv("taehv-patch2", flags, (2, 3, 2), (5, 18, 10), seed=90, half=True)


if __name__ == "__main__":
    main()
