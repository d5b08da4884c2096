"""Makes a folder of cases for `npm run parity`: seeded networks of several shapes, each with its reference output.

    python training/goldens/make_parity_cases.py DIR [--filter WORD]
    for c in DIR/*; do npm run parity -- $c; done

Needs what make_goldens.py needs. The whole folder takes some 900 MB and a few minutes of a CPU; cases with "full"
in their name have the real widths of Wan 2.1 1.3B, UMT5-XXL, taew2_1 and the Wan VAE.
"""

import argparse
import json
from pathlib import Path

import torch
from safetensors.torch import save_file

import networks as net
from make_goldens import TIED, taehv_config, umt5_config, wan_config

FULL_TAEHV = {
    "latent_channels": 16,
    "decoder_channels": [256, 128, 64, 64],
    "encoder_channels": 64,
    "encoder_time_downscale": [True, True, False],
    "decoder_time_upscale": [False, True, True],
    "decoder_space_upscale": [True, True, True],
    "patch_size": 1,
}
FULL_VAE = {"base_dim": 96, "z_dim": 16, "dim_mult": [1, 2, 4, 4], "num_res_blocks": 2,
            "temperal_downsample": [False, True, True]}  # fmt: skip
# Wan 2.1 1.3B but for the number of layers
FULL_WAN = {"in_channels": 16, "out_channels": 16, "text_dim": 4096, "freq_dim": 256, "ffn_dim": 8960, "text_len": 512}


class Cases:
    def __init__(self, folder, word):
        self.folder, self.word = folder, word

    def save(self, name, network, config, model, inputs, expected, dtype=torch.float32, keep=lambda k: True):
        folder = self.folder / name
        folder.mkdir(parents=True, exist_ok=True)
        weights = {k: v.to(dtype) for k, v in model.state_dict().items() if k != TIED and keep(k)}
        for file, tensors in (("weights", weights), ("inputs", inputs), ("expected", expected)):
            save_file({k: v.contiguous().clone() for k, v in tensors.items()}, folder / f"{file}.safetensors")
        case = {"network": network, "config": config, "layout": "diffusers"}
        (folder / "case.json").write_text(json.dumps(case, indent=1) + "\n")
        print(name, flush=True)

    def wanted(self, name):
        return self.word in name

    def umt5(self, name, config, length, seed, dtype=torch.float32):
        if not self.wanted(name):
            return
        model = rounded(net.umt5(config, seed), dtype)
        ids = torch.randint(0, config["vocab_size"], (length,), generator=torch.Generator().manual_seed(seed)).int()
        self.save(name, "umt5", config, model, {"input_ids": ids}, net.run_umt5(model, ids), dtype)

    def wan(self, name, config, shape, length, seed, timestep=937.5, dtype=torch.float32):
        if not self.wanted(name):
            return
        model = rounded(net.wan(config, seed), dtype)
        inputs = wan_inputs(config, shape, length, seed) | {"timestep": torch.tensor([timestep])}
        x, text = inputs["hidden_states"], inputs["encoder_hidden_states"]
        out = net.run_wan(model, x, inputs["timestep"], text, config["text_len"])
        self.save(name, "wan-transformer", config, model, inputs, out, dtype)

    def causal(self, name, config, shape, length, seed, dtype=torch.float32):
        if not self.wanted(name):
            return
        model = rounded(net.wan(config, seed), dtype)
        inputs = wan_inputs(config, shape, length, seed)
        inputs["context"] = net.seeded((config["in_channels"], *shape), seed + 3)
        inputs["timestep"] = 1000 * torch.rand(shape[0], generator=torch.Generator().manual_seed(seed + 4))
        order = (inputs[k] for k in ("hidden_states", "context", "timestep", "encoder_hidden_states"))
        out = net.run_causal(model, config, *order)
        self.save(name, "wan-transformer-causal", config, model, inputs, out, dtype)

    def taehv(self, name, config, latents=None, frames=None, seed=0, dtype=torch.float32):
        """latents (F, h, w) for the decoder, or frames (T, H, W) for the encoder."""
        if not self.wanted(name):
            return
        model = rounded(net.taehv(config, seed, probe=latents[1:] if latents else (4, 5)), dtype)
        if latents:
            x = net.seeded((latents[0], config["latent_channels"], *latents[1:]), seed + 1)
            out = net.run_taehv_decoder(model, x)
            self.save(name, "taehv-decoder", config, model, {"latents": x}, out, dtype)
        else:
            x = net.seeded((frames[0], 3, *frames[1:]), seed + 2).sigmoid()
            out = net.run_taehv_encoder(model, x)
            self.save(name, "taehv-encoder", config, model, {"frames": x}, out, dtype)


    def vae(self, name, config, latents, seed):
        """latents (F, h, w); the encoder gets as many frames as they make."""
        model = net.wan_vae(config, seed)
        decoder = lambda k: k.startswith(("decoder.", "post_quant"))
        f, h, w = latents
        with torch.no_grad():
            if self.wanted(f"{name}-decoder"):
                x = net.seeded((config["z_dim"], f, h, w), seed + 1)
                out = {"frames": model.decode(x[None]).sample[0]}
                self.save(f"{name}-decoder", "wan-vae-decoder", config, model, {"latents": x}, out, torch.float16, decoder)
            if self.wanted(f"{name}-encoder"):
                x = net.seeded((3, 1 + 4 * (f - 1), 8 * h, 8 * w), seed + 2).tanh()
                out = {"latents": model.encode(x[None]).latent_dist.mode()[0]}
                keep = lambda k: not decoder(k)
                self.save(f"{name}-encoder", "wan-vae-encoder", config, model, {"frames": x}, out, torch.float16, keep)


def rounded(model, dtype):
    """The weights as the file will hold them."""
    with torch.no_grad():
        for p in model.parameters():
            p.copy_(p.to(dtype).float())
    return model


def wan_inputs(config, shape, length, seed):
    return {
        "hidden_states": net.seeded((config["in_channels"], *shape), seed + 1),
        "encoder_hidden_states": net.seeded((length, config["text_dim"]), seed + 2),
    }


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--filter", default="", help="only cases whose name contains this")
    args = parser.parse_args()
    c = Cases(args.folder, args.filter)

    c.umt5("umt5", umt5_config(num_layers=3), 19, 100)
    c.umt5("umt5-one-token", umt5_config(), 1, 101)
    c.umt5("umt5-bf16", umt5_config(d_model=64, d_kv=16, num_heads=4, d_ff=96), 33, 102, torch.bfloat16)
    c.umt5("umt5-far", umt5_config(), 301, 103)
    xxl = {"d_model": 4096, "d_kv": 64, "num_heads": 64, "d_ff": 10240, "num_layers": 1, "vocab_size": 500}
    c.umt5("umt5-full-block", umt5_config(**xxl), 12, 104, torch.float16)

    c.wan("wan", wan_config(3, 20), (3, 6, 10), 7, 200)
    c.wan("wan-one-frame-one-word", wan_config(2, 32), (1, 2, 2), 1, 201, timestep=0.0)
    c.wan("wan-odd-tokens", wan_config(1, 44, patch_size=[1, 1, 1]), (3, 5, 7), 16, 202)
    c.wan("wan-much-text", wan_config(2, 18, text_len=8), (2, 4, 4), 21, 203, timestep=1000.0)
    c.wan("wan-f16", wan_config(2, 64), (2, 6, 6), 11, 204, dtype=torch.float16)
    c.wan("wan-bf16", wan_config(2, 64), (2, 6, 6), 11, 205, dtype=torch.bfloat16)
    c.wan("wan-many-tokens", wan_config(2, 24), (5, 20, 24), 9, 206)
    c.wan("wan-full-block", wan_config(12, 128, num_layers=1, **FULL_WAN), (2, 6, 10), 23, 207, dtype=torch.float16)

    c.causal("causal", wan_config(3, 20, num_frame_per_block=3), (9, 6, 4), 7, 300)
    c.causal("causal-short-last-block", wan_config(2, 24, num_frame_per_block=3), (5, 4, 6), 1, 301)
    c.causal("causal-single-frames", wan_config(2, 24, num_frame_per_block=1), (4, 2, 2), 16, 302)
    c.causal("causal-one-block", wan_config(1, 128, num_frame_per_block=3, num_layers=1), (2, 4, 4), 3, 303)
    full = wan_config(12, 128, num_layers=1, num_frame_per_block=3, **FULL_WAN)
    c.causal("causal-full-block", full, (6, 4, 6), 23, 304, torch.float16)

    c.taehv("taehv-decoder", taehv_config(), latents=(3, 5, 3), seed=400)
    c.taehv("taehv-decoder-one-latent", taehv_config(), latents=(1, 2, 3), seed=401)
    c.taehv("taehv-decoder-full", FULL_TAEHV, latents=(2, 3, 5), seed=402)
    c.taehv("taehv-decoder-full-f16", FULL_TAEHV, latents=(3, 2, 2), seed=403, dtype=torch.float16)
    c.taehv("taehv-encoder", taehv_config(), frames=(8, 24, 16), seed=410)
    c.taehv("taehv-encoder-odd", taehv_config(), frames=(6, 13, 22), seed=411)
    c.taehv("taehv-encoder-one-frame", taehv_config(), frames=(1, 16, 8), seed=412)
    c.taehv("taehv-encoder-full", FULL_TAEHV, frames=(9, 24, 40), seed=413)

    c.vae("wan-vae", FULL_VAE | {"base_dim": 8, "z_dim": 4}, (3, 3, 5), 500)
    c.vae("wan-vae-full", FULL_VAE, (2, 2, 3), 501)


if __name__ == "__main__":
    main()
