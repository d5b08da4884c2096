"""The UMT5 encoder graph, key names of transformers' UMT5EncoderModel. D width, H heads, K head size, L tokens."""
import math

import torch
import torch.nn as nn
import torch.nn.functional as F

CONFIG = {
    "vocab_size": 1024, "d_model": 192, "d_kv": 48, "d_ff": 384, "num_layers": 2, "num_heads": 4,
    "relative_attention_num_buckets": 32, "relative_attention_max_distance": 128, "layer_norm_epsilon": 1e-6,
    "feed_forward_proj": "gated-gelu", "pad_token_id": 0, "eos_token_id": 1,
}


class RMSNorm(nn.Module):
    def __init__(self, width: int, eps: float):
        super().__init__()
        self.weight, self.eps = nn.Parameter(torch.ones(width)), eps

    def forward(self, x):
        return self.weight * (x.float() * torch.rsqrt(x.float().square().mean(-1, keepdim=True) + self.eps))


def buckets(length: int, count: int, distance: int) -> torch.Tensor:
    """T5's bidirectional buckets of key minus query position -> [L, L] (query, key)."""
    relative = torch.arange(length)[None] - torch.arange(length)[:, None]
    half = count // 2
    exact = half // 2
    size = relative.abs()
    large = exact + (torch.log(size.float().clamp(min=1) / exact) / math.log(distance / exact) * (half - exact)).long()
    return (relative > 0) * half + torch.where(size < exact, size, large.clamp(max=half - 1))


class Attention(nn.Module):
    def __init__(self, c: dict):
        super().__init__()
        self.c, inner = c, c["num_heads"] * c["d_kv"]
        self.q, self.k, self.v = (nn.Linear(c["d_model"], inner, bias=False) for _ in range(3))
        self.o = nn.Linear(inner, c["d_model"], bias=False)
        self.relative_attention_bias = nn.Embedding(c["relative_attention_num_buckets"], c["num_heads"])

    def forward(self, x, mask):  # x [B, L, D], mask [B, L] True for real tokens
        split = lambda t: t.unflatten(-1, (self.c["num_heads"], -1)).transpose(1, 2)
        where = buckets(x.shape[1], self.c["relative_attention_num_buckets"], self.c["relative_attention_max_distance"])
        bias = self.relative_attention_bias(where.to(x.device)).permute(2, 0, 1)[None]  # [1, H, L, L]
        bias = bias.masked_fill(~mask[:, None, None], -1e9)
        scores = (split(self.q(x)) @ split(self.k(x)).mT).float() + bias  # T5 does not scale them
        out = scores.softmax(-1).to(x.dtype) @ split(self.v(x)).to(x.dtype)
        return self.o(out.transpose(1, 2).flatten(2))


class SelfAttentionLayer(nn.Module):
    def __init__(self, c: dict):
        super().__init__()
        self.SelfAttention, self.layer_norm = Attention(c), RMSNorm(c["d_model"], c["layer_norm_epsilon"])

    def forward(self, x, mask):
        return x + self.SelfAttention(self.layer_norm(x), mask)


class GatedGelu(nn.Module):
    def __init__(self, c: dict):
        super().__init__()
        self.wi_0, self.wi_1 = (nn.Linear(c["d_model"], c["d_ff"], bias=False) for _ in range(2))
        self.wo = nn.Linear(c["d_ff"], c["d_model"], bias=False)

    def forward(self, x):
        return self.wo(F.gelu(self.wi_0(x), approximate="tanh") * self.wi_1(x))


class FeedForwardLayer(nn.Module):
    def __init__(self, c: dict):
        super().__init__()
        self.DenseReluDense, self.layer_norm = GatedGelu(c), RMSNorm(c["d_model"], c["layer_norm_epsilon"])

    def forward(self, x):
        return x + self.DenseReluDense(self.layer_norm(x))


class Block(nn.Module):
    def __init__(self, c: dict):
        super().__init__()
        self.layer = nn.ModuleList([SelfAttentionLayer(c), FeedForwardLayer(c)])

    def forward(self, x, mask):
        return self.layer[1](self.layer[0](x, mask))


class Stack(nn.Module):
    def __init__(self, c: dict):
        super().__init__()
        self.block = nn.ModuleList(Block(c) for _ in range(c["num_layers"]))
        self.final_layer_norm = RMSNorm(c["d_model"], c["layer_norm_epsilon"])


class UMT5(nn.Module):
    def __init__(self, config: dict = CONFIG):
        super().__init__()
        self.config = config
        self.shared, self.encoder = nn.Embedding(config["vocab_size"], config["d_model"]), Stack(config)
        for name, p in self.named_parameters():
            if p.ndim == 2:
                nn.init.normal_(p, std=1.0 if name == "shared.weight" else p.shape[1] ** -0.5)
            if name.endswith((".q.weight", ".k.weight")):
                nn.init.normal_(p, std=(p.shape[1] ** -0.5) * (config["d_kv"] ** -0.25))
            if "relative_attention_bias" in name:
                nn.init.zeros_(p)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        """ids [B, L], 0 = pad -> [B, L, D], zero at the pads."""
        mask = ids != 0
        x = self.shared(ids)
        for block in self.encoder.block:
            x = block(x, mask)
        return self.encoder.final_layer_norm(x) * mask[..., None]
