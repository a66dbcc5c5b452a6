"""Curves of a run as TensorBoard reads them, without its library."""

import os
import socket
import struct
import time
from collections.abc import Mapping
from pathlib import Path

from trainer.save.crc32c import crc32c


class TensorboardFile:
    """One `events.out.tfevents.…` file in `folder` for each start of the trainer; TensorBoard joins them.

    A file that can't be written costs the curves and nothing else.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / f"events.out.tfevents.{int(time.time())}.{socket.gethostname()}.{os.getpid()}"
        self._write(_event(_text(3, "brain.Event:2")))

    def add(self, step: int, values: Mapping[str, float]) -> None:
        """Note values by their tag, such as `loss`, at a step."""
        summary = b"".join(_bytes(1, _text(1, tag) + _float(2, value)) for tag, value in values.items())
        self._write(_event(_number(2, step) + _bytes(5, summary)))

    def _write(self, event: bytes) -> None:
        length = struct.pack("<Q", len(event))
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("ab") as file:
                file.write(length + _masked(length) + event + _masked(event))
        except OSError:
            return  # a full disk is met and said where it matters


def _masked(data: bytes) -> bytes:
    # TensorFlow turns its checksums, so that one over data that holds checksums is no trivial one.
    value = crc32c(data)
    return struct.pack("<I", (((value >> 15) | (value << 17)) + 0xA282EAD8) & 0xFFFFFFFF)


def _event(rest: bytes) -> bytes:
    return b"\x09" + struct.pack("<d", time.time()) + rest


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _float(field: int, value: float) -> bytes:
    return _varint(field << 3 | 5) + struct.pack("<f", value)


def _text(field: int, value: str) -> bytes:
    return _bytes(field, value.encode())


def _bytes(field: int, value: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*found, value])
