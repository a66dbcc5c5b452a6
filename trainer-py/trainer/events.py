"""The only module that writes to stdout: one event, one line of JSON, flushed at once."""

import json
import os
import sys
import time
from collections.abc import Mapping
from typing import Any


def emit(event: Mapping[str, Any]) -> None:
    """Write one event with the present time. Keys are snake_case here and camelCase on the wire.

    A reader that has gone away is no error: the closed stdin that comes with it already means "pause".
    """
    write_line(camel_keys({**event, "time": int(time.time() * 1000)}))


def emit_stage(name: str, done: int, total: int) -> None:
    """Say how far work is that is not a training step; `name` is a TrainerStage of the protocol."""
    emit({"type": "stage", "stage": name, "done": done, "total": total})


def write_line(value: Any) -> None:  # noqa: ANN401
    """Write any JSON value as one line. NaN and infinity are refused, because JSON has no such numbers."""
    line = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")) + "\n"
    try:
        sys.stdout.buffer.write(line.encode("utf-8"))
        sys.stdout.buffer.flush()
    except (BrokenPipeError, ValueError):
        _swallow_stdout()


def silence() -> None:
    """Write no more events: another process of the run speaks for all."""
    _swallow_stdout()


def camel_keys(value: Any) -> Any:  # noqa: ANN401
    """A copy whose mapping keys are camelCase at every depth: `model_hash` becomes `modelHash`."""
    if isinstance(value, Mapping):
        return {_camel(key): camel_keys(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [camel_keys(item) for item in value]
    return value


def _camel(key: str) -> str:
    first, *rest = key.split("_")
    return first + "".join(word[:1].upper() + word[1:] for word in rest)


def _swallow_stdout() -> None:
    # Python flushes stdout once more at exit and would end with code 120 on a broken pipe.
    sink = os.open(os.devnull, os.O_WRONLY)
    os.dup2(sink, 1)
    os.close(sink)
