"""What the set-up has to do now: a pure function of facts, so that an update does only what it changed."""

from __future__ import annotations

from dataclasses import dataclass

from .node_search import Node

#: In the order in which they are done.
STEPS = ("node", "packages", "build", "trainer")


@dataclass(frozen=True)
class Version:
    """`number` of package.json; `commit` is git's, or "" where the folder is no clone."""

    number: str
    commit: str


@dataclass(frozen=True)
class Record:
    """What earlier set-ups of this home finished: for each step the hash of what it was done for."""

    version: Version | None = None
    packages: str | None = None
    build: str | None = None
    trainer: str | None = None


@dataclass(frozen=True)
class StepFacts:
    """`wanted` is the hash of what there should be, `present` the hash of what there is; None when there is nothing."""

    wanted: str
    present: str | None


@dataclass(frozen=True)
class Facts:
    node: Node | None
    packages: StepFacts
    build: StepFacts
    trainer: StepFacts
    record: Record
    version: Version


@dataclass(frozen=True)
class NeededStep:
    """`reason`: first, changed (done for another version), missing (was done, is gone), no_npm or chosen."""

    code: str
    reason: str


def needed_steps(facts: Facts, private_node: bool = False) -> tuple[NeededStep, ...]:
    """The steps in order. `private_node`: the user wants a Node of Train LoRA's own although another one was found."""
    others = tuple(
        NeededStep(code, reason)
        for code, reason in (
            ("packages", _reason(facts.packages, facts.record.packages)),
            ("build", _reason(facts.build, facts.record.build)),
            ("trainer", _reason(facts.trainer, facts.record.trainer)),
        )
        if reason is not None
    )
    node = _node_reason(facts, private_node, any(step.code == "packages" for step in others))
    return others if node is None else (NeededStep("node", node), *others)


def is_update(facts: Facts) -> bool:
    """Whether this home was set up before, for another version than the one that is here now."""
    return facts.record.version is not None and facts.record.version != facts.version


def _reason(step: StepFacts, recorded: str | None) -> str | None:
    if step.present == step.wanted:
        return None
    if step.present is not None or (recorded is not None and recorded != step.wanted):
        return "changed"
    return "first" if recorded is None else "missing"


def _node_reason(facts: Facts, private_node: bool, npm_needed: bool) -> str | None:
    if facts.node is None:
        return "first" if facts.record.version is None else "missing"
    if npm_needed and facts.node.npm is None:
        return "no_npm"
    return "chosen" if private_node and facts.node.source != "private" else None
