"""Small seeded networks and their reference outputs, shared by the goldens and the parity cases.

Bidirectional transformer: diffusers' `WanTransformer3DModel`. Text encoder: transformers' `UMT5EncoderModel`.
TAEHV and the causal transformer: plain PyTorch written for this purpose from the published facts; the causal
one is checked against diffusers' own blocks under an attention mask (`check_causal`).

Letters: L text length, N tokens, D width, F latent frames, T pixel frames, C channels, H W h w heights and widths.
"""

import math

import torch
import torch.nn.functional as nnf
from diffusers import WanTransformer3DModel
from diffusers.models.embeddings import get_timestep_embedding
from torch import nn
from transformers import UMT5Config, UMT5EncoderModel


def randomise(module, seed, half=False):
    """Seeded weights of a sane scale. Nothing stays at 0 or 1, where a mistake would not show.

    half: values that f16 holds exactly, so that a file of half the size has the same numbers.
    """
    g = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, p in module.named_parameters():
            noise = torch.randn(p.shape, generator=g)
            if "norm" in name and name.endswith("weight"):
                p.copy_(1 + 0.3 * noise)
            elif p.ndim == 1:
                p.copy_(0.3 * noise)
            elif "scale_shift_table" in name or "relative_attention_bias" in name or "shared" in name:
                p.copy_(noise if "shared" in name else 0.5 * noise)
            else:
                # ReLU halves the energy of what passes; T5 does not scale its scores.
                gain = 1.4 if p.ndim == 4 else 0.5 if name.endswith((".q.weight", ".k.weight")) else 1.0
                p.copy_(gain * noise / math.sqrt(p[0].numel()))
            if half:
                p.copy_(p.half().float())
    return module.eval()


def seeded(shape, seed, scale=1.0):
    return scale * torch.randn(shape, generator=torch.Generator().manual_seed(seed))


# ---- UMT5


def umt5(config, seed, half=False):
    return randomise(UMT5EncoderModel(UMT5Config(**config)), seed, half)


@torch.no_grad()
def run_umt5(model, input_ids):
    """input_ids [L] → every layer's output, and `hidden` [L, D]."""
    out, hooks = {}, []

    def keep(name):
        return lambda _m, _i, o: out.__setitem__(name, (o[0] if isinstance(o, tuple) else o)[0].clone())

    hooks.append(model.encoder.embed_tokens.register_forward_hook(keep("embed")))
    for i, block in enumerate(model.encoder.block):
        hooks.append(block.register_forward_hook(keep(f"blocks.{i}")))
    out["hidden"] = model(input_ids=input_ids[None].long()).last_hidden_state[0]
    for h in hooks:
        h.remove()
    return out


# ---- Wan transformer, bidirectional

WAN_ONLY_OURS = ("text_len", "num_frame_per_block", "window", "sink")


def wan(config, seed, half=False):
    theirs = {k: tuple(v) if k == "patch_size" else v for k, v in config.items() if k not in WAN_ONLY_OURS}
    return randomise(WanTransformer3DModel(**theirs), seed, half)


def pad_text(text, text_len):
    """[L, text_dim] → [1, max(L, text_len), text_dim]: zero rows behind."""
    return nnf.pad(text, (0, 0, 0, max(0, text_len - text.shape[0])))[None]


@torch.no_grad()
def run_wan(model, hidden_states, timestep, text, text_len):
    """hidden_states [C,F,H,W], timestep [1], text [L,text_dim] → layer by layer, and `sample` [C,F,H,W]."""
    out, hooks = {}, []

    def keep(name, pick=lambda o: o[0]):
        return lambda _m, _i, o: out.__setitem__(name, pick(o).clone())

    embedder = model.condition_embedder
    hooks.append(model.patch_embedding.register_forward_hook(keep("patch_embedding", lambda o: o[0].flatten(1).T)))
    hooks.append(embedder.time_embedder.register_forward_hook(keep("time_embedder", lambda o: o)))
    hooks.append(embedder.time_proj.register_forward_hook(keep("time_proj", lambda o: o)))
    hooks.append(
        embedder.text_embedder.register_forward_hook(
            # all pad rows are alike: the real ones and one of them
            keep("text_embedder", lambda o: o[0, : text.shape[0] + (1 if text_len > text.shape[0] else 0)])
        )
    )
    for i, block in enumerate(model.blocks):
        hooks.append(block.register_forward_hook(keep(f"blocks.{i}")))
    hooks.append(model.proj_out.register_forward_hook(keep("proj_out")))
    out["sample"] = model(hidden_states[None], timestep, pad_text(text, text_len)).sample[0]
    for h in hooks:
        h.remove()
    return out


# ---- Wan transformer, causal


def rope_angles(config, frames, height, width, frame_offset):
    """[N, d/2] in f64: angle of each complex pair of a head, the pairs split over frame, row, column."""
    d = config["attention_head_dim"]
    side = 2 * (d // 6)
    axes = []
    for dim in (d - 2 * side, side, side):
        axes.append(10000.0 ** (-torch.arange(0, dim, 2, dtype=torch.float64) / dim))
    f = torch.arange(frame_offset, frame_offset + frames, dtype=torch.float64)
    grid = torch.meshgrid(f, torch.arange(height).double(), torch.arange(width).double(), indexing="ij")
    return torch.cat([g.reshape(-1, 1) * ladder for g, ladder in zip(grid, axes)], dim=1)


def rotate(x, angles):
    """x [heads, N, d] as N complex pairs, turned."""
    z = torch.view_as_complex(x.double().unflatten(-1, (-1, 2)).contiguous())
    turned = z * torch.polar(torch.ones_like(angles), angles)
    return torch.view_as_real(turned).flatten(-2).float()


def heads_first(x, heads):
    return x.unflatten(1, (heads, -1)).transpose(0, 1)


def attend(q, k, v):
    """q [heads, n, d], k v [heads, m, d] → [n, heads·d]."""
    w = torch.softmax(q @ k.transpose(1, 2) / math.sqrt(q.shape[-1]), dim=-1)
    return (w @ v).transpose(0, 1).flatten(1)


class CausalWan:
    """Block by block over diffusers' weights, with a cache of roped keys and values per layer."""

    def __init__(self, model, config, text):
        self.m, self.c, self.heads = model, config, config["num_attention_heads"]
        self.cache = [[] for _ in model.blocks]  # entries (k, v, frames)
        context = model.condition_embedder.text_embedder(pad_text(text, config.get("text_len", 512)))[0]
        self.cross = []
        for b in model.blocks:
            k = b.attn2.norm_k(b.attn2.to_k(context))
            self.cross.append((heads_first(k, self.heads), heads_first(b.attn2.to_v(context), self.heads)))

    def kept(self, layer, frames):
        """Cached keys and values that a new block of so many frames still sees: sink and the last of the window."""
        window, sink = self.c.get("window", 1 << 30), self.c.get("sink", 0)
        k = torch.cat([e[0] for e in self.cache[layer]], 1)
        v = torch.cat([e[1] for e in self.cache[layer]], 1)
        past = sum(e[2] for e in self.cache[layer])
        per_frame = k.shape[1] // past
        last = window - frames - sink  # frames behind the sink
        rows = [i for i in range(past) if i < sink or i >= past - last]
        index = torch.cat([torch.arange(i * per_frame, (i + 1) * per_frame) for i in rows])
        return k[:, index], v[:, index]

    def block(self, latents, timesteps, frame, write):
        """latents [C,F,H,W], timesteps [F] → flow [C,F,H,W]."""
        m, c = self.m, self.c
        _, p, q = c["patch_size"]
        x = m.patch_embedding(latents[None])[0]
        frames, height, width = x.shape[1:]
        x = x.flatten(1).T
        angles = rope_angles(c, frames, height, width, frame)
        wave = get_timestep_embedding(timesteps, c["freq_dim"], flip_sin_to_cos=True, downscale_freq_shift=0)
        e = m.condition_embedder.time_embedder(wave)  # [F, D]
        e0 = m.condition_embedder.time_proj(nnf.silu(e)).unflatten(1, (6, -1))  # [F, 6, D]

        def per_token(t):
            return t.repeat_interleave(height * width, dim=0)

        def norm(t):
            return nnf.layer_norm(t, t.shape[-1:], eps=c["eps"])

        for layer, b in enumerate(m.blocks):
            shift1, scale1, gate1, shift2, scale2, gate2 = per_token(b.scale_shift_table + e0).unbind(1)
            y = norm(x) * (1 + scale1) + shift1
            qs = rotate(heads_first(b.attn1.norm_q(b.attn1.to_q(y)), self.heads), angles)
            ks = rotate(heads_first(b.attn1.norm_k(b.attn1.to_k(y)), self.heads), angles)
            vs = heads_first(b.attn1.to_v(y), self.heads)
            k, v = ks, vs
            if self.cache[layer]:
                past_k, past_v = self.kept(layer, frames)
                k, v = torch.cat([past_k, ks], 1), torch.cat([past_v, vs], 1)
            if write:
                self.cache[layer].append((ks, vs, frames))
            x = x + gate1 * b.attn1.to_out[0](attend(qs, k, v))
            qs = heads_first(b.attn2.norm_q(b.attn2.to_q(b.norm2(x))), self.heads)
            x = x + b.attn2.to_out[0](attend(qs, *self.cross[layer]))
            x = x + gate2 * b.ffn(norm(x) * (1 + scale2) + shift2)
        shift, scale = per_token(m.scale_shift_table + e[:, None]).unbind(1)
        y = m.proj_out(norm(x) * (1 + scale) + shift)
        y = y.reshape(frames, height, width, p, q, -1).permute(5, 0, 1, 3, 2, 4)
        return y.reshape(-1, frames, height * p, width * q)


def frame_blocks(config, frames):
    n = config["num_frame_per_block"]
    return [(f, min(f + n, frames)) for f in range(0, frames, n)]


@torch.no_grad()
def run_causal(model, config, hidden_states, context, timestep, text):
    """Each block's flow from hidden_states, then the clean context written into the cache at t = 0."""
    net = CausalWan(model, config, text)
    out = []
    for a, z in frame_blocks(config, hidden_states.shape[1]):
        out.append(net.block(hidden_states[:, a:z], timestep[a:z], a, write=False))
        net.block(context[:, a:z], torch.zeros(z - a), a, write=True)
    return {"sample": torch.cat(out, 1)}


@torch.no_grad()
def check_causal(model, config, hidden_states, context, timestep, text, sample):
    """The same through diffusers' own blocks: clean and noisy clip side by side in one masked sequence."""
    frames, height, width = hidden_states.shape[1:]
    _, p, q = config["patch_size"]
    per_frame = (height // p) * (width // q)

    def tokens(latents):
        return model.patch_embedding(latents[None]).flatten(2).transpose(1, 2)

    x = torch.cat([tokens(context), tokens(hidden_states)], 1)
    cos, sin = model.rope(hidden_states[None])
    rotary = (torch.cat([cos, cos], 1), torch.cat([sin, sin], 1))
    times = torch.cat([torch.zeros(frames), timestep]).repeat_interleave(per_frame)
    temb, proj, text, _ = model.condition_embedder(
        times, pad_text(text, config.get("text_len", 512)), None, timestep_seq_len=len(times)
    )
    proj = proj.unflatten(2, (6, -1))
    n, window, sink = config["num_frame_per_block"], config.get("window", 1 << 30), config.get("sink", 0)
    block = torch.arange(frames) // n
    ends = torch.clamp((block + 1) * n, max=frames)
    past = block[None, :] < block[:, None]  # row sees column
    f = torch.arange(frames)
    past &= (f[None, :] < sink) | (f[None, :] >= ends[:, None] - (window - sink))
    same = block[None, :] == block[:, None]
    mask = torch.cat([torch.cat([past | same, torch.zeros_like(same)], 1), torch.cat([past, same], 1)], 0)
    mask = mask.repeat_interleave(per_frame, 0).repeat_interleave(per_frame, 1)

    class Masked:
        def __init__(self, inner):
            self.inner = inner

        def __call__(self, attn, h, encoder=None, _mask=None, rotary_emb=None):
            return self.inner(attn, h, encoder, mask[None, None] if encoder is None else None, rotary_emb)

    originals = [b.attn1.processor for b in model.blocks]
    for b in model.blocks:
        b.attn1.processor = Masked(b.attn1.processor)
        x = b(x, text, proj, rotary)
    for b, original in zip(model.blocks, originals):
        b.attn1.processor = original
    shift, scale = (model.scale_shift_table[:, None] + temb.unsqueeze(2)).unbind(2)
    y = model.proj_out(model.norm_out(x) * (1 + scale) + shift)[0, frames * per_frame :]
    y = y.reshape(frames, height // p, width // q, p, q, -1).permute(5, 0, 1, 3, 2, 4).reshape(sample.shape)
    error = ((y - sample).norm() / sample.norm()).item()
    assert error < 1e-5, f"block by block and masked differ by {error}"


# ---- TAEHV (facts and key names: madebyollin/taehv)


def conv3x3(n_in, n_out, **kw):
    return nn.Conv2d(n_in, n_out, 3, padding=1, **kw)


class MemBlock(nn.Module):
    """x and the frame before it, three convolutions, a skip."""

    def __init__(self, n):
        super().__init__()
        layers = [conv3x3(2 * n, n), nn.ReLU(), conv3x3(n, n), nn.ReLU(), conv3x3(n, n)]
        self.conv = nn.Sequential(*layers)

    def forward(self, x):  # [T,C,h,w]
        before = torch.cat([torch.zeros_like(x[:1]), x[:-1]])
        return nnf.relu(self.conv(torch.cat([x, before], 1)) + x)


class TimeShuffle(nn.Module):
    """1×1 convolution between one frame and `n` frames side by side in the channels."""

    def __init__(self, channels, n, grow):
        super().__init__()
        self.n, self.grow = n, grow
        wide = channels * n
        self.conv = nn.Conv2d(channels if grow else wide, wide if grow else channels, 1, bias=False)

    def forward(self, x):
        t, c, h, w = x.shape
        if self.grow:
            return self.conv(x).reshape(t * self.n, c, h, w)
        return self.conv(x.reshape(t // self.n, c * self.n, h, w))


class SoftClamp(nn.Module):
    def forward(self, x):
        return 3 * torch.tanh(x / 3)


class Taehv(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.patch = config.get("patch_size", 1)
        z, widths, c = config["latent_channels"], config["decoder_channels"], config["encoder_channels"]
        pixel = 3 * self.patch**2
        grow, up, down = (
            config[k] for k in ("decoder_time_upscale", "decoder_space_upscale", "encoder_time_downscale")
        )
        layers = [SoftClamp(), conv3x3(z, widths[0]), nn.ReLU()]
        for i, (n_in, n_out) in enumerate(zip(widths, widths[1:])):
            layers += [MemBlock(n_in), MemBlock(n_in), MemBlock(n_in)]
            layers += [nn.Upsample(scale_factor=2 if up[i] else 1), TimeShuffle(n_in, 2 if grow[i] else 1, True)]
            layers += [conv3x3(n_in, n_out, bias=False)]
        self.decoder = nn.Sequential(*layers, nn.ReLU(), conv3x3(widths[-1], pixel))
        layers = [conv3x3(pixel, c), nn.ReLU()]
        for flag in down:
            layers += [TimeShuffle(c, 2 if flag else 1, False), conv3x3(c, c, stride=2, bias=False)]
            layers += [MemBlock(c), MemBlock(c), MemBlock(c)]
        self.encoder = nn.Sequential(*layers, conv3x3(c, z))
        self.time_up, self.time_down = 2 ** sum(map(bool, grow)), 2 ** sum(map(bool, down))


def taehv(config, seed, half=False, probe=(4, 5)):
    model = randomise(Taehv(config), seed, half)
    with torch.no_grad():
        # Most pixels inside [0, 1], some outside, so that the clamp at the end shows without hiding the rest.
        last = model.decoder[-1]
        probe = model.decoder(seeded((2, config["latent_channels"], *probe), seed + 9))
        scale = 0.3 / probe.std((0, 2, 3))
        last.weight.mul_(scale[:, None, None, None])
        last.bias.copy_(0.5 + scale * (last.bias - probe.mean((0, 2, 3))))
        if half:
            for p in model.decoder[-1].parameters():
                p.copy_(p.half().float())
    return model


def run_layers(layers, x, out, side):
    """Keeps what every layer with weights makes; the others would show in the next one."""
    for i, layer in enumerate(layers):
        x = layer(x)
        if any(True for _ in layer.parameters()):
            out[f"{side}.{i}"] = x
    return x


@torch.no_grad()
def run_taehv_decoder(model, latents):
    """latents [F,C,h,w] → every layer, and `frames` [T,3,H,W] in [0,1]."""
    out = {}
    x = run_layers(model.decoder, latents, out, "decoder")
    if model.patch > 1:
        x = nnf.pixel_shuffle(x, model.patch)
    out["frames"] = x.clamp(0, 1)[model.time_up - 1 :]
    return out


@torch.no_grad()
def run_taehv_encoder(model, frames):
    """frames [T,3,H,W] in [0,1] → every layer, and `latents` [F,C,h,w]."""
    out = {}
    x = nnf.pixel_unshuffle(frames, model.patch) if model.patch > 1 else frames
    missing = -x.shape[0] % model.time_down
    x = torch.cat([x, x[-1:].expand(missing, -1, -1, -1)])
    out["latents"] = run_layers(model.encoder, x, out, "encoder")
    return out


def wan_vae(config, seed):
    """diffusers' AutoencoderKLWan with seeded numbers that f16 holds, and latents as they are."""
    from diffusers import AutoencoderKLWan

    torch.manual_seed(seed)
    z = config["z_dim"]
    vae = AutoencoderKLWan(**config, latents_mean=[0.0] * z, latents_std=[1.0] * z).eval()
    with torch.no_grad():
        for p in vae.parameters():
            if p.ndim > 3 and p.shape[1] > 1:  # kernels that keep the size of what goes through
                p.normal_(0, (1.5 / p[0].numel()) ** 0.5)
            elif p.ndim == 1:
                p.normal_(0, 0.1)
            else:
                p.uniform_(0.5, 1.5)
            p.copy_(p.half().float())
    return vae
