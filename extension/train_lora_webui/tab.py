"""The tab "Train LoRA": an empty place for the page, and the hidden pair through which the page fills txt2img."""

from __future__ import annotations

import html
from typing import Any

from .ui_token import ui_token

#: The WebUI's own keys (Ctrl+Enter, Alt+Enter, Esc) look for these in whatever tab is open, and fail without them.
_KEY_TARGETS = "".join(
    f'<button type="button" id="train_lora_{key}" style="display:none"></button>'
    for key in ("generate", "interrupt", "skip")
)

#: What the WebUI wants of a tab: its content, its label and the id behind `#tab_…`.
Tab = tuple[Any, str, str]
LABEL, TAB_ID = "Train LoRA", "train_lora"


def make_tab() -> list[Tab]:
    """Never raises: a tab that fails shows why, where the WebUI would leave it out without a word."""
    try:
        return [(_page(), LABEL, TAB_ID)]
    except Exception as error:
        from modules import errors

        errors.report("Train LoRA could not build its tab", exc_info=True)
        return [(_diagnosis(error), LABEL, TAB_ID)]


def _page() -> Any:  # noqa: ANN401 - gradio's Blocks
    import gradio as gr

    with gr.Blocks(analytics_enabled=False) as blocks:
        # gradio sends this only after the login, which is what makes the token one.
        gr.HTML(
            f'<div class="train-lora-mount" data-token="{html.escape(ui_token())}"></div>{_KEY_TARGETS}',
            elem_id="train_lora_mount",
        )
        with gr.Row(elem_id="train_lora_hidden", elem_classes=["train-lora-hidden"]):
            text = gr.Textbox(label="Train LoRA", elem_id="train_lora_paste_text", elem_classes=["train-lora-hidden"])
            button = gr.Button("Paste", elem_id="train_lora_paste_button", elem_classes=["train-lora-hidden"])
        for component in (text, button):
            # Else the WebUI's ui-config.json would keep the last text that was pasted.
            component.do_not_save_to_config = True
        _bind_paste(button, text)
    return blocks


def _bind_paste(button: Any, text: Any) -> None:  # noqa: ANN401
    """What the page writes into `text` is infotext and nothing else: anybody who may use txt2img may paste it there."""
    try:
        from modules import infotext_utils as paste
    except ImportError:
        # Its name up to version 1.7.
        from modules import generation_parameters_copypaste as paste  # type: ignore[no-redef]
    binding = paste.ParamBinding(paste_button=button, tabname="txt2img", source_text_component=text)
    paste.register_paste_params_button(binding)


def _diagnosis(error: Exception) -> Any:  # noqa: ANN401
    import gradio as gr

    reason = html.escape(f"{type(error).__name__}: {error}")
    with gr.Blocks(analytics_enabled=False) as blocks:
        gr.HTML(
            f"<p>Train LoRA could not build its page in this WebUI.</p><pre>{reason}</pre>",
            elem_id="train_lora_failure",
        )
    return blocks
