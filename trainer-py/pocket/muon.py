"""Muon: momentum whose update is orthogonalised, for the matrices of small nets (Jordan et al. 2024)."""

from collections import defaultdict
from collections.abc import Iterable

import torch


class Muon(torch.optim.Optimizer):
    """Nesterov momentum, then Newton-Schulz orthogonalisation of each weight seen as (out, in·k·k).

    `lr` is the spectral size of an update, scaled by sqrt(max(1, out/in)). Weights of one shape are stepped together.
    """

    def __init__(
        self, params: Iterable[torch.Tensor], lr: float, momentum: float = 0.95, decay: float = 0.0, steps: int = 5
    ) -> None:
        super().__init__(list(params), {"lr": lr, "momentum": momentum, "decay": decay, "steps": steps})

    @torch.no_grad()
    def step(self, _closure: None = None) -> None:  # type: ignore[override]
        """Update every weight that has a gradient."""
        for group in self.param_groups:
            shapes: dict[tuple[int, int], list[torch.Tensor]] = defaultdict(list)
            for weight in group["params"]:
                if weight.grad is not None:
                    shapes[weight.shape[0], weight[0].numel()].append(weight)
            for weights in shapes.values():
                self._step_batch(weights, group)

    def _step_batch(self, weights: list[torch.Tensor], group: dict[str, float]) -> None:
        updates = []
        for weight in weights:
            assert weight.grad is not None  # only weights with a gradient come here
            state = self.state[weight]
            if "momentum" not in state:
                state["momentum"] = torch.zeros_like(weight)
            state["momentum"].lerp_(weight.grad, 1 - group["momentum"])
            updates.append(weight.grad.lerp(state["momentum"], group["momentum"]).flatten(1))
        matrices = orthogonalise(torch.stack(updates), int(group["steps"]))
        scale = group["lr"] * max(1.0, matrices.shape[1] / matrices.shape[2]) ** 0.5
        for weight, matrix in zip(weights, matrices, strict=True):
            weight.mul_(1 - group["lr"] * group["decay"]).sub_(matrix.view(weight.shape), alpha=scale)


def orthogonalise(matrices: torch.Tensor, steps: int) -> torch.Tensor:
    """Singular values of each (rows, columns) matrix of the batch driven towards 1 by a quintic iteration in bf16."""
    wide = matrices.shape[1] <= matrices.shape[2]
    x = matrices if wide else matrices.mT
    x = (x / (x.flatten(1).norm(dim=1).view(-1, 1, 1) + 1e-7)).bfloat16()
    for _ in range(steps):
        gram = x @ x.mT
        x = 3.4445 * x + (-4.775 * gram + 2.0315 * gram @ gram) @ x
    return (x if wide else x.mT).float()
