"""Parsed JSON as frozen dataclasses, checked by their type hints. Imports nothing heavy."""

import dataclasses
import json
import re
from pathlib import Path
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

from trainer.failure import Failure


def from_json(kind: Any, value: Any, where: str = "") -> Any:  # noqa: ANN401
    """`value` as the dataclass, tuple or scalar `kind`; unknown keys are ignored, absent ones take their default.

    Raises Failure `bad_plan`.
    """
    if dataclasses.is_dataclass(kind):
        expect(isinstance(value, dict), f"an object at {where or 'the top'}")
        return kind(**_fields(kind, value, where))  # type: ignore[operator]
    if get_origin(kind) is tuple:
        return _tuple(get_args(kind), value, where)
    if get_origin(kind) is dict:
        expect(isinstance(value, dict), f"an object at {where}")
        return {name: from_json(get_args(kind)[1], item, f"{where}.{name}") for name, item in value.items()}
    if get_origin(kind) is UnionType:
        return None if value is None else from_json(get_args(kind)[0], value, where)
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    right = isinstance(value, kind) and (kind is bool or not isinstance(value, bool))
    expect(right, f"{_WORDS.get(kind, kind)} at {where}, found {json.dumps(value)[:60]}")
    return value


def read_json(path: Path) -> Any:  # noqa: ANN401
    """The parsed file. Raises Failure `bad_plan` when it can't be read."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise Failure(
            "bad_plan",
            f"Expected a readable {path.name}, but {path} could not be read ({error.strerror}); plan the run again.",
        ) from error
    except ValueError as error:
        raise Failure(
            "bad_plan", f"Expected JSON in {path}, found something else ({error}); plan the run again."
        ) from error


def expect(condition: bool, expected: str) -> None:
    """Raise Failure `bad_plan` that names what was expected, unless `condition`."""
    if not condition:
        raise Failure("bad_plan", f"The plan can't be trained: expected {expected}. Plan the run again.")


_WORDS: dict[Any, str] = {int: "a whole number", float: "a number", str: "a text", bool: "true or false"}


def _fields(kind: Any, value: dict[str, Any], where: str) -> dict[str, Any]:  # noqa: ANN401
    hints = get_type_hints(kind)
    found: dict[str, Any] = {}
    for field in dataclasses.fields(kind):
        key = re.sub(r"_([a-z])", lambda match: match[1].upper(), field.name)
        place = f"{where}.{key}" if where else key
        if key not in value and (field.default, field.default_factory) != (dataclasses.MISSING, dataclasses.MISSING):
            continue  # an older plan: the default is what it meant
        expect(key in value, f"a value at {place}, found none")
        found[field.name] = from_json(hints[field.name], value[key], place)
    return found


def _tuple(kinds: tuple[Any, ...], value: Any, where: str) -> tuple[Any, ...]:  # noqa: ANN401
    expect(isinstance(value, list), f"a list at {where}")
    if kinds[-1] is Ellipsis:
        return tuple(from_json(kinds[0], item, f"{where}[{index}]") for index, item in enumerate(value))
    expect(len(value) == len(kinds), f"{len(kinds)} values at {where}, found {len(value)}")
    return tuple(from_json(kind, item, where) for kind, item in zip(kinds, value, strict=True))
