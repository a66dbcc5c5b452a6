"""Small ONNX models, written as the bytes of their format, of the shapes that real taggers have."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

FLOAT, FLOAT16, INT64 = 1, 10, 7
_IR_VERSION, _OPSET = 8, 13
Dimension = int | str


@dataclass(frozen=True)
class Node:
    """One operation. `ints`: attributes that are lists of numbers, `numbers`: those that are one."""

    operator: str
    inputs: tuple[str, ...]
    output: str
    ints: tuple[tuple[str, tuple[int, ...]], ...] = ()
    numbers: tuple[tuple[str, int], ...] = ()


def mean_colour_tagger(
    weights: Sequence[Sequence[float]],
    bias: Sequence[float],
    *,
    side: Dimension = 8,
    channels_first: bool = False,
    batch: Dimension = "N",
    sigmoid: bool = True,
    half: bool = False,
    output: str = "output",
) -> bytes:
    """score = sigmoid(mean of each channel · weights + bias): `weights` (3, labels), `bias` (labels)."""
    dtype, kind = (np.float16, FLOAT16) if half else (np.float32, FLOAT)
    axes = (2, 3) if channels_first else (1, 2)
    shape = (batch, 3, side, side) if channels_first else (batch, side, side, 3)
    nodes = [
        Node("ReduceMean", ("input",), "mean", ints=(("axes", axes),), numbers=(("keepdims", 0),)),
        Node("MatMul", ("mean", "weights"), "product"),
        Node("Add", ("product", "bias"), "sum" if sigmoid else output),
        *([Node("Sigmoid", ("sum",), output)] if sigmoid else []),
    ]
    tensors = {"weights": np.array(weights, dtype), "bias": np.array(bias, dtype)}
    return model(nodes, tensors, ("input", kind, shape), (output, kind, (batch, len(bias))))


def pixel_tagger(side: int, scale: float, *, channels_first: bool = False) -> bytes:
    """Each of the 3·side² numbers of the input, times `scale`, as a score of its own."""
    nodes = [Node("Flatten", ("input",), "flat", numbers=(("axis", 1),)), Node("Mul", ("flat", "scale"), "output")]
    shape = ("N", 3, side, side) if channels_first else ("N", side, side, 3)
    tensors = {"scale": np.array([scale], np.float32)}
    return model(nodes, tensors, ("input", FLOAT, shape), ("output", FLOAT, ("N", 3 * side * side)))


Value = tuple[str, int, Sequence[Dimension]]


def model(nodes: Sequence[Node], tensors: dict[str, np.ndarray], given: Value, wanted: Value) -> bytes:
    graph = b"".join(_part(1, _node(node)) for node in nodes)
    graph += _part(2, b"tagger")
    graph += b"".join(_part(5, _tensor(name, values)) for name, values in tensors.items())
    graph += _part(11, _value(given)) + _part(12, _value(wanted))
    return _number(1, _IR_VERSION) + _part(7, graph) + _part(8, _part(1, b"") + _number(2, _OPSET))


def _node(node: Node) -> bytes:
    attributes = [
        _part(1, name.encode()) + b"".join(_number(8, i) for i in ints) + _number(20, 7) for name, ints in node.ints
    ]
    attributes += [_part(1, name.encode()) + _number(3, i) + _number(20, 2) for name, i in node.numbers]
    return (
        b"".join(_part(1, name.encode()) for name in node.inputs)
        + _part(2, node.output.encode())
        + _part(4, node.operator.encode())
        + b"".join(_part(5, attribute) for attribute in attributes)
    )


def _tensor(name: str, values: np.ndarray) -> bytes:
    kind = {"float32": FLOAT, "float16": FLOAT16, "int64": INT64}[values.dtype.name]
    sizes = b"".join(_number(1, size) for size in values.shape)
    return sizes + _number(2, kind) + _part(8, name.encode()) + _part(9, values.tobytes())


def _value(value: Value) -> bytes:
    name, kind, shape = value
    dimensions = b"".join(
        _part(1, _part(2, one.encode()) if isinstance(one, str) else _number(1, one)) for one in shape
    )
    return _part(1, name.encode()) + _part(2, _part(1, _number(1, kind) + _part(2, dimensions)))


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _part(field: int, content: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    out = b""
    while value > 0x7F:
        out += struct.pack("B", value & 0x7F | 0x80)
        value >>= 7
    return out + struct.pack("B", value)
