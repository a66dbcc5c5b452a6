"""Which steps are needed, from facts alone."""

from dataclasses import replace
from pathlib import Path

import pytest
from train_lora_webui.setup.needed_steps import Facts, Record, StepFacts, Version, is_update, needed_steps
from train_lora_webui.setup.node_search import Node

NOW = Version("1.0.0", "abc")
NODE = Node(Path("/usr/bin/node"), "22.1.0", "path", Path("/usr/lib/npm-cli.js"))
DONE = StepFacts("hash", "hash")
READY = Facts(NODE, DONE, DONE, DONE, Record(NOW, "hash", "hash", "hash"), NOW)


def steps(facts: Facts, private_node: bool = False) -> list[tuple[str, str]]:
    return [(step.code, step.reason) for step in needed_steps(facts, private_node)]


def test_nothing_is_needed_when_all_is_there() -> None:
    assert steps(READY) == []
    assert not is_update(READY)


def test_all_is_needed_at_first_in_the_order_of_the_steps() -> None:
    nothing = StepFacts("hash", None)
    fresh = Facts(None, nothing, nothing, nothing, Record(), NOW)
    assert steps(fresh) == [("node", "first"), ("packages", "first"), ("build", "first"), ("trainer", "first")]
    assert not is_update(fresh)


@pytest.mark.parametrize("name", ["packages", "build", "trainer"])
def test_what_an_update_changed_is_done_again_alone(name: str) -> None:
    assert steps(replace(READY, **{name: StepFacts("new", "hash")})) == [(name, "changed")]


@pytest.mark.parametrize("name", ["packages", "build", "trainer"])
def test_what_was_removed_is_done_again(name: str) -> None:
    assert steps(replace(READY, **{name: StepFacts("hash", None)})) == [(name, "missing")]


def test_what_was_removed_before_an_update_counts_as_changed() -> None:
    assert steps(replace(READY, build=StepFacts("new", None))) == [("build", "changed")]


def test_a_node_that_is_gone_is_told_as_missing() -> None:
    assert steps(replace(READY, node=None)) == [("node", "missing")]


def test_npm_matters_only_while_packages_are_to_be_installed() -> None:
    lone = replace(READY, node=replace(NODE, npm=None))
    assert steps(lone) == []
    assert steps(replace(lone, packages=StepFacts("new", "hash"))) == [("node", "no_npm"), ("packages", "changed")]


def test_a_private_node_on_request_leaves_the_rest_alone() -> None:
    assert steps(READY, private_node=True) == [("node", "chosen")]
    assert steps(replace(READY, node=replace(NODE, source="private")), private_node=True) == []


def test_another_version_is_an_update_even_when_nothing_is_needed() -> None:
    updated = replace(READY, version=Version("1.0.0", "def"))
    assert is_update(updated)
    assert steps(updated) == []
