"""Captions as chunks of weighted tokens."""

import dataclasses
from pathlib import Path

import pytest
import torch

from run_folder import write_run
from trainer.dataset.caption_tokens import caption_tokens
from trainer.model.base_model import BaseModel
from trainer.model.clip_tokenizer import BEGIN, END, token_ids
from trainer.model.prompt_weights import weighted_parts
from trainer.model.text import tokenize
from trainer.plan import read_plan
from trainer.settings import Settings
from trainer.step.conditioner import Conditioner

COMMA, RED = token_ids([", red"])[0]


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    plan = write_run(tmp_path_factory.mktemp("run"), Path("m"), shuffleCaption=False, maxTokenLength=225)
    return read_plan(plan / "plan.json").settings


def _body(ids: torch.Tensor) -> list[list[int]]:
    return [[token for token in chunk[1:-1] if token != END] for chunk in ids.tolist()]


@pytest.mark.parametrize("words", [0, 3, 75, 76, 200, 300])
def test_without_options_tokens_are_those_that_the_grid_has(words: int, tiny_base: BaseModel, plain: Settings) -> None:
    caption = " ".join(["red"] * words)
    tokens = caption_tokens([caption, "a"], plain)
    assert tokens.weights is None
    assert torch.equal(tokens.ids, tokenize(tiny_base, [caption, "a"], 225))


def test_only_as_many_chunks_as_the_longest_caption_needs(plain: Settings) -> None:
    dynamic = dataclasses.replace(plain, dynamic_chunks=True)
    assert caption_tokens(["a", " ".join(["red"] * 80)], dynamic).ids.shape == (2, 2, 77)
    assert caption_tokens(["a"], dynamic).ids.shape == (1, 1, 77)
    assert caption_tokens([" ".join(["red"] * 400)], dynamic).ids.shape == (1, 3, 77)


@pytest.mark.parametrize(("tail", "first"), [(5, 70), (19, 56), (20, 75)])
def test_a_full_chunk_ends_after_a_comma_that_is_near(tail: int, first: int, plain: Settings) -> None:
    words = ["red"] * (74 - tail)
    caption = " ".join(words) + ", " + " ".join(["red"] * (tail + 4))
    chunks = _body(caption_tokens([caption], dataclasses.replace(plain, comma_chunks=True)).ids[0])
    assert len(chunks[0]) == first
    assert sum(map(len, chunks)) == 79
    assert (chunks[0][-1] == COMMA) == (first < 75)
    assert len(_body(caption_tokens([caption], plain).ids[0])[0]) == 75


def test_a_comma_that_opens_the_next_chunk_moves_nothing(plain: Settings) -> None:
    caption = "red, " + " ".join(["red"] * 73) + ", red"
    chunks = _body(caption_tokens([caption], dataclasses.replace(plain, comma_chunks=True)).ids[0])
    assert [len(chunk) for chunk in chunks] == [75, 2, 0] and chunks[1] == [COMMA, RED]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("normal text", [("normal text", 1.0)]),
        ("an (important) word", [("an ", 1.0), ("important", 1.1), (" word", 1.0)]),
        ("(unbalanced", [("unbalanced", 1.1)]),
        (r"\(literal\]", [("(literal]", 1.0)]),
        ("(a)(b)", [("ab", 1.1)]),
        ("[a]", [("a", 1 / 1.1)]),
        ("x:1.2)", [("x:1.2)", 1.0)]),
        ("", [("", 1.0)]),
        ("(:1.5)", [("", 1.0)]),
        ("((a:1.3) b)", [("a", 1.3 * 1.1), (" b", 1.1)]),
        ("a: b", [("a: b", 1.0)]),
    ],
)
def test_weights_are_read_as_the_webui_reads_them(text: str, parts: list[tuple[str, float]]) -> None:
    found = weighted_parts(text)
    assert [words for words, _ in found] == [words for words, _ in parts]
    assert [weight for _, weight in found] == pytest.approx([weight for _, weight in parts])


def test_a_weight_multiplies_what_its_token_says(tiny_base: BaseModel, plain: Settings) -> None:
    weighted = dataclasses.replace(plain, weighted_captions=True, max_token_length=150)
    tokens = caption_tokens(["a (red:1.5) hat"], weighted)
    assert tokens.weights is not None
    assert tokens.weights[0, 0, :5].tolist() == [1, 1, 1.5, 1, 1] and tokens.ids[0, 0, 0] == BEGIN
    unweighted = caption_tokens(["a red hat"], dataclasses.replace(weighted, weighted_captions=False))
    assert torch.equal(tokens.ids, unweighted.ids)
    conditioner = Conditioner(tiny_base, weighted, fixed=True)
    with torch.no_grad():
        ratio = conditioner.encode(tokens).context / conditioner.encode(unweighted).context
    assert ratio.shape[1] == 152
    assert torch.allclose(ratio[0, 2], torch.tensor(1.5)) and torch.allclose(ratio[0, 3:], torch.tensor(1.0))
