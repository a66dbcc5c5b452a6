"""Prompts of any length in kohya's form."""

import pytest
import torch

from trainer.model.base_model import BaseModel
from trainer.model.clip_tokenizer import token_ids
from trainer.model.text import encode_prompts, tokenize

LONG = ", ".join(f"tag {index}" for index in range(60))


def test_a_long_prompt_is_cut_into_chunks_with_their_own_begin_and_end(tiny_base: BaseModel) -> None:
    tokens = tokenize(tiny_base, [LONG, "red"], 150)
    whole = token_ids([LONG])[0]
    assert tokens.shape == (2, 2, 77)
    assert tokens[0, :, 0].tolist() == [49406, 49406] and tokens[0, :, -1].tolist() == [49407, 49407]
    assert tokens[0, :, 1:-1].flatten().tolist() == whole[:150]
    assert tokens[1, 0, 2:].unique().tolist() == [49407]


@pytest.mark.parametrize("chunks", [1, 2, 3])
def test_chunks_are_joined_with_the_first_begin_and_the_last_end(tiny_base: BaseModel, chunks: int) -> None:
    joined = encode_prompts(tiny_base, [LONG], clip_skip=1, max_token_length=75 * chunks).context
    ids = tokenize(tiny_base, [LONG], 75 * chunks)[0]
    each = tiny_base.text_encoders[0](ids).hidden
    expected = torch.cat([each[0, :1], *(chunk[1:-1] for chunk in each), each[-1, -1:]])
    assert joined.shape == (1, 75 * chunks + 2, 32)
    assert torch.allclose(joined[0], expected, atol=1e-6)
