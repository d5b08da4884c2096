"""Makes tests/goldens/streaming-*.safetensors: the causal transformer over a long clip, written plainly in PyTorch.

    python training/goldens/make_streaming.py

- Window and sink as in Self-Forcing and LongLive: a block sees the sink (the first frames since the cache was begun)
  and the last frames that fit, its own included.
- Positions `window`: keys are kept WITHOUT their rotary turn; at every use the frames that are seen are numbered
  0, 1, 2 ... in order, and keys and queries are turned by these numbers. The app keeps turned keys instead and moves the
  sink along; that both agree is the point of the golden.
- A change of prompt (LongLive's `_recache_after_switch`): the cache is dropped and rebuilt in ONE pass at t = 0 over the
  last clean latents that fit the window, with the new prompt, under a block-causal mask. A cut drops the cache.
"""

import torch
import torch.nn.functional as nnf
from diffusers.models.embeddings import get_timestep_embedding

import networks as net
from make_goldens import save, wan_config


class StreamingWan:
    """Block by block over diffusers' weights. cache: per layer (k, v), [heads, frames, tokens, d], k not turned."""

    def __init__(self, model, config):
        self.m, self.c, self.heads = model, config, config["num_attention_heads"]
        self.forget()

    def forget(self):
        self.cache = [None] * len(self.m.blocks)

    def say(self, text):
        context = self.m.condition_embedder.text_embedder(net.pad_text(text, self.c["text_len"]))[0]
        self.cross = [
            (net.heads_first(b.attn2.norm_k(b.attn2.to_k(context)), self.heads),
             net.heads_first(b.attn2.to_v(context), self.heads))
            for b in self.m.blocks
        ]

    def forward(self, latents, timesteps, write, mask=None):
        """latents [C,F,H,W], timesteps [F]; mask [F, F] by frame (row sees column), None: everything."""
        m, c = self.m, self.c
        _, p, q = c["patch_size"]
        x = m.patch_embedding(latents[None])[0]
        frames, height, width = x.shape[1:]
        tokens = height * width
        x = x.flatten(1).T
        wave = get_timestep_embedding(timesteps, c["freq_dim"], flip_sin_to_cos=True, downscale_freq_shift=0)
        e = m.condition_embedder.time_embedder(wave)
        e0 = m.condition_embedder.time_proj(nnf.silu(e)).unflatten(1, (6, -1))

        def per_token(t):
            return t.repeat_interleave(tokens, dim=0)

        def norm(t):
            return nnf.layer_norm(t, t.shape[-1:], eps=c["eps"])

        def by_frame(t):  # [heads, F·tokens, d] → [heads, F, tokens, d]
            return t.unflatten(1, (-1, tokens))

        for layer, b in enumerate(m.blocks):
            shift1, scale1, gate1, shift2, scale2, gate2 = per_token(b.scale_shift_table + e0).unbind(1)
            y = norm(x) * (1 + scale1) + shift1
            q_ = net.heads_first(b.attn1.norm_q(b.attn1.to_q(y)), self.heads)
            k_ = by_frame(net.heads_first(b.attn1.norm_k(b.attn1.to_k(y)), self.heads))
            v_ = by_frame(net.heads_first(b.attn1.to_v(y), self.heads))
            k, v = k_, v_
            if self.cache[layer] is not None:
                k, v = (torch.cat([old, new], 1) for old, new in zip(self.cache[layer], (k_, v_)))
            if write:
                self.cache[layer] = (k, v)
            seen = self.seen(k.shape[1], frames)
            k, v = k[:, seen].flatten(1, 2), v[:, seen].flatten(1, 2)
            # the frames that are seen stand at 0, 1, 2 …; this block's own are the last of them
            angles = net.rope_angles(c, len(seen), height, width, 0)
            q_ = net.rotate(q_, angles[-frames * tokens:])
            k = net.rotate(k, angles)
            w = q_ @ k.transpose(1, 2) / q_.shape[-1] ** 0.5
            if mask is not None:
                full = mask.repeat_interleave(tokens, 0).repeat_interleave(tokens, 1)
                w = w.masked_fill(~full, -torch.inf)
            y = (w.softmax(-1) @ v).transpose(0, 1).flatten(1)
            x = x + gate1 * b.attn1.to_out[0](y)
            q_ = net.heads_first(b.attn2.norm_q(b.attn2.to_q(b.norm2(x))), self.heads)
            x = x + b.attn2.to_out[0](net.attend(q_, *self.cross[layer]))
            x = x + gate2 * b.ffn(norm(x) * (1 + scale2) + shift2)
        shift, scale = per_token(m.scale_shift_table + e[:, None]).unbind(1)
        y = m.proj_out(norm(x) * (1 + scale) + shift)
        y = y.reshape(frames, height, width, p, q, -1).permute(5, 0, 1, 3, 2, 4)
        return y.reshape(-1, frames, height * p, width * q)

    def seen(self, total, own):
        """Numbers of the frames, own included, that a block of `own` frames sees."""
        window, sink = self.c["window"], self.c["sink"]
        return [i for i in range(total) if i < sink or i >= total - (window - sink)]


@torch.no_grad()
def run_script(model, config, noisy, clean, timestep, texts):
    """config.script: [first frame, index of the text, "start" | "switch" | "cut"] in order."""
    wan = StreamingWan(model, config)
    n = config["num_frame_per_block"]
    events = {first: (text, how) for first, text, how in config["script"]}
    begun, out = 0, []
    for a in range(0, noisy.shape[1], n):
        z = a + n
        if a in events:
            text, how = events[a]
            wan.forget()
            wan.say(texts[text])
            if how == "switch":
                start = max(begun, a - config["window"])
                block = torch.arange(a - start) // n
                wan.forward(clean[:, start:a], torch.zeros(a - start), True, block[:, None] >= block[None, :])
            elif how == "cut":
                begun = a
        out.append(wan.forward(noisy[:, a:z], timestep[a:z], False))
        wan.forward(clean[:, a:z], torch.zeros(n), True)
    return {"sample": torch.cat(out, 1)}


@torch.no_grad()
def check(model, config, noisy, clean, time, text):
    """Without a sink positions do not matter: the golden of `make_goldens.py` and this one must agree."""
    bare = config | {"sink": 0, "script": [[0, 0, "start"]]}
    ours = run_script(model, bare, noisy, clean, time, [text])["sample"]
    theirs = net.run_causal(model, bare, noisy, clean, time, text)["sample"]
    error = ((ours - theirs).norm() / theirs.norm()).item()
    assert error < 1e-5, f"turned at use and turned when kept differ by {error}"


def streaming(name, config, shape, lengths, seed):
    model = net.wan(config | {}, seed, True)
    noisy = net.seeded((config["in_channels"], *shape), seed + 1)
    clean = net.seeded((config["in_channels"], *shape), seed + 2)
    texts = [net.seeded((n, config["text_dim"]), seed + 3 + i) for i, n in enumerate(lengths)]
    time = 1000 * torch.rand(shape[0], generator=torch.Generator().manual_seed(seed + 9))
    out = run_script(model, config, noisy, clean, time, texts)
    check(model, config, noisy, clean, time, texts[0])
    inputs = {"hidden_states": noisy, "context": clean, "timestep": time}
    inputs |= {f"text_{i}": t for i, t in enumerate(texts)}
    save(name, "wan-transformer-streaming", config, model, inputs, out, True)


def main():
    # The app's own fields are unknown to diffusers' constructor.
    net.WAN_ONLY_OURS = (*net.WAN_ONLY_OURS, "script", "positions")
    ours = {"num_frame_per_block": 2, "ffn_dim": 24, "positions": "window"}
    # seven windows long, so that a sink that stayed behind would be far away
    long = wan_config(1, 16, window=6, sink=2, **ours) | {"script": [[0, 0, "start"]]}
    streaming("streaming-window", long, (24, 4, 2), (3,), seed=100)
    # a change of prompt when frames have fallen out, a cut, a change before the window is full again
    script = [[0, 0, "start"], [8, 1, "switch"], [14, 2, "cut"], [18, 0, "switch"]]
    told = wan_config(2, 12, window=6, sink=1, **ours) | {"script": script}
    streaming("streaming-script", told, (24, 4, 2), (3, 5, 16), seed=110)


if __name__ == "__main__":
    main()
