"""Captions as token ids, and an embedding of which only the rows that captions use are trained."""

from collections.abc import Iterable
from pathlib import Path

import torch
from torch import nn
from transformers import CLIPTokenizer

END = 49407
CONTEXT = 77


def load_tokenizer(folder: Path) -> CLIPTokenizer:
    """CLIP's tokenizer from the folder that holds vocab.json and merges.txt."""
    return CLIPTokenizer.from_pretrained(str(folder))


def token_ids(tokenizer: CLIPTokenizer, captions: list[str], length: int | None = CONTEXT) -> torch.Tensor:
    """Ids (n, length) padded with the end token; length None pads to the longest caption only."""
    padding = "max_length" if length else "longest"
    return tokenizer(
        captions, padding=padding, truncation=True, max_length=length or CONTEXT, return_tensors="pt"
    ).input_ids


class PartlyTrainedEmbedding(nn.Module):
    """Rows of the ids in `used` are parameters; all others stay as they were drawn."""

    ids: torch.Tensor
    slots: torch.Tensor
    frozen: torch.Tensor

    def __init__(self, embedding: nn.Embedding, used: Iterable[int]) -> None:
        super().__init__()
        ids = torch.tensor(sorted(set(used)))
        slots = torch.full((embedding.num_embeddings,), -1)
        slots[ids] = torch.arange(len(ids))
        self.register_buffer("ids", ids)
        self.register_buffer("slots", slots)
        self.register_buffer("frozen", embedding.weight.detach().clone())
        self.rows = nn.Parameter(embedding.weight.detach()[ids].clone())

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        """Embeddings (n, tokens, width) of ids (n, tokens)."""
        slots = self.slots[ids]
        trained = self.rows[slots.clamp(min=0)]
        return torch.where((slots >= 0).unsqueeze(-1), trained, self.frozen[ids])
