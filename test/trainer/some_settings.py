"""A run's settings for what is tested without a run."""

import dataclasses
from typing import Any

from trainer.settings import GridSettings, Settings, Size

_PLAIN = {"int": 1, "float": 1.0, "bool": False, "str": ""}


def some_settings(**changes: Any) -> Settings:  # noqa: ANN401
    """Ordinary settings but for `changes`; what is not named has its default or the plainest value of its kind."""
    values: dict[str, Any] = {
        "resolution": Size(64, 64),
        "grid": GridSettings(False, (1.0,), (), "", (1,), "ddim", 20, 7.0),
        "optimizer": "AdamW",
        "lr_scheduler": "constant",
        "mixed_precision": "no",
        "save_precision": "fp16",
        "max_token_length": 75,
        "network_dim": 16,
        "network_alpha": 1.0,
    }
    for field in dataclasses.fields(Settings):
        needed = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        if needed and field.name not in values:
            values[field.name] = _PLAIN[getattr(field.type, "__name__", str(field.type))]
    return Settings(**{**values, **changes})
