"""Where the server's secret and the page's token are not."""

from __future__ import annotations

from running_webui import RunningWebui, descendants_of


def test_no_secret_is_in_an_address_an_argument_or_a_log(open_webui: RunningWebui, token: dict[str, str]) -> None:
    server = open_webui.server()
    family = descendants_of(open_webui.process.pid)
    assert server["pid"] in [pid for pid, _arguments in family]
    said = "\n".join(arguments for _pid, arguments in family)
    logs = "".join(file.read_text("utf-8", errors="replace") for file in open_webui.home.parent.rglob("*.log*"))
    for secret in (server["secret"], token["X-Train-Lora-Token"], "#/code=", "code="):
        assert secret not in said
        assert secret not in logs


def test_the_pages_token_lies_in_no_file(open_webui: RunningWebui, token: dict[str, str]) -> None:
    open_webui.request("POST", "/train-lora/session", token)
    files = [file for file in open_webui.home.parent.rglob("*") if file.is_file()]
    assert files
    for file in files:
        assert token["X-Train-Lora-Token"].encode() not in file.read_bytes(), file.name


def test_what_the_webui_tells_of_its_own_command_line_holds_none(
    open_webui: RunningWebui, token: dict[str, str]
) -> None:
    """Its API lists every option with its value, without a password where none is set."""
    open_webui.command("options")
    told = str(open_webui.expect("options"))
    assert "train_lora_port" in told
    for secret in (open_webui.server()["secret"], token["X-Train-Lora-Token"]):
        assert secret not in told


def test_the_servers_own_file_is_for_its_owner_alone(open_webui: RunningWebui) -> None:
    assert (open_webui.home / "server.json").stat().st_mode & 0o077 == 0
