"""CLIP's tokenizer, from the vocabulary that ships with the trainer."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from tokenizers import Regex, Tokenizer, normalizers, pre_tokenizers
from tokenizers.models import BPE

from trainer.failure import Failure

VOCABULARY = Path(__file__).parents[2] / "pocket" / "model" / "clip"
BEGIN, END = 49406, 49407

_SPECIAL = ("<|startoftext|>", "<|endoftext|>")
_WORDS = r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"


def token_ids(texts: Sequence[str]) -> list[list[int]]:
    """Ids of each text, without begin and end. Raises Failure `crashed` when the vocabulary is not there."""
    return [encoding.ids for encoding in _tokenizer().encode_batch(list(texts), add_special_tokens=False)]


@cache
def _tokenizer() -> Tokenizer:
    try:
        vocabulary, merges = BPE.read_file(str(VOCABULARY / "vocab.json"), str(VOCABULARY / "merges.txt"))
    except Exception as error:  # the library raises nothing narrower
        raise Failure(
            "crashed",
            f"Expected CLIP's vocab.json and merges.txt in {VOCABULARY}, but they can't be read; "
            "install Train LoRA anew.",
            str(error),
        ) from error
    model = BPE(
        vocab=vocabulary,
        merges=merges,
        continuing_subword_prefix="",
        end_of_word_suffix="</w>",
        fuse_unk=False,
        unk_token=_SPECIAL[1],
    )
    tokenizer = Tokenizer(model)
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_WORDS), behavior="removed", invert=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )
    tokenizer.add_special_tokens(list(_SPECIAL))
    return tokenizer
