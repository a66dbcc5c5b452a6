"""What the user has set in txt2img, as far as the WebUI's own process knows it."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .facts import sampler_names, scheduler_labels
from .failure import Failure


def chosen_sampler(sampler: str | None, scheduler: str | None) -> tuple[str, str | None]:
    """
    The sampler and schedule to draw with. What is None is taken from the picture drawn last, else from txt2img's
    start values. The schedule is None before 1.9, where the sampler's name holds it. Raises Failure `bad_request` for
    unknown names.
    """
    last = _last_picture()
    default = _start_value("sampler_name", "Sampler")
    name = (
        sampler
        or _known(last.get("Sampler"), _all_samplers())
        or _known(default, _all_samplers())
        or _all_samplers()[0]
    )
    schedules = scheduler_labels()
    if not schedules:
        name = f"{name} {scheduler}" if scheduler and f"{name} {scheduler}" in _all_samplers() else name
    if name not in _all_samplers():
        raise Failure("bad_request", f'The WebUI has no sampler "{name}". It has: {", ".join(sampler_names())}.')
    if not schedules:
        return name, None
    told = scheduler if sampler or scheduler else _known(last.get("Schedule type"), schedules)
    schedule = told or _known(_start_value("scheduler", "Schedule type"), schedules) or schedules[0]
    if schedule not in schedules:
        raise Failure("bad_request", f'The WebUI has no schedule "{schedule}". It has: {", ".join(schedules)}.')
    return name, schedule


@contextlib.contextmanager
def kept_last_picture() -> Iterator[None]:
    """
    The WebUI notes each picture's settings for its "paste last" button; ours must not take the place of the user's.
    """
    file = _history_file()
    before = file.read_bytes() if file is not None and file.is_file() else None
    try:
        yield
    finally:
        if file is not None and before is not None:
            file.write_bytes(before)
        elif file is not None:
            file.unlink(missing_ok=True)


def _last_picture() -> dict[str, str]:
    file = _history_file()
    if file is None or not file.is_file():
        return {}
    line = file.read_text(encoding="utf8", errors="replace").strip().rsplit("\n", 1)[-1]
    return dict(re.findall(r"(?:^|, )(Sampler|Schedule type): ([^,]+)", line))


def _history_file() -> Path | None:
    from modules import paths, shared

    return None if getattr(shared.cmd_opts, "no_prompt_history", False) else Path(paths.data_path) / "params.txt"


def _start_value(api: str, label: str) -> str | None:
    for field in _paste_fields():
        if getattr(field, "api", None) == api or field[1] == label:
            return str(getattr(field[0], "value", None) or "") or None
    return None


def _paste_fields() -> list[Any]:
    try:
        from modules import infotext_utils

        return list((infotext_utils.paste_fields.get("txt2img") or {}).get("fields") or [])
    except (ImportError, AttributeError):
        return []


def _all_samplers() -> list[str]:
    from modules import sd_samplers

    return [str(sampler.name) for sampler in sd_samplers.all_samplers]


def _known(name: str | None, names: list[str]) -> str | None:
    return name if name in names else None
