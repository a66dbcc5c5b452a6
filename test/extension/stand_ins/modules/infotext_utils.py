"""The WebUI's paste of infotext into txt2img, for its two prompts."""

from __future__ import annotations

from typing import Any

paste_fields: dict[str, Any] = {}
bindings: list[ParamBinding] = []


class ParamBinding:
    def __init__(self, paste_button: Any, tabname: str, source_text_component: Any = None) -> None:  # noqa: ANN401
        self.paste_button, self.tabname, self.source_text_component = paste_button, tabname, source_text_component


def reset() -> None:
    paste_fields.clear()
    bindings.clear()


def register_paste_params_button(binding: ParamBinding) -> None:
    bindings.append(binding)


def connect_paste_params_buttons() -> None:
    for binding in bindings:
        fields = paste_fields[binding.tabname]
        binding.paste_button.click(
            fn=_paste, inputs=[binding.source_text_component], outputs=fields, show_progress=False
        )


def _paste(text: str) -> list[str]:
    *lines, _settings = text.strip().split("\n")
    end = next((at for at, line in enumerate(lines) if line.startswith("Negative prompt:")), len(lines))
    return ["\n".join(lines[:end]), "\n".join(lines[end:]).removeprefix("Negative prompt:").strip()]
