"""The curves of a run in the form that TensorBoard reads."""

import struct
from pathlib import Path

from trainer.save.crc32c import crc32c
from trainer.save.tensorboard import TensorboardFile


def _masked(data: bytes) -> int:
    value = crc32c(data)
    return (((value >> 15) | (value << 17)) + 0xA282EAD8) & 0xFFFFFFFF


def _records(path: Path) -> list[bytes]:
    data, found = path.read_bytes(), []
    while data:
        (length,) = struct.unpack("<Q", data[:8])
        event = data[12 : 12 + length]
        assert struct.unpack("<I", data[8:12])[0] == _masked(data[:8])
        assert struct.unpack("<I", data[12 + length : 16 + length])[0] == _masked(event)
        found.append(event)
        data = data[16 + length :]
    return found


def _fields(message: bytes) -> dict[int, list[bytes | int]]:
    """Fields of a protobuf message by number."""
    found: dict[int, list[bytes | int]] = {}
    at = 0

    def varint() -> int:
        nonlocal at
        value = shift = 0
        while True:
            byte = message[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while at < len(message):
        key = varint()
        kind = key & 7
        size = varint() if kind in (0, 2) else {1: 8, 5: 4}[kind]
        value: bytes | int = size
        if kind != 0:
            value, at = message[at : at + size], at + size
        found.setdefault(key >> 3, []).append(value)
    return found


def test_the_checksum_is_that_of_the_standard() -> None:
    assert crc32c(b"123456789") == 0xE3069283
    assert crc32c(bytes(32)) == 0x8A9136AA and crc32c(b"") == 0


def test_every_value_stands_in_a_whole_record_with_its_step_and_tag(tmp_path: Path) -> None:
    curves = TensorboardFile(tmp_path / "tensorboard")
    curves.add(1, {"loss": 0.5, "learning_rate": 1e-3})
    curves.add(300, {"loss": 0.25})
    (path,) = (tmp_path / "tensorboard").iterdir()
    assert path.name.startswith("events.out.tfevents.")
    first, second, third = map(_fields, _records(path))
    assert first[3] == [b"brain.Event:2"]
    assert second[2] == [1] and third[2] == [300]
    values = [_fields(value) for value in _fields(second[5][0])[1]]  # type: ignore[arg-type]
    assert [value[1][0] for value in values] == [b"loss", b"learning_rate"]
    assert struct.unpack("<f", values[0][2][0])[0] == 0.5  # type: ignore[arg-type]


def test_a_folder_that_cannot_be_written_costs_the_curves_alone(tmp_path: Path) -> None:
    (tmp_path / "tensorboard").write_text("a file")
    TensorboardFile(tmp_path / "tensorboard").add(1, {"loss": 0.5})
