"""The Wan transformer graph with diffusers' key names (WanTransformer3DModel), bidirectional or causal by its mask.

B batch, C latent channels, F latent frames, N tokens (frame, row, column order), D width, H heads, K head size.
The network predicts flow v = noise - x0; timesteps run from 0 (clean) to 1000 (noise), one per latent frame.
"""
import math

import torch
import torch.nn as nn
import torch.nn.functional as F

CONFIG = {
    "patch_size": [1, 2, 2], "num_attention_heads": 3, "attention_head_dim": 64, "in_channels": 24, "out_channels": 24,
    "text_dim": 192, "freq_dim": 256, "ffn_dim": 768, "num_layers": 6, "cross_attn_norm": True,
    "qk_norm": "rms_norm_across_heads", "eps": 1e-6, "rope_max_seq_len": 1024, "text_len": 48,
}


class RMSNorm(nn.Module):
    def __init__(self, width: int, eps: float):
        super().__init__()
        self.weight, self.eps = nn.Parameter(torch.ones(width)), eps

    def forward(self, x):
        return F.rms_norm(x.float(), x.shape[-1:], self.weight, self.eps).to(x.dtype)


class Attention(nn.Module):
    """Self-attention with RoPE, or cross-attention when `context` is given."""

    def __init__(self, c: dict):
        super().__init__()
        d = c["num_attention_heads"] * c["attention_head_dim"]
        self.heads = c["num_attention_heads"]
        self.to_q, self.to_k, self.to_v = nn.Linear(d, d), nn.Linear(d, d), nn.Linear(d, d)
        self.to_out = nn.ModuleList([nn.Linear(d, d)])
        self.norm_q, self.norm_k = RMSNorm(d, c["eps"]), RMSNorm(d, c["eps"])

    def forward(self, x, context=None, rope=None, mask=None, cache=None):
        """x [B, N, D]; cache: None, or (k, v) [B, H, M, K] to put in front. -> out [B, N, D], (k, v) of x."""
        split = lambda t: t.unflatten(-1, (self.heads, -1)).transpose(1, 2)
        source = x if context is None else context
        q, k, v = split(self.norm_q(self.to_q(x))), split(self.norm_k(self.to_k(source))), split(self.to_v(source))
        if rope is not None:
            q, k = rotate(q, rope).to(v.dtype), rotate(k, rope).to(v.dtype)
        own = (k, v)
        if cache is not None:
            k, v = torch.cat([cache[0], k], 2), torch.cat([cache[1], v], 2)
        if mask is None:
            out = attend(q, k, v)
        else:  # a list of (queries, keys): slices, so that nothing is computed that the mask would drop
            take = lambda t, slices: torch.cat([t[:, :, s] for s in slices], 2)
            out = torch.cat([attend(q[:, :, a], take(k, b), take(v, b)) for a, b in mask], 2)
        return self.to_out[0](out.transpose(1, 2).flatten(2)), own


def attend(q, k, v):
    """Plain attention [B, H, N, K]; for these few keys it is four times as fast on a CPU as the fused kernel, which a GPU takes."""
    if q.is_cuda:
        return F.scaled_dot_product_attention(q, k, v)
    weights = (q @ k.mT).float() * q.shape[-1] ** -0.5
    return weights.softmax(-1).to(v.dtype) @ v


def rotate(x: torch.Tensor, rope: tuple) -> torch.Tensor:
    """Interleaved pairs of x [B, H, N, K] turned by rope = (cos, sin), each [N, K/2]."""
    a, b = x.float().unflatten(-1, (-1, 2)).unbind(-1)
    cos, sin = rope
    return torch.stack([a * cos - b * sin, a * sin + b * cos], -1).flatten(-2)


def rope_table(frames: torch.Tensor, rows: int, columns: int, size: int) -> tuple:
    """(cos, sin) [N, K/2] for absolute latent frame numbers `frames` [F] and a rows x columns token grid, where `frames` are."""
    axes = (size - 4 * (size // 6), 2 * (size // 6), 2 * (size // 6))  # frame, row, column: 44, 42, 42 of 128
    places = torch.meshgrid(*(n.float() for n in (frames, torch.arange(rows, device=frames.device), torch.arange(columns, device=frames.device))), indexing="ij")
    rates = [10000.0 ** (-torch.arange(0, n, 2, device=frames.device).double() / n) for n in axes]
    angle = torch.cat([p.flatten()[:, None] * rate.float() for p, rate in zip(places, rates)], -1)
    return angle.cos(), angle.sin()


def turn_table(frames: int, size: int, device: torch.device | str = "cpu") -> tuple:
    """(cos, sin) [1, K/2] that move a turned key by so many frames: turns add up."""
    return rope_table(torch.tensor([frames], device=device), 1, 1, size)


class GeluProj(nn.Module):
    def __init__(self, n_in: int, n_out: int):
        super().__init__()
        self.proj = nn.Linear(n_in, n_out)

    def forward(self, x):
        return F.gelu(self.proj(x), approximate="tanh")


class FeedForward(nn.Module):
    def __init__(self, width: int, inner: int):
        super().__init__()
        self.net = nn.ModuleList([GeluProj(width, inner), nn.Identity(), nn.Linear(inner, width)])

    def forward(self, x):
        return self.net[2](self.net[0](x))


def per_frame(op, x, *m):
    """Apply `op` to x [B, N, D] seen as [B, F, N/F, D] with per-frame vectors m [B, F, D]."""
    y = op(x.unflatten(1, (m[0].shape[1], -1)), *(v[:, :, None] for v in m))
    return y.flatten(1, 2)


def modulate(x, shift, scale, eps):
    """LayerNorm, then scale and shift by frame: x [B, N, D], shift and scale [B, F, D]."""
    y = F.layer_norm(x, x.shape[-1:], eps=eps)
    return per_frame(lambda y, a, b: torch.addcmul(a, y, 1 + b), y, shift, scale)


def gated(x, y, gate):
    """x + y * gate, the gate by frame [B, F, D]."""
    return x + per_frame(lambda y, g: y * g, y, gate)


class Block(nn.Module):
    def __init__(self, c: dict):
        super().__init__()
        d = c["num_attention_heads"] * c["attention_head_dim"]
        self.eps = c["eps"]
        self.attn1, self.attn2, self.ffn = Attention(c), Attention(c), FeedForward(d, c["ffn_dim"])
        self.norm2 = nn.LayerNorm(d, eps=c["eps"]) if c["cross_attn_norm"] else nn.Identity()
        self.scale_shift_table = nn.Parameter(torch.randn(1, 6, d) / d ** 0.5)

    def forward(self, x, context, e0, rope, mask, cache=None):
        """x [B, N, D], context [B, L, D], e0 [B, F, 6, D] -> x, (k, v)."""
        m = (self.scale_shift_table + e0).unbind(2)
        y, own = self.attn1(modulate(x, m[0], m[1], self.eps), rope=rope, mask=mask, cache=cache)
        x = gated(x, y, m[2])
        x = x + self.attn2(self.norm2(x), context=context)[0]
        return gated(x, self.ffn(modulate(x, m[3], m[4], self.eps)), m[5]), own


class MLP(nn.Module):
    def __init__(self, n_in: int, width: int, act):
        super().__init__()
        self.linear_1, self.linear_2, self.act = nn.Linear(n_in, width), nn.Linear(width, width), act

    def forward(self, x):
        return self.linear_2(self.act(self.linear_1(x)))


class ConditionEmbedder(nn.Module):
    def __init__(self, c: dict, d: int):
        super().__init__()
        self.freq = c["freq_dim"]
        self.time_embedder = MLP(self.freq, d, F.silu)
        self.time_proj = nn.Linear(d, 6 * d)
        self.text_embedder = MLP(c["text_dim"], d, lambda x: F.gelu(x, approximate="tanh"))

    def time(self, t: torch.Tensor) -> tuple:
        """t [B, F] in [0, 1000] -> e [B, F, D], e0 [B, F, 6, D]."""
        half = self.freq // 2
        angle = t[..., None].float() * torch.exp(-math.log(10000) * torch.arange(half, device=t.device) / half)
        e = self.time_embedder(torch.cat([angle.cos(), angle.sin()], -1))
        return e, self.time_proj(F.silu(e)).unflatten(-1, (6, -1))


class WanTransformer(nn.Module):
    def __init__(self, config: dict = CONFIG):
        super().__init__()
        c = self.config = config
        d = c["num_attention_heads"] * c["attention_head_dim"]
        self.patch_embedding = nn.Conv3d(c["in_channels"], d, tuple(c["patch_size"]), tuple(c["patch_size"]))
        self.condition_embedder = ConditionEmbedder(c, d)
        self.blocks = nn.ModuleList(Block(c) for _ in range(c["num_layers"]))
        self.scale_shift_table = nn.Parameter(torch.randn(1, 2, d) / d ** 0.5)
        self.proj_out = nn.Linear(d, c["out_channels"] * math.prod(c["patch_size"]))

    def initialise(self) -> None:
        """Xavier for matrices; gates start small and the head at zero."""
        for name, p in self.named_parameters():
            if p.ndim == 2:
                nn.init.xavier_uniform_(p)
            elif name.endswith("bias"):
                nn.init.zeros_(p)
        nn.init.zeros_(self.proj_out.weight)
        nn.init.normal_(self.condition_embedder.time_proj.weight, std=0.01)
        for block in self.blocks:
            nn.init.zeros_(block.scale_shift_table)
            with torch.no_grad():
                block.scale_shift_table[:, (2, 5)] = 0.5

    def text(self, hidden: torch.Tensor) -> torch.Tensor:
        """Encoder states [B, L, text_dim] -> context [B, text_len, D], zero-padded before the text MLP."""
        return self.condition_embedder.text_embedder(F.pad(hidden, (0, 0, 0, self.config["text_len"] - hidden.shape[1])))

    def forward(self, x, t, context, frames=None, mask=None, caches=None):
        """x [B, C, F, h, w], t [B, F], context of `text` -> flow [B, C, F, h, w], list of (k, v) per layer.

        frames [F]: absolute latent frame numbers; mask: None, or from `teacher_forcing`.
        caches: per layer (k, v) of earlier frames, put before this call's keys and values.
        """
        b, _, f, h, w = x.shape
        rows, columns = h // self.config["patch_size"][1], w // self.config["patch_size"][2]
        frames = (torch.arange(f) if frames is None else frames).to(x.device)
        rope = rope_table(frames, rows, columns, self.config["attention_head_dim"])
        e, e0 = self.condition_embedder.time(t)
        y = self.patch_embedding(x).flatten(2).transpose(1, 2)
        own = []
        for i, block in enumerate(self.blocks):
            y, kv = block(y, context, e0, rope, mask, caches[i] if caches else None)
            own.append(kv)
        shift, scale = (self.scale_shift_table + e[:, :, None]).unbind(2)
        y = self.proj_out(modulate(y, shift, scale, self.config["eps"]))
        ph, pw = self.config["patch_size"][1:]
        y = y.view(b, f, rows, columns, ph, pw, -1).permute(0, 6, 1, 2, 4, 3, 5).reshape(b, -1, f, h, w)
        return y, own


def teacher_forcing(parts: list, size: int) -> list:
    """The attention plan of a sequence made of blocks of `size` tokens each: [(query slice, [key slices])].

    parts: per block of the sequence (block number, clean?). Clean block b sees clean blocks <= b; a noisy block b
    sees clean blocks < b and itself.
    """
    where = [slice(i * size, (i + 1) * size) for i in range(len(parts))]
    plan = []
    for i, (block, clean) in enumerate(parts):
        past = [where[j] for j, (other, is_clean) in enumerate(parts) if is_clean and other < block]
        plan.append((where[i], past + [where[i]]))
    return plan
