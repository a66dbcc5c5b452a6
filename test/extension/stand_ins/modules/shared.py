# ruff: noqa: ANN401 - the WebUI gives no types here
"""The WebUI's globals: command line and settings."""

from __future__ import annotations

import argparse
from typing import Any

cmd_opts = argparse.Namespace()
demo: Any = None


class OptionInfo:
    """As of 1.7; `AgedOptionInfo` is the one before."""

    def __init__(  # noqa: PLR0913
        self,
        default: Any = None,
        label: str = "",
        component: Any = None,
        component_args: Any = None,
        section: Any = None,
        restrict_api: bool = False,
        category_id: Any = None,
    ) -> None:
        self.default, self.label, self.section = default, label, section
        self.restrict_api, self.category_id = restrict_api, category_id
        self.comment_after = ""

    def info(self, text: str) -> OptionInfo:
        self.comment_after += text
        return self


class AgedOptionInfo(OptionInfo):
    def __init__(self, default: Any = None, label: str = "", section: Any = None, restrict_api: bool = False) -> None:
        super().__init__(default, label, section=section, restrict_api=restrict_api)


class Options:
    """`--freeze-settings`: setting one throws, adding one does not."""

    def __init__(self) -> None:
        super().__setattr__("data", {})
        super().__setattr__("data_labels", {})

    def __setattr__(self, name: str, value: Any) -> None:  # noqa: ANN401
        assert not getattr(cmd_opts, "freeze_settings", False), "changing settings is disabled"
        self.data[name] = value

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        if name in self.data:
            return self.data[name]
        if name in self.data_labels:
            return self.data_labels[name].default
        raise AttributeError(name)

    def add_option(self, key: str, info: OptionInfo) -> None:
        self.data_labels[key] = info


opts = Options()
