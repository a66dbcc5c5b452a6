"""What a run has said about its epochs, kept so that a reader that was killed can be told again."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from trainer.events import camel_keys, emit
from trainer.progress import Progress

_KEPT = ("evaluated", "saved", "cell", "sheet")


class Journal:
    """`<run>/state/said.jsonl` beside the reader's own record, `<run>/events.jsonl`."""

    def __init__(self, run_dir: Path) -> None:
        self._said = run_dir / "state" / "said.jsonl"
        self._heard = run_dir / "events.jsonl"

    def say(self, event: Mapping[str, Any]) -> None:
        """Emit an event, after noting it when it tells of an epoch."""
        if event["type"] in _KEPT:
            self._said.parent.mkdir(parents=True, exist_ok=True)
            with self._said.open("a", encoding="utf-8") as file:
                file.write(json.dumps(camel_keys(event), allow_nan=False) + "\n")
        emit(event)

    def repeat_lost(self, progress: Progress) -> None:
        """Emit again what the reader's record lacks of the epochs that are done; without such a record, nothing."""
        if not self._heard.is_file():
            return
        heard = {_key(event) for event in _events(self._heard)}
        for key, event in {_key(event): event for event in _events(self._said)}.items():
            if key not in heard and _is_done(event, progress):
                emit(event)


def _key(event: Mapping[str, Any]) -> tuple[Any, ...]:
    return (event["type"], event.get("epoch"), event.get("file"))


def _is_done(event: Mapping[str, Any], progress: Progress) -> bool:
    epoch = event["epoch"]
    if event["type"] == "evaluated":
        return epoch in progress.evaluated
    if event["type"] == "saved":
        return str(epoch) in progress.saved
    return epoch in progress.drawn


def _events(file: Path) -> Iterator[dict[str, Any]]:
    if not file.is_file():
        return
    for line in file.read_text(encoding="utf-8").splitlines():
        try:
            event = json.loads(line)
        except ValueError:
            continue  # a killed process may have left half a line
        if isinstance(event, dict) and event.get("type") in _KEPT:
            yield event
