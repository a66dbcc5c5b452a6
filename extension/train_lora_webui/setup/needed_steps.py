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
class TorchFacts:
    """Of a torch that can't use the GPU: why, and whether the user has named another index of builds since."""

    warning: str
    other_index: bool


@dataclass(frozen=True)
class Facts:
    node: Node | None
    packages: StepFacts
    build: StepFacts
    trainer: StepFacts
    record: Record
    version: Version
    torch: TorchFacts | None = None


@dataclass(frozen=True)
class NeededStep:
    """`reason`: first, changed (done for another version), missing (was done, is gone), no_npm, chosen or torch."""

    code: str
    reason: str


def needed_steps(facts: Facts, private_node: bool = False, better_torch: bool = False) -> tuple[NeededStep, ...]:
    """The steps in order. `private_node`: the user wants a Node of Train LoRA's own although another one was found;
    `better_torch`: he wants to try again for a torch that can use the GPU.
    """
    others = tuple(
        NeededStep(code, reason)
        for code, reason in (
            ("packages", _reason(facts.packages, facts.record.packages)),
            ("build", _reason(facts.build, facts.record.build)),
            ("trainer", _reason(facts.trainer, facts.record.trainer) or _torch_reason(facts.torch, better_torch)),
        )
        if reason is not None
    )
    node = _node_reason(facts, private_node, any(step.code == "packages" for step in others))
    return others if node is None else (NeededStep("node", node), *others)


def opens_without(needed: tuple[NeededStep, ...]) -> bool:
    """Whether the server and the page are there, so that all but training can be done."""
    return [step.code for step in needed] == ["trainer"]


def is_update(facts: Facts) -> bool:
    """Whether this home was set up before, for another version than the one that is here now."""
    return facts.record.version is not None and facts.record.version != facts.version


def _reason(step: StepFacts, recorded: str | None) -> str | None:
    if step.present == step.wanted:
        return None
    if step.present is not None or (recorded is not None and recorded != step.wanted):
        return "changed"
    return "first" if recorded is None else "missing"


def _torch_reason(torch: TorchFacts | None, better_torch: bool) -> str | None:
    return "torch" if torch is not None and (better_torch or torch.other_index) else None


def _node_reason(facts: Facts, private_node: bool, npm_needed: bool) -> str | None:
    if facts.node is None:
        return "first" if facts.record.version is None else "missing"
    if npm_needed and facts.node.npm is None:
        return "no_npm"
    return "chosen" if private_node and facts.node.source != "private" else None
