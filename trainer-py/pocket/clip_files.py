"""The folder `clip/`: CLIP's whole vocabulary with the pocket text encoder's own small config."""

import gzip
import json
from pathlib import Path

TEXT_CONFIG = {
    "architectures": ["CLIPTextModel"],
    "model_type": "clip_text_model",
    "vocab_size": 49408,
    "hidden_size": 96,
    "intermediate_size": 384,
    "projection_dim": 96,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "max_position_embeddings": 77,
    "hidden_act": "quick_gelu",
    "layer_norm_eps": 1e-05,
    "attention_dropout": 0.0,
    "dropout": 0.0,
    "initializer_factor": 1.0,
    "initializer_range": 0.02,
    "bos_token_id": 49406,
    "eos_token_id": 49407,
    "pad_token_id": 1,
    "torch_dtype": "float32",
}

_TOKENIZER_CONFIG = {
    "tokenizer_class": "CLIPTokenizer",
    "model_max_length": 77,
    "do_lower_case": True,
    "add_prefix_space": False,
    "errors": "replace",
    "bos_token": "<|startoftext|>",
    "eos_token": "<|endoftext|>",
    "unk_token": "<|endoftext|>",
    "pad_token": "<|endoftext|>",
}

_MERGES = 49152 - 256 - 2


def write_clip_folder(bpe: Path, folder: Path) -> None:
    """Write config.json, vocab.json, merges.txt and tokenizer_config.json.

    bpe: open_clip's bpe_simple_vocab_16e6.txt.gz, whose first 48,894 merges are CLIP's.
    """
    with gzip.open(bpe, "rt", encoding="utf-8") as file:
        merges = file.read().split("\n")[1 : 1 + _MERGES]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "merges.txt").write_text("#version: 0.2\n" + "\n".join(merges) + "\n", encoding="utf-8")
    vocabulary = json.dumps(clip_vocabulary(merges), ensure_ascii=False)
    (folder / "vocab.json").write_text(vocabulary + "\n", encoding="utf-8")
    (folder / "config.json").write_text(json.dumps(TEXT_CONFIG, indent=2) + "\n")
    (folder / "tokenizer_config.json").write_text(json.dumps(_TOKENIZER_CONFIG, indent=2) + "\n")


def clip_vocabulary(merges: list[str]) -> dict[str, int]:
    """Token ids: the 256 bytes, the same at a word's end, one a merge, then the two special tokens."""
    letters = list(_byte_letters().values())
    tokens = letters + [letter + "</w>" for letter in letters]
    tokens += ["".join(merge.split()) for merge in merges]
    tokens += ["<|startoftext|>", "<|endoftext|>"]
    return {token: index for index, token in enumerate(tokens)}


def _byte_letters() -> dict[int, str]:
    # Printable bytes stand for themselves, the others for letters from 256 on, in CLIP's order.
    plain = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    letters = {byte: chr(byte) for byte in plain}
    for count, byte in enumerate(byte for byte in range(256) if byte not in letters):
        letters[byte] = chr(256 + count)
    return letters
