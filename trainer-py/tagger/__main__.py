"""`python -m tagger REQUEST.json`: the border where every failure becomes an event."""

import json
import os
import sys
import traceback
from pathlib import Path

# Waiting threads that spin would cost most of the time whenever another program wants the same cores.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("GOMP_SPINCOUNT", "0")

from trainer.events import emit  # noqa: E402
from trainer.failure import Failure  # noqa: E402


def main(arguments: list[str]) -> int:
    """Exit code: 0 done or stopped, 1 failed (said as a `failed` event), 2 wrong usage."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m tagger REQUEST.json\n")
        return 2
    try:
        _run(Path(arguments[0]))
        return 0
    except Failure as failure:
        return _fail(failure)
    except Exception as error:  # noqa: BLE001
        sys.stderr.write(traceback.format_exc())
        text = f"{type(error).__name__}: {error}"
        message = f"The tagger stopped at something unexpected ({text[:200]}). What it has scored is kept; try again."
        return _fail(Failure("crashed", message, traceback.format_exc(limit=-4)))


def _run(file: Path) -> None:
    from tagger.requests import Score, tagger_request
    from tagger.stop import listen_for_stop

    try:
        value = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise Failure(
            "bad_request", f"Expected JSON that says what to do in {file}, but it can't be read ({error})."
        ) from error
    request = tagger_request(value)
    stop = listen_for_stop()
    if isinstance(request, Score):
        from tagger.score_pictures import score_pictures

        score_pictures(request, stop)
    else:
        from tagger.download import download

        download(request, stop)


def _fail(failure: Failure) -> int:
    details = {"details": failure.details} if failure.details else {}
    sys.stderr.write(f"{failure.code}: {failure.message}\n")
    emit({"type": "failed", "code": failure.code, "message": failure.message, **details})
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
