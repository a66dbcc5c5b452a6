"""The same ids as Hugging Face's tokenizer of CLIP."""

import json
import random
from pathlib import Path

import pytest
from transformers import CLIPTokenizer

from trainer.model.clip_tokenizer import VOCABULARY, token_ids

COUNTS = json.loads((Path(__file__).parents[2] / "fixtures" / "clip_token_counts.json").read_text(encoding="utf-8"))
NASTY = [
    "",
    " ",
    "\n\t\u00a0 \u3000",
    "a\u0301 e\u0301\u0301 \u1e9b\u0323 \ufb01 \u212b",
    "<|startoftext|> red <|endoftext|> blue",
    "<|ENDOFTEXT|>",
    "it's IT'S don't DON'T we'Ll \u2019s",
    "1234 12.5 \u0661\u0662 \u2167 \u00bd",
    "(tag:1.2), [tag], \\(name\\), {a|b}, <lora:x:1>",
    "___ ^_^ :3 >_< o_o ;) \\o/",
    "\ud7ff\ue000\ufffd\ufeff",
    "\u0000\u0001\u007f",
    "x" * 500,
    "\U0001f468\u200d\U0001f469\u200d\U0001f467 \U0001f1e9\U0001f1ea",
    "\u0130stanbul \u03a3\u03a3 \u00df \u1e9e",
    "</w> a</w> \u0120word",
]


@pytest.fixture(scope="module")
def reference() -> CLIPTokenizer:
    return CLIPTokenizer.from_pretrained(VOCABULARY, local_files_only=True)


def _random_texts(count: int) -> list[str]:
    source = random.Random(0)
    ranges = [(32, 127), (0xA0, 0x250), (0x370, 0x530), (0x600, 0x700), (0x3040, 0x3100), (0x1F300, 0x1F700), (9, 33)]
    return [
        "".join(chr(source.randrange(*source.choice(ranges))) for _ in range(source.randrange(1, 60)))
        for _ in range(count)
    ]


def test_ids_are_those_of_transformers(reference: CLIPTokenizer) -> None:
    texts = [*NASTY, *(text for text, _ in COUNTS), *_random_texts(300)]
    expected = reference(texts, add_special_tokens=False, verbose=False).input_ids
    assert token_ids(texts) == expected


def test_counts_are_those_of_the_shared_table() -> None:
    assert [len(ids) for ids in token_ids([text for text, _ in COUNTS])] == [count for _, count in COUNTS]
