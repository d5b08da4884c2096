"""Muon: momentum whose matrix updates are orthogonalised; AdamW for everything that is not a matrix."""
import torch

from .precision import fastest


def orthogonalise(g: torch.Tensor, steps: int = 5) -> torch.Tensor:
    """Newton-Schulz towards the nearest orthogonal matrix; g is a stack [n, rows, columns]."""
    x = g.to(fastest())
    tall = x.shape[-2] > x.shape[-1]
    x = (x.mT if tall else x).contiguous()
    x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    for _ in range(steps):
        a = x @ x.mT
        b = torch.baddbmm(a, a, a, beta=-4.7750, alpha=2.0315)  # b = -4.775 a + 2.0315 a a
        x = torch.baddbmm(x, b, x, beta=3.4445)  # 3.4445 x + b x
    return (x.mT if tall else x).float()


class Muon(torch.optim.Optimizer):
    """Updates have RMS 0.2 * lr * sqrt(max(rows, columns)) / sqrt(columns-ish), as in Moonlight's recipe.

    A parameter may carry `blocks`: into how many row blocks it is cut before orthogonalising.
    """

    def __init__(self, parameters, lr: float, momentum: float = 0.95, decay: float = 0.0):
        super().__init__(parameters, {"lr": lr, "momentum": momentum, "decay": decay})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            alike: dict = {}  # matrices of one shape go through Newton-Schulz together
            for p in group["params"]:
                if p.grad is None:
                    continue
                m = self.state[p].setdefault("momentum", torch.zeros_like(p))
                m.mul_(group["momentum"]).add_(p.grad)
                g = p.grad.add(m, alpha=group["momentum"]).flatten(1)
                g = g.unflatten(0, (getattr(p, "blocks", 1), -1))
                alike.setdefault(g.shape[1:], []).append((p, g))
            for shape, members in alike.items():
                updates = orthogonalise(torch.cat([g for _, g in members])) * 0.2 * max(shape) ** 0.5
                for (p, _), update in zip(members, updates.split([len(g) for _, g in members])):
                    p.mul_(1 - group["lr"] * group["decay"]).add_(update.reshape(p.shape), alpha=-group["lr"])


def optimisers(model: torch.nn.Module, lr: float, is_matrix, adam_scale: float = 0.5) -> list:
    """[Muon for parameters where is_matrix(name, p), AdamW for the rest]."""
    matrices = [p for n, p in model.named_parameters() if is_matrix(n, p)]
    rest = [p for n, p in model.named_parameters() if not is_matrix(n, p)]
    return [Muon(matrices, lr), torch.optim.AdamW(rest, lr * adam_scale, betas=(0.9, 0.98), weight_decay=0.0)]
