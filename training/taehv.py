"""The tiny video autoencoder: the TAEHV graph, stride 4 x 8 x 8, 16 latent channels, key names of taehv.py.

Frames are [N, T, 3, H, W] in [0, 1]; latents are [N, F, C, h, w], about unit variance per channel.
T = 4 F - 3: the encoder pads T at its end to a multiple of 4, the decoder drops its first 3 frames.
"""
import torch
import torch.nn as nn
import torch.nn.functional as F

CONFIG = {
    "latent_channels": 16,
    "decoder_channels": [128, 64, 32, 32],
    "encoder_channels": 32,
    "encoder_time_downscale": [True, True, False],
    "decoder_time_upscale": [False, True, True],
    "decoder_space_upscale": [True, True, True],
    "patch_size": 1,
}


def conv(n_in: int, n_out: int, **options) -> nn.Conv2d:
    return nn.Conv2d(n_in, n_out, 3, padding=1, **options)


class Clamp(nn.Module):
    """The soft bound on latents."""

    def forward(self, x):
        return torch.tanh(x / 3) * 3


class MemBlock(nn.Module):
    """A residual block that also sees the previous time step of its own input."""

    def __init__(self, n: int):
        super().__init__()
        self.conv = nn.Sequential(conv(2 * n, n), nn.ReLU(), conv(n, n), nn.ReLU(), conv(n, n))
        self.skip = nn.Identity()

    def forward(self, x, past):
        return F.relu(self.conv(torch.cat([x, past], 1)) + self.skip(x))


class TPool(nn.Module):
    """Joins `stride` time steps into one by a 1x1 convolution."""

    def __init__(self, n: int, stride: int):
        super().__init__()
        self.stride = stride
        self.conv = nn.Conv2d(n * stride, n, 1, bias=False)

    def forward(self, x):  # [N*T, C, H, W] -> [N*T/stride, C, H, W]
        nt, c, h, w = x.shape
        return self.conv(x.reshape(nt // self.stride, self.stride * c, h, w))


class TGrow(nn.Module):
    """Makes `stride` time steps of one by a 1x1 convolution."""

    def __init__(self, n: int, stride: int):
        super().__init__()
        self.stride = stride
        self.conv = nn.Conv2d(n, n * stride, 1, bias=False)

    def forward(self, x):  # [N*T, C, H, W] -> [N*T*stride, C, H, W]
        nt, c, h, w = x.shape
        return self.conv(x).reshape(nt * self.stride, c, h, w)


def run(layers: nn.Sequential, x: torch.Tensor) -> torch.Tensor:
    """All time steps at once: [N, T, C, H, W] -> [N, T', C', H', W']."""
    n = x.shape[0]
    x = x.flatten(0, 1).contiguous(memory_format=torch.channels_last)
    for layer in layers:
        if isinstance(layer, MemBlock):
            steps = x.unflatten(0, (n, -1))
            past = torch.cat([torch.zeros_like(steps[:, :1]), steps[:, :-1]], 1).flatten(0, 1)
            x = layer(x, past.contiguous(memory_format=torch.channels_last))
        else:
            x = layer(x)
    return x.unflatten(0, (n, -1))


class TAEHV(nn.Module):
    def __init__(self, config: dict = CONFIG):
        super().__init__()
        c, z, d = config["encoder_channels"], config["latent_channels"], config["decoder_channels"]
        encoder = [conv(3, c), nn.ReLU()]
        for down in config["encoder_time_downscale"]:
            encoder += [TPool(c, 2 if down else 1), conv(c, c, stride=2, bias=False), *(MemBlock(c) for _ in range(3))]
        self.encoder = nn.Sequential(*encoder, conv(c, z))
        decoder = [Clamp(), conv(z, d[0]), nn.ReLU()]
        for i, (grow, up) in enumerate(zip(config["decoder_time_upscale"], config["decoder_space_upscale"])):
            decoder += [*(MemBlock(d[i]) for _ in range(3)), nn.Upsample(scale_factor=2 if up else 1),
                        TGrow(d[i], 2 if grow else 1), conv(d[i], d[i + 1], bias=False)]
        self.decoder = nn.Sequential(*decoder, nn.ReLU(), conv(d[3], 3))
        self.initialise()

    def initialise(self) -> None:
        """Every residual block starts as the identity, every other layer keeps the variance."""
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
                if layer.bias is not None:
                    nn.init.zeros_(layer.bias)
        for layer in self.modules():
            if isinstance(layer, MemBlock):
                nn.init.zeros_(layer.conv[4].weight)

    def encode(self, frames: torch.Tensor) -> torch.Tensor:
        """frames [N, T, 3, H, W] in [0, 1] -> latents [N, ceil(T/4), C, H/8, W/8]."""
        pad = -frames.shape[1] % 4
        if pad:
            frames = torch.cat([frames, frames[:, -1:].expand(-1, pad, -1, -1, -1)], 1)
        return run(self.encoder, frames)

    def decode(self, latents: torch.Tensor) -> torch.Tensor:
        """latents [N, F, C, h, w] -> frames [N, 4F-3, 3, 8h, 8w], not yet clamped to [0, 1]."""
        return run(self.decoder, latents)[:, 3:]
