"""Draws a grid's cells in the WebUI's queue, letting the user's own pictures in between."""

from __future__ import annotations

import contextlib
import os
import secrets
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Callable

from .cancel import Cancel
from .cell_picture import DrawnCell, check_cells, draw_cell
from .failure import Failure, to_failure
from .flavour import on_main_thread
from .log import say
from .present_settings import chosen_sampler, kept_last_picture
from .queue_turn import CalledBack, QueueTurn, tasks_waiting


def render_cells(request: dict[str, Any], cancel: Cancel, tell: Callable[[dict[str, Any]], None]) -> int:
    """
    Answers `renderCells`: draws the cells in order, tells `cellDrawn` for each whole file and returns how many were
    drawn, fewer when cancelled. Between two cells the queue is left to whoever waits in it. Slow; needs a thread of
    its own. Raises Failure: `bad_request` before anything is drawn, `webui_failed` in the middle; drawn cells stay.
    """
    settings, cells = request["settings"], request["cells"]
    work = _Work(
        request,
        files=[_cell_file(request["outDir"], cell["file"]) for cell in cells],
        sampler=chosen_sampler(settings["sampler"], settings["scheduler"]),
        switches_checkpoint=settings["checkpoint"] is not None,
        cancel=cancel,
        tell=tell,
    )
    check_cells(settings, cells)
    own = OwnDrawing()
    cancel.on_set(own.interrupt)
    drawn = 0
    while drawn < len(cells) and not cancel.is_set():
        try:
            with QueueTurn("grid", cancel):
                drawn = _draw_turn(work, own, drawn)
        except CalledBack:
            break
    return drawn


class OwnDrawing:
    """Says whether the WebUI draws for us at this moment, so that an interruption never hits the user's own picture."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._active = False

    @contextlib.contextmanager
    def active(self) -> Iterator[None]:
        with self._lock:
            self._active = True
        try:
            yield
        finally:
            with self._lock:
                self._active = False

    def interrupt(self) -> None:
        """Interrupts our picture; does nothing while none of ours is drawn."""
        from modules import shared

        with self._lock:
            if self._active:
                shared.state.interrupt()


@dataclass(frozen=True)
class _Work:
    request: dict[str, Any]
    files: list[Path]
    sampler: tuple[str, str | None]
    switches_checkpoint: bool
    cancel: Cancel
    tell: Callable[[dict[str, Any]], None]


def _draw_turn(work: _Work, own: OwnDrawing, drawn: int) -> int:
    """
    Draws from cell `drawn` on until all are drawn, it is cancelled, or the user waits; returns how many are drawn
    then.
    """
    from modules import shared

    cells = work.request["cells"]
    comes_again = False
    shared.state.begin(job="train_lora_grid")
    shared.state.job_count = len(cells) - drawn
    try:
        with own.active(), kept_last_picture():
            while drawn < len(cells) and not work.cancel.is_set():
                shared.state.textinfo = f"{work.request['title']}: {drawn + 1} / {len(cells)}"
                if not _draw_one(work, drawn):
                    break
                drawn += 1
                comes_again = drawn < len(cells) and tasks_waiting() > 0
                if comes_again:
                    break
    finally:
        if work.switches_checkpoint and not comes_again:
            _switch_back()
        _end_job()
    return drawn


def _draw_one(work: _Work, index: int) -> bool:
    """False when it was cancelled. Raises Failure when the WebUI fails or its user interrupts."""
    from modules import shared

    cell = work.request["cells"][index]
    try:
        picture = draw_cell(work.request["settings"], work.sampler, cell)
        if picture is not None:
            _write(picture, work.files[index])
            done = {"type": "cellDrawn", "id": work.request["id"], "file": cell["file"], "infotext": picture.infotext}
            work.tell(done)
    except Exception as thrown:
        raise to_failure(thrown, f"drawing the grid's cell {cell['file']}") from thrown
    if picture is not None and not getattr(shared.state, "stopping_generation", False):
        return True
    if work.cancel.is_set():
        return False
    count = index if picture is None else index + 1
    raise Failure(
        "webui_failed",
        f"The drawing was interrupted in the WebUI after {count} of {len(work.files)} cells. Draw again to go on.",
    )


def _write(picture: DrawnCell, file: Path) -> None:
    """A reader never sees half a file."""
    from PIL import PngImagePlugin

    info = PngImagePlugin.PngInfo()
    info.add_text("parameters", picture.infotext)
    file.parent.mkdir(parents=True, exist_ok=True)
    temporary = file.with_name(f"{file.name}.tmp-{secrets.token_hex(4)}")
    try:
        picture.image.save(temporary, format="PNG", pnginfo=info)
        os.replace(temporary, file)
    finally:
        temporary.unlink(missing_ok=True)


def _cell_file(out_dir: str, file: str) -> Path:
    """The cell's file. Raises Failure `bad_request` for one that would not lie below `out_dir`."""
    path = PurePosixPath(file)
    parts = path.parts
    if (
        path.is_absolute()
        or not parts
        or ".." in parts
        or "\\" in file
        or ":" in file
        or not Path(out_dir).is_absolute()
    ):
        raise Failure("bad_request", f"A cell's file lies below the grid's own folder, not at \"{file}\".")
    return Path(out_dir).joinpath(*parts)


def _switch_back() -> None:
    """The user's own checkpoint is in memory again before somebody asks for a picture."""
    from modules import sd_models

    try:
        on_main_thread(sd_models.reload_model_weights)
    except Exception as thrown:
        say(f"the checkpoint could not be switched back ({thrown}); the next picture loads it")


def _end_job() -> None:
    from modules import shared

    state = shared.state
    state.end()
    state.skipped = state.interrupted = state.stopping_generation = False
    state.textinfo = None
    clear = getattr(getattr(shared, "total_tqdm", None), "clear", None)
    if clear is not None:
        clear()
