"""An expected failure as a fact; `__main__` is the only place that catches it."""


class Failure(Exception):
    """One of the contract's error codes with one sentence: what was expected, what came, what to do."""

    def __init__(self, code: str, message: str, details: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.details = details


class NonFiniteError(Exception):
    """A number of the training is no longer finite; the text says which, `train` says at which step and what to do."""
