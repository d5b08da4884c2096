"""Makes tests/goldens/wan-vae-*.safetensors: small seeded Wan VAEs by diffusers, decoded and encoded whole.

    python training/goldens/make_vae.py

As make_goldens.py, with one difference: weights are in f16, to keep the files small, and the reference runs on
those very values in f32.
"""

import json
from pathlib import Path

import torch
from safetensors.torch import save_file

import networks as net

VERSION = "1"
FOLDER = Path(__file__).parents[2] / "tests" / "goldens"
CONFIGS = {
    # every kind of level, odd widths, three latents
    "small": dict(base_dim=6, z_dim=4, dim_mult=[1, 2, 1], num_res_blocks=1, temperal_downsample=[True, True]),
    # the levels of Wan 2.1
    "levels": dict(base_dim=4, z_dim=4, dim_mult=[1, 2, 4, 4], num_res_blocks=2,
                   temperal_downsample=[False, True, True]),
}  # fmt: skip


def save(name, network, config, model, keep, inputs, expected):
    tensors = {f"weights/{k}": v.half() for k, v in model.state_dict().items() if keep(k)}
    tensors |= {f"input/{k}": v for k, v in inputs.items()} | {f"expected/{k}": v for k, v in expected.items()}
    assert all(v.isfinite().all() for v in tensors.values())
    path = FOLDER / f"{name}.safetensors"
    metadata = {"version": VERSION, "network": network, "config": json.dumps(config)}
    save_file({k: v.contiguous().clone() for k, v in tensors.items()}, path, metadata=metadata)
    print(path.name, path.stat().st_size, {k: (list(v.shape), f"{v.std():.2f}") for k, v in expected.items()})


for seed, (name, config) in enumerate(CONFIGS.items()):
    vae = net.wan_vae(config, seed)
    with torch.no_grad():
        scale = 2 ** (len(config["dim_mult"]) - 1)
        step = 2 ** sum(config["temperal_downsample"])
        latents = torch.randn(config["z_dim"], 4, 3, 2)
        frames = vae.decode(latents[None]).sample[0]
        inputs = torch.rand(3, 1 + 3 * step, 2 * scale, 3 * scale) * 2 - 1
        mean = vae.encode(inputs[None]).latent_dist.mode()[0]
    decoder = lambda k: k.startswith(("decoder.", "post_quant"))
    save(f"wan-vae-{name}-decoder", "wan-vae-decoder", config, vae, decoder, {"latents": latents}, {"frames": frames})
    encoder = lambda k: not decoder(k)
    save(f"wan-vae-{name}-encoder", "wan-vae-encoder", config, vae, encoder, {"frames": inputs}, {"latents": mean})
