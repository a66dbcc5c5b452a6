"""An expected failure as a fact: a code of protocol/errors.ts and a sentence."""

from __future__ import annotations


class Failure(Exception):
    """What went wrong, for the server and its pages. `message`: what was expected, what came, what to do."""

    def __init__(self, code: str, message: str, details: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.details = details

    def as_json(self) -> dict[str, str]:
        """The Failure of the protocol."""
        fact = {"code": self.code, "message": self.message}
        return fact if self.details is None else {**fact, "details": self.details}


def to_failure(thrown: BaseException, doing: str) -> Failure:
    """The Failure inside a thrown value; anything else is the WebUI's own trouble while `doing` it."""
    if isinstance(thrown, Failure):
        return thrown
    name = type(thrown).__name__
    said = f"{name}: {thrown}".rstrip(": ")
    if name in ("OutOfMemoryError", "MemoryError"):
        return Failure(
            "out_of_memory", f"The WebUI ran out of memory while {doing}. Close what else uses the GPU.", said
        )
    return Failure("webui_failed", f"The WebUI failed while {doing} ({said}). Its console says more.")
