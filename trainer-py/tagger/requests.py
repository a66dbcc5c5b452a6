"""What `python -m tagger` is asked for."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from trainer.failure import Failure
from trainer.from_json import from_json

Family = Literal["wd", "cl", "deepdanbooru"]
FAMILIES = ("wd", "cl", "deepdanbooru")
DEVICES = ("auto", "cpu")


@dataclass(frozen=True)
class Score:
    """Score the pictures `images` (paths below `root`) by the tagger in `model` with the names in `labels`.

    batch_size 0: what fits the device. device auto: the GPU when there is one that this runtime can use.
    """

    model: str
    labels: str
    family: str
    root: str
    images: tuple[str, ...]
    device: str = "auto"
    batch_size: int = 0

    def __post_init__(self) -> None:
        _expect(self.family in FAMILIES, f"a family of {', '.join(FAMILIES)}")
        _expect(self.device in DEVICES, f"a device of {', '.join(DEVICES)}")
        _expect(0 <= self.batch_size <= 256, "a batch size of 0 to 256")


@dataclass(frozen=True)
class Download:
    """Fetch `files` (paths in the hub's repository) into `folder`, where each lies by its last name.

    endpoint: base of the hub's addresses. revision: a branch or a commit. retry_seconds: the first wait after a
    broken connection; each further one that brings nothing is twice as long.
    """

    endpoint: str
    repository: str
    files: tuple[str, ...]
    folder: str
    revision: str = "main"
    retry_seconds: float = 1.0

    def __post_init__(self) -> None:
        _expect(self.endpoint.startswith(("http://", "https://")), "an endpoint of http:// or https://")
        _expect(len(self.files) >= 1, "at least one file")
        names = [name_of(file) for file in self.files]
        _expect(all(name and not name.startswith(".") for name in names), "plain file names")
        _expect(len(set(names)) == len(names), "file names that differ")

    @property
    def folder_path(self) -> Path:
        return Path(self.folder)


Request = Score | Download
_KINDS: dict[str, Any] = {"score": Score, "download": Download}


def tagger_request(value: Any) -> Request:  # noqa: ANN401
    """The request in parsed JSON with its `task`. Raises Failure `bad_request`."""
    kind = _KINDS.get(value.get("task", "")) if isinstance(value, dict) else None
    if kind is None:
        raise Failure("bad_request", f"Expected a task of {', '.join(_KINDS)}; say which one.")
    try:
        request: Request = from_json(kind, value)
    except Failure as failure:
        if failure.code == "bad_request":
            raise
        message = failure.message.replace("The plan can't be trained: e", "E").replace(" Plan the run again.", "")
        raise Failure("bad_request", f"{message} Ask again with it.", failure.details) from failure
    return request


def name_of(file: str) -> str:
    """The last part of a path in a hub's repository."""
    return file.replace("\\", "/").rsplit("/", 1)[-1]


def _expect(condition: bool, expected: str) -> None:
    if not condition:
        raise Failure("bad_request", f"Expected {expected}; ask again with it.")
