"""The tiny video autoencoder: TAEHV's decoder graph and key names, stride 4 x 8 x 8, 24 latent channels.

Frames are [N, T, 3, H, W] in [0, 1]; latents are [N, F, C, h, w]. T = 4 F - 3: the decoder drops its first 3 frames.
The decoder works on the latents' own grid and ends in an 8 x 8 pixel shuffle (patch_size 8, no upsampling),
so that it can start from the closed-form linear autoencoder: on a CPU that saves most of the training.
"""
import torch
import torch.nn as nn
import torch.nn.functional as F

CONFIG = {
    "latent_channels": 24,
    "decoder_channels": [96, 96, 128, 128],
    "encoder_channels": 64,
    "encoder_time_downscale": [True, True, False],
    "decoder_time_upscale": [False, True, True],
    "decoder_space_upscale": [False, False, False],
    "patch_size": 8,
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


class Encoder(nn.Module):
    """Training's encoder: a linear projection of each 4 x 8 x 8 patch plus a small causal network.

    It is not the TAEHV encoder; the page has a graph of its own for it (encoder_kind "patches"). Latent i describes frames 4i-3 .. 4i (the first, frame 0).
    """

    def __init__(self, z: int, width: int = 128):
        super().__init__()
        self.linear = nn.Conv2d(768, z, 1)
        self.wide = nn.Conv2d(768, width, 1)
        self.blocks = nn.Sequential(MemBlock(width), MemBlock(width))
        self.out = conv(width, z)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, patches):  # [N, F, 768, h, w] -> [N, F, z, h, w]
        flat = patches.flatten(0, 1)
        deep = run(self.blocks, F.relu(self.wide(flat)).unflatten(0, patches.shape[:2]))
        return (self.linear(flat) + self.out(deep.flatten(0, 1))).unflatten(0, patches.shape[:2])


def patches(frames: torch.Tensor) -> torch.Tensor:
    """frames [N, 4F-3, 3, H, W] -> [N, F, 4*3*8*8, H/8, W/8], the first frame repeated three times in front."""
    frames = torch.cat([frames[:, :1].expand(-1, 3, -1, -1, -1), frames], 1)
    n, t = frames.shape[:2]
    cells = F.pixel_unshuffle(frames.flatten(0, 1), 8)  # [N*T, 192, h, w]
    return cells.unflatten(0, (n, t // 4, 4)).flatten(2, 3)


class TAEHV(nn.Module):
    def __init__(self, config: dict = CONFIG):
        super().__init__()
        self.patch, z, d = config["patch_size"], config["latent_channels"], config["decoder_channels"]
        self.encoder = Encoder(z)
        decoder = [Clamp(), conv(z, d[0]), nn.ReLU()]
        for i, (grow, up) in enumerate(zip(config["decoder_time_upscale"], config["decoder_space_upscale"])):
            decoder += [*(MemBlock(d[i]) for _ in range(3)), nn.Upsample(scale_factor=2 if up else 1),
                        TGrow(d[i], 2 if grow else 1), conv(d[i], d[i + 1], bias=False)]
        self.decoder = nn.Sequential(*decoder, nn.ReLU(), conv(d[3], 3 * self.patch ** 2))
        for block in (b for b in self.modules() if isinstance(b, MemBlock)):
            nn.init.zeros_(block.conv[4].weight)
            nn.init.zeros_(block.conv[4].bias)

    @torch.no_grad()
    def start_from_pca(self, frames: torch.Tensor, spread: float = 0.4) -> None:
        """Make encoder and decoder the best linear ones for frames [N, T, 3, H, W].

        The decoder's trunk carries z + 1.4 through its ReLUs (few values are lower), and a 1 beside it; each time-doubling moves them to slots of their own and leaves zeros elsewhere, so that the last
        convolution knows which of the four frames it draws. `keep_linear_part` lets training leave it alone.
        """
        x = patches(frames).permute(0, 1, 3, 4, 2).reshape(-1, 768).double()
        mean = x.mean(0)
        values, vectors = torch.linalg.eigh((x - mean).T @ (x - mean) / len(x))
        z = self.decoder[1].in_channels
        scale = spread / values[-z:].flip(0).sqrt()
        basis = (vectors[:, -z:].flip(1) * scale).T.float()  # [z, 768]
        self.encoder.linear.weight.copy_(basis[:, :, None, None])
        self.encoder.linear.bias.copy_(-(basis @ mean.float()))
        back = (vectors[:, -z:].flip(1) / scale).float()  # [768, z]
        convs = [i for i, layer in enumerate(self.decoder) if isinstance(layer, nn.Conv2d)]
        slot = used = z + 1
        self.decoder[convs[0]].weight[:slot] = 0
        self.decoder[convs[0]].weight[:z, :, 1, 1] = torch.eye(z, device=basis.device)
        self.decoder[convs[0]].bias[:z] = 1.4
        self.decoder[convs[0]].bias[z] = 1
        for layer in self.decoder:
            if isinstance(layer, TGrow):
                w = layer.conv.weight
                n = w.shape[0] // layer.stride
                for step in range(layer.stride):
                    w[step * n:(step * n + used * layer.stride)] = 0
                    w[step * n + step * used:step * n + (step + 1) * used, :, 0, 0] = torch.eye(used, w.shape[1], device=w.device)
                used *= layer.stride
            elif isinstance(layer, nn.Conv2d) and layer.bias is None:
                layer.weight[:used] = 0
                layer.weight[:used, :, 1, 1] = torch.eye(used, layer.weight.shape[1], device=basis.device)
        last = self.decoder[convs[-1]]
        last.weight.zero_()
        last.bias.zero_()
        for place, frame in enumerate((0, 2, 1, 3)):  # the second doubling's step is the slot's high digit
            rows, level = back[192 * frame:192 * (frame + 1)], mean.float()[192 * frame:192 * (frame + 1)]
            last.weight[:, slot * place:slot * place + z, 1, 1] = rows
            last.weight[:, slot * place + z, 1, 1] = level - 1.4 * rows.sum(1)

    def keep_linear_part(self) -> list:
        """[(parameter, 1 where training may change it, else 0)] for the parameters that carry the linear autoencoder.

        Noise in them costs more than training them gains: the rest learns what is missing, starting from nothing.
        """
        slot = used = self.decoder[1].in_channels + 1
        frozen = [(self.encoder.linear.weight, 0.0), (self.encoder.linear.bias, 0.0)]

        def rows(p: torch.Tensor, *ranges: tuple) -> None:
            mask = torch.ones_like(p)
            for start, stop in ranges:
                mask[start:stop] = 0
            frozen.append((p, mask))

        convs = [layer for layer in self.decoder if isinstance(layer, nn.Conv2d)]
        rows(convs[0].weight, (0, slot))
        rows(convs[0].bias, (0, slot))
        for layer in self.decoder:
            if isinstance(layer, TGrow):
                n = layer.conv.weight.shape[0] // layer.stride
                rows(layer.conv.weight, *((k * n, k * n + used * layer.stride) for k in range(layer.stride)))
                used *= layer.stride
            elif isinstance(layer, nn.Conv2d) and layer.bias is None:
                rows(layer.weight, (0, used))
        mask = torch.ones_like(convs[-1].weight)
        mask[:, :used] = 0
        frozen.append((convs[-1].weight, mask))
        return frozen

    def encode(self, frames: torch.Tensor) -> torch.Tensor:
        """frames [N, 4F-3, 3, H, W] in [0, 1] -> latents [N, F, C, H/8, W/8]."""
        return self.encoder(patches(frames))

    def decode(self, latents: torch.Tensor) -> torch.Tensor:
        """latents [N, F, C, h, w] -> frames [N, 4F-3, 3, 8h, 8w], not yet clamped to [0, 1]."""
        return F.pixel_shuffle(run(self.decoder, latents)[:, 3:].flatten(0, 1), self.patch).unflatten(0, (len(latents), -1))
