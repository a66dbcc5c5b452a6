"""Files that appear complete or not at all."""

import errno
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from trainer.atomic_file import disk_full, remove_partials, replace, write_new
from trainer.failure import Failure

Write = Callable[[Path, Iterable[bytes]], None]


def _running_full() -> Iterator[bytes]:
    yield b"half"
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_new_file_never_takes_the_place_of_another(tmp_path: Path) -> None:
    path = tmp_path / "sub" / "a.bin"
    write_new(path, [b"one", b"two"])
    with pytest.raises(FileExistsError):
        write_new(path, [b"three"])
    replace(tmp_path / "b.bin", [b"1"])
    replace(tmp_path / "b.bin", [b"2"])
    assert (path.read_bytes(), (tmp_path / "b.bin").read_bytes()) == (b"onetwo", b"2")
    assert not list(tmp_path.rglob("*.part"))


def test_a_file_system_without_hard_links_is_served_as_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    write_new(tmp_path / "a", [b"x"])
    with pytest.raises(FileExistsError):
        write_new(tmp_path / "a", [b"y"])
    assert (tmp_path / "a").read_bytes() == b"x" and len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("write", [write_new, replace])
def test_a_full_disk_leaves_nothing_behind(tmp_path: Path, write: Write) -> None:
    with pytest.raises(Failure, match="disk is full") as caught:
        write(tmp_path / "a.bin", _running_full())
    assert caught.value.code == "disk_full" and not list(tmp_path.iterdir())


def test_other_errors_are_not_taken_for_a_full_disk() -> None:
    assert disk_full(Path("a"), OSError(errno.EACCES, "Permission denied")) is None


def test_what_a_killed_run_left_half_written_is_removed_and_nothing_else(tmp_path: Path) -> None:
    for name in (".a[1].bin.77.part", ".b.bin.77.part", "a[1].bin"):
        (tmp_path / name).touch()
    remove_partials(tmp_path, ["a[1].bin"])
    assert sorted(path.name for path in tmp_path.iterdir()) == [".b.bin.77.part", "a[1].bin"]
