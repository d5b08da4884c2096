"""Makes tests/goldens/samplers.json: diffusers' schedulers stepped through on a seeded toy network.

    python training/goldens/make_samplers.py && npx prettier --write tests/goldens/samplers.json

The network is v(x, σ) = sin(3·x) + σ·x, in float64.
"""

import json
from pathlib import Path

import torch
from diffusers import FlowMatchEulerDiscreteScheduler, UniPCMultistepScheduler

OUT = Path(__file__).parents[2] / "tests" / "goldens" / "samplers.json"
x0 = torch.randn(1, 4, 2, generator=torch.Generator().manual_seed(3), dtype=torch.float64)


def flow(x, sigma):
    return torch.sin(3 * x) + sigma * x


def walk(scheduler, n):
    scheduler.set_timesteps(n)
    x = x0.clone()
    xs = []
    for i, t in enumerate(scheduler.timesteps):
        x = scheduler.step(flow(x, float(scheduler.sigmas[i])), t, x).prev_sample
        xs.append(x.flatten().tolist())
    return {
        "sigmas": scheduler.sigmas.double().tolist(),
        "timesteps": scheduler.timesteps.double().tolist(),
        "xs": xs,
    }


result = {"x": x0.flatten().tolist(), "unipc": [], "euler": []}
for n in (1, 2, 3, 6, 20):
    for shift in (3.0, 5.0):
        unipc = UniPCMultistepScheduler(
            prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=shift, num_train_timesteps=1000
        )
        result["unipc"].append({"n": n, "shift": shift, **walk(unipc, n)})
# Noise levels for many numbers of steps; the walks of a few of them would add nothing but bytes.
for n in (1, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 40, 50):
    for shift in (3.0, 5.0):
        walked = walk(FlowMatchEulerDiscreteScheduler(shift=shift), n)
        if n not in (1, 3, 8):
            del walked["xs"]
        result["euler"].append({"n": n, "shift": shift, **walked})


def rounded(v):
    if isinstance(v, dict):
        return {k: rounded(x) for k, x in v.items()}
    if isinstance(v, list):
        return [rounded(x) for x in v]
    return float(f"{v:.9g}") if isinstance(v, float) else v


OUT.write_text(json.dumps(rounded(result)) + "\n")
print(OUT.stat().st_size)
