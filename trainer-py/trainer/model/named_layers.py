"""Containers of layers whose names in a checkpoint are no names in Python."""

from collections.abc import Iterator
from typing import Any

from torch import nn


class NamedLayers(nn.ModuleDict):
    """A ModuleDict whose items are known by their use."""

    def __getitem__(self, key: str) -> Any:  # noqa: ANN401
        return self._modules[key]


class NumberedLayers(nn.ModuleList):
    """A ModuleList whose items are known by their use."""

    def __iter__(self) -> Iterator[Any]:
        return iter(self._modules.values())
