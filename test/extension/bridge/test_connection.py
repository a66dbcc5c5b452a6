"""The WebUI's outgoing connection: hello, heart-beats, coming back, several requests at once."""

import json
import logging
import re
import time
from pathlib import Path
from typing import Any, NoReturn

import pytest
from modules import sd_models, shared
from node_side import NodeSide, Refused, until
from train_lora_webui import bridge
from train_lora_webui.bridge import host_session
from train_lora_webui.bridge.host_connection import HostConnection

REPOSITORY = Path(__file__).resolve().parents[3]


def test_says_hello_with_the_facts_and_shows_the_secret_in_a_header_only(
    node: NodeSide, host: HostConnection, webui: Path
) -> None:
    hello = node.messages[0]
    assert hello["type"] == "hello"
    facts = hello["facts"]
    assert (facts["flavour"], facts["version"]) == ("a1111", "v1.10.1")
    assert facts["loraDir"] == str(webui / "models" / "Lora")
    assert facts["samplers"] == ["DPM++ 2M", "Euler a", "Euler"]
    assert facts["can"]["leaseGpu"] and facts["can"]["renderCells"] and facts["can"]["pasteText"]
    assert node.headers[0]["authorization"] == "Bearer a-secret"


def test_a_webui_that_logs_everything_does_not_log_the_secret(node: NodeSide, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    connection = HostConnection()
    connection.start(lambda: (node.port, "a-secret"))
    until(lambda: bool(node.messages))
    connection.stop()
    # The other side of the socket stands in this very process, and is no part of a WebUI.
    ours = [record for record in caplog.records if record.name != "websockets.server"]
    assert not any("a-secret" in record.getMessage() for record in ours)


def test_speaks_the_protocol_version_of_the_contract() -> None:
    text = (REPOSITORY / "protocol" / "messages.ts").read_text("utf8")
    assert int(re.search(r"PROTOCOL_VERSION = (\d+)", text).group(1)) == host_session.PROTOCOL_VERSION


def test_tells_flags_by_their_names_and_never_their_values(monkeypatch: pytest.MonkeyPatch, node: NodeSide) -> None:
    monkeypatch.setattr(shared.cmd_opts, "listen", True)
    monkeypatch.setattr(shared.cmd_opts, "gradio_auth", "user:very-secret", raising=False)
    connection = HostConnection()
    connection.start(lambda: (node.port, node.secret))
    try:
        hello = node.wait_for("hello")
    finally:
        connection.stop()
    assert {"--listen", "--gradio-auth"} <= set(hello["facts"]["flags"])
    assert "very-secret" not in json.dumps(node.messages)


def test_comes_back_by_itself_when_the_server_was_killed(node: NodeSide, host: HostConnection) -> None:
    node.kill()
    until(lambda: not host.is_connected())
    node.open()
    node.wait_for_connection(2)
    assert node.wait_for("hello", after=1)


def test_waits_for_a_server_that_is_not_there_yet() -> None:
    known = []
    connection = HostConnection()
    connection.start(lambda: known[0] if known else None)
    try:
        with NodeSide() as node:
            known.append((node.port, node.secret))
            node.wait_for("hello")
    finally:
        connection.stop()


def test_an_address_that_raises_is_asked_again() -> None:
    calls = []

    def address() -> NoReturn:
        calls.append(1)
        raise OSError("server.json is being written")

    connection = HostConnection()
    connection.start(address)
    until(lambda: len(calls) >= 2)
    connection.stop()


def test_starting_twice_is_harmless_and_stopping_is_quick(node: NodeSide) -> None:
    connection = HostConnection()
    connection.start(lambda: (node.port, node.secret))
    connection.start(lambda: (node.port, node.secret))
    node.wait_for("hello")
    connection.start(lambda: (node.port, node.secret))
    time.sleep(0.4)
    assert node.connections == 1
    begun = time.monotonic()
    connection.stop()
    assert time.monotonic() - begun < 1
    connection.stop()


def test_the_package_keeps_one_connection_over_reload_ui(node: NodeSide) -> None:
    bridge.start(lambda: (node.port, node.secret))
    node.wait_for("hello")
    bridge.start(lambda: (node.port, node.secret))
    bridge.model_loaded()
    assert bridge.is_connected() and node.connections == 1
    bridge.stop()
    assert not bridge.is_connected()


def test_stopping_in_the_very_moment_of_a_loaded_model_does_not_hang(node: NodeSide) -> None:
    for count in range(1, 6):
        connection = HostConnection()
        connection.start(lambda: (node.port, node.secret))
        node.wait_for_connection(count)
        until(connection.is_connected)
        connection.model_loaded()
        connection.stop()
        assert not connection.is_connected()


def test_connects_anew_when_reload_ui_changed_the_facts(
    node: NodeSide, host: HostConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared.cmd_opts, "listen", True)
    host.start(lambda: (node.port, node.secret))
    assert "--listen" in node.wait_for("hello", after=1)["facts"]["flags"]


def test_tells_of_a_loaded_checkpoint_and_of_a_changed_list(node: NodeSide, host: HostConnection) -> None:
    sd_models.reload_model_weights(info=sd_models.checkpoint_aliases["other"])
    host.model_loaded()
    told = node.wait_for(lambda m: m["type"] == "checkpoints" and m["checkpoints"]["loaded"] == "other.safetensors")
    before = len(node.messages)
    sd_models.CheckpointInfo("/elsewhere/third.safetensors").register()
    later = node.wait_for("checkpoints", after=before)
    assert len(later["checkpoints"]["checkpoints"]) == len(told["checkpoints"]["checkpoints"]) + 1


def test_lists_checkpoints_with_hashes_as_far_as_they_are_known(node: NodeSide, host: HostConnection) -> None:
    found = node.request("listCheckpoints")
    assert found["loaded"] == "pocket.safetensors [0123456789]"
    by_name = {checkpoint["name"]: checkpoint for checkpoint in found["checkpoints"]}
    assert by_name["pocket"]["shortHash"] == "0123456789"
    assert by_name["other"]["shortHash"] is None
    assert found["vaes"] == [{"name": "plain.vae.pt", "path": "/models/VAE/plain.vae.pt"}]


def test_asking_for_the_list_loads_no_model(node: NodeSide, host: HostConnection) -> None:
    sd_models.model_data.sd_model, sd_models.model_data.was_loaded_at_least_once = None, False
    loads = sd_models.model_data.loads
    assert node.request("listCheckpoints")["loaded"] is None
    assert sd_models.model_data.loads == loads


def test_forge_is_asked_which_one_it_draws_with_next_and_calls_it_the_same_before_and_after(
    node: NodeSide, host: HostConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = sd_models.checkpoint_aliases["other"]
    monkeypatch.setattr(sd_models.model_data, "forge_loading_parameters", {"checkpoint_info": chosen}, raising=False)
    found = node.request("listCheckpoints")
    assert found["loaded"] == "other.safetensors"
    monkeypatch.setattr(chosen, "title", "other.safetensors [9876543210]")
    assert node.request("listCheckpoints") == found
    monkeypatch.setattr(sd_models.model_data, "forge_loading_parameters", {})
    assert node.request("listCheckpoints")["loaded"] == "pocket.safetensors"


def test_a_request_that_it_does_not_know_or_can_not_read_is_refused_and_nothing_ends(
    node: NodeSide, host: HostConnection
) -> None:
    node.send_raw("no json")
    node.send_raw('{"id": 7001, "type": "sing"}')
    with pytest.raises(Refused) as refused:
        node.result(7001)
    assert refused.value.failure["code"] == "bad_request"
    node.send_raw('{"id": 7002, "type": "renderCells"}')
    with pytest.raises(Refused, match="lacks"):
        node.result(7002)
    assert node.request("setRuns", runs=[]) == {}


def test_a_part_of_the_webui_that_raises_becomes_a_refusal_with_a_sentence(
    node: NodeSide, host: HostConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sd_models, "checkpoints_list", None)
    with pytest.raises(Refused) as refused:
        node.request("listCheckpoints")
    assert refused.value.failure["code"] == "webui_failed"
    assert "Traceback" not in refused.value.failure["message"]


def test_answers_small_questions_while_a_long_one_is_under_way(node: NodeSide, host: HostConnection) -> None:
    from modules import call_queue

    call_queue.queue_lock.acquire()
    lease = node.send("leaseGpu", job="j", jobName="run")
    assert node.request("listCheckpoints", seconds=2)["checkpoints"]
    call_queue.queue_lock.release()
    node.request("releaseGpu", lease=node.result(lease)["lease"])


def test_a_server_that_refuses_this_webui_is_not_asked_all_the_time(
    node: NodeSide, host: HostConnection, capsys: pytest.CaptureFixture[str]
) -> None:
    asyncio_close = node._socket.close(4409, "the WebUI of process 1 uses this home already")
    node._run(asyncio_close)
    until(lambda: not host.is_connected())
    time.sleep(1.2)
    assert node.connections == 1
    assert "uses this home already" in capsys.readouterr().err


def test_a_webui_that_can_not_tell_its_facts_says_so_once_and_tries_again(
    node: NodeSide, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from train_lora_webui.bridge import host_session as session

    calls: list[int] = []
    facts = session.host_facts

    def half_reloaded() -> dict[str, Any]:
        calls.append(1)
        if len(calls) < 3:
            raise AttributeError("module 'modules.shared' has no attribute 'cmd_opts'")
        return facts()

    monkeypatch.setattr(session, "host_facts", half_reloaded)
    connection = HostConnection()
    connection.start(lambda: (node.port, node.secret))
    node.wait_for("hello")
    connection.stop()
    assert capsys.readouterr().err.count("can't be told about this WebUI") == 1
