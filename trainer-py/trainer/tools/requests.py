"""What `python -m trainer lora` is asked for."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trainer.failure import Failure
from trainer.from_json import from_json

METHODS = ("fixed", "sv_ratio", "sv_fro", "sv_cumulative")
PRECISIONS = ("", "float", "fp16", "bf16")
STYLES = ("kohya", "peft")


@dataclass(frozen=True)
class Inspect:
    """`file`: a LoRA."""

    file: str

    @property
    def path(self) -> Path:
        return Path(self.file)


@dataclass(frozen=True)
class Resize:
    """dim: the dim, or for a method other than fixed the largest; conv_dim 0: likewise. precision "": the file's."""

    file: str
    out: str
    dim: int
    conv_dim: int = 0
    method: str = "fixed"
    target: float = 0.0
    precision: str = ""

    def __post_init__(self) -> None:
        _expect(self.dim >= 1 and self.conv_dim >= 0, "a dim of at least 1")
        _expect(self.method in METHODS, f"a method of {', '.join(METHODS)}")
        _expect(self.method == "fixed" or self.target > 0, f"a target above 0 for {self.method}")
        _expect(self.method in ("fixed", "sv_ratio") or self.target <= 1, f"a target of 0 to 1 for {self.method}")
        _expect(self.method != "sv_ratio" or self.target >= 1, "a target of at least 1 for sv_ratio")
        _expect_precision(self.precision)

    @property
    def path(self) -> Path:
        return Path(self.file)

    @property
    def out_path(self) -> Path:
        return Path(self.out)


@dataclass(frozen=True)
class Merge:
    """The sum of `files`, each times its weight. dim 0: exact, as large as all of them together."""

    files: tuple[str, ...]
    weights: tuple[float, ...]
    out: str
    dim: int = 0
    conv_dim: int = 0
    precision: str = ""
    note: str = ""

    def __post_init__(self) -> None:
        _expect(len(self.files) >= 1, "at least one LoRA")
        _expect(len(self.files) == len(self.weights), "a weight for each LoRA")
        _expect(self.dim >= 0 and self.conv_dim >= 0, "a dim of at least 0")
        _expect_precision(self.precision)


@dataclass(frozen=True)
class Compare:
    """Two LoRAs."""

    first: str
    second: str


@dataclass(frozen=True)
class Verify:
    """base: path of the base model, "": the ordinary one of `kind`; kind "": as the file says."""

    file: str
    base: str = ""
    kind: str = ""

    def __post_init__(self) -> None:
        _expect(self.kind in ("", "sd1", "sd2", "sdxl"), "a kind of sd1, sd2 or sdxl")


@dataclass(frozen=True)
class Convert:
    """style: kohya or peft."""

    file: str
    out: str
    style: str
    precision: str = ""

    def __post_init__(self) -> None:
        _expect(self.style in STYLES, f"a style of {', '.join(STYLES)}")
        _expect_precision(self.precision)


Request = Inspect | Resize | Merge | Compare | Verify | Convert
_KINDS: dict[str, Any] = {
    "inspect": Inspect,
    "resize": Resize,
    "merge": Merge,
    "compare": Compare,
    "verify": Verify,
    "convert": Convert,
}


def tool_request(value: Any) -> Request:  # noqa: ANN401
    """The request in parsed JSON with its `tool`. Raises Failure `bad_request`."""
    kind = _KINDS.get(value.get("tool", "")) if isinstance(value, dict) else None
    if kind is None:
        raise Failure("bad_request", f"Expected a tool of {', '.join(_KINDS)}; say which one.")
    try:
        request: Request = from_json(kind, value)
    except Failure as failure:
        if failure.code == "bad_request":
            raise
        message = failure.message.replace("The plan can't be trained: e", "E").replace(" Plan the run again.", "")
        raise Failure("bad_request", f"{message} Ask again with it.", failure.details) from failure
    return request


def _expect(condition: bool, expected: str) -> None:
    if not condition:
        raise Failure("bad_request", f"Expected {expected}; ask again with it.")


def _expect_precision(precision: str) -> None:
    _expect(precision in PRECISIONS, "a precision of float, fp16 or bf16")
