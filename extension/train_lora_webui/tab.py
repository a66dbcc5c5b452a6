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

#: Seen for as long as javascript/train_lora.mjs has not run, which takes it away at once.
_NO_SCRIPT = (
    "This page has not loaded the script of Train LoRA. If this line stays, the WebUI does not serve the extension's "
    "files: gradio refuses folders whose names begin with a dot, and those outside of the WebUI's own and "
    "--gradio-allowed-path. Move the extension's folder, or allow it, and restart."
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


def _page() -> Any:
    import gradio as gr

    with gr.Blocks(analytics_enabled=False) as blocks:
        # gradio sends the token only after the login, which is what makes it one.
        mount = f'<div class="train-lora-mount" data-token="{html.escape(ui_token())}"><p>{_NO_SCRIPT}</p></div>'
        gr.HTML(mount + _KEY_TARGETS, elem_id="train_lora_mount")
        with gr.Row(elem_id="train_lora_hidden", elem_classes=["train-lora-hidden"]):
            text = gr.Textbox(label="Train LoRA", elem_id="train_lora_paste_text", elem_classes=["train-lora-hidden"])
            button = gr.Button("Paste", elem_id="train_lora_paste_button", elem_classes=["train-lora-hidden"])
        for component in (text, button):
            # Else the WebUI's ui-config.json would keep the last text that was pasted.
            component.do_not_save_to_config = True
        _bind_paste(button, text)
    return blocks


def _bind_paste(button: Any, text: Any) -> None:
    """What the page writes into `text` is infotext and nothing else: anybody who may use txt2img may paste it there."""
    paste = _paste_module()
    if paste is None:
        # Everything else works without it, and the server is told that this WebUI can't paste.
        return
    binding = paste.ParamBinding(paste_button=button, tabname="txt2img", source_text_component=text)
    paste.register_paste_params_button(binding)


def _paste_module() -> Any | None:
    try:
        from modules import infotext_utils

        return infotext_utils
    except ImportError:
        pass
    try:
        # Its name up to version 1.7.
        from modules import generation_parameters_copypaste

        return generation_parameters_copypaste
    except ImportError:
        return None


def _diagnosis(error: Exception) -> Any:
    import gradio as gr

    reason = html.escape(f"{type(error).__name__}: {error}")
    with gr.Blocks(analytics_enabled=False) as blocks:
        gr.HTML(
            f"<p>Train LoRA could not build its page in this WebUI.</p><pre>{reason}</pre>",
            elem_id="train_lora_failure",
        )
    return blocks
