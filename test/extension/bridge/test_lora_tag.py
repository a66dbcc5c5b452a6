"""Tags in prompts: plain loops over random prompts, checked by an own reading of the WebUI's rules."""

from __future__ import annotations

import random
import re

import pytest
from train_lora_webui.bridge.lora_tag import first_name, lora_tag, number, with_name, with_tag, with_weight

OURS = {"korri", "korri-000001", "korri-000012"}
WORDS = [
    "korri",
    "1girl",
    "(hat:1.2)",
    "<lora:other:0.5>",
    "<lyco:korri:1>",
    "\n",
    "BREAK",
    "[a:b:0.5]",
    "<hypernet:x:1>",
    ",",
]


def multipliers(tag: str) -> tuple[float, float, str | None]:
    """(te, unet, dyn) as the WebUI's Lora extension reads the items of a tag."""
    positional, named = [], {}
    for item in tag[1:-1].split(":")[1:]:
        parts = item.split("=", 2) if "=" in item else [item]
        if len(parts) == 2:
            named[parts[0]] = parts[1]
        else:
            positional.append(item)
    te = float(named.get("te", positional[1] if len(positional) > 1 else 1.0))
    unet = float(named.get("unet", positional[2] if len(positional) > 2 else te))
    return te, unet, named.get("dyn", positional[3] if len(positional) > 3 else None)


def tags(prompt: str) -> list[str]:
    return re.findall(r"<lora:[^>]+>", prompt)


def random_tag(chance: random.Random, name: str) -> str:
    te, unet = round(chance.uniform(-2, 2), 2) or 0.3, round(chance.uniform(-2, 2), 2)
    shape = chance.choice(
        ["{n}", "{n}:{t}", "{n}:{t}:{u}", "{n}:{t}:{u}:8", "{n}:te={t}", "{n}:te={t}:unet={u}", "{n}:unet={u}:{t}"]
    )
    shape = chance.choice([shape, shape + ":dyn=4"])
    return "<lora:" + shape.format(n=name, t=te, u=unet) + ">"


def random_prompt(chance: random.Random) -> str:
    words = [chance.choice(WORDS) for _ in range(chance.randrange(8))]
    if chance.random() < 0.7:
        words.insert(chance.randrange(len(words) + 1), random_tag(chance, chance.choice(sorted(OURS))))
    return " ".join(words)


def our_tag(prompt: str) -> str | None:
    return next((tag for tag in tags(prompt) if re.split("[:>]", tag[6:])[0] in OURS), None)


def test_a_new_weight_keeps_the_ratio_and_everything_else() -> None:
    chance = random.Random(1)
    for _ in range(3000):
        prompt, weight = random_prompt(chance), round(chance.uniform(-3, 3), 3)
        changed = with_weight(prompt, OURS.__contains__, weight, "korri")
        before, after = our_tag(prompt), our_tag(changed)
        te, unet, dyn = multipliers(after)
        assert te == pytest.approx(weight, abs=1e-6)
        if before is None:
            assert changed == with_tag(prompt, lora_tag("korri", weight))
            continue
        old_te, old_unet, old_dyn = multipliers(before)
        assert dyn == old_dyn
        assert unet == pytest.approx(weight * old_unet / old_te, rel=1e-4, abs=1e-5)
        assert changed.replace(after, "·", 1) == prompt.replace(before, "·", 1)


def test_a_new_epoch_keeps_the_weights_and_everything_else() -> None:
    chance = random.Random(2)
    for _ in range(3000):
        prompt = random_prompt(chance)
        changed = with_name(prompt, OURS.__contains__, "korri-000002")
        before = our_tag(prompt)
        if before is None:
            assert changed == with_tag(prompt, "<lora:korri-000002:1>")
            continue
        after = next(tag for tag in tags(changed) if tag.startswith(("<lora:korri-000002:", "<lora:korri-000002>")))
        assert multipliers(after) == multipliers(before)
        assert changed.replace(after, "·", 1) == prompt.replace(before, "·", 1)


def test_setting_a_weight_twice_is_setting_the_second() -> None:
    chance = random.Random(3)
    for _ in range(500):
        prompt = random_prompt(chance)
        first, second = 0.5, round(chance.uniform(0.1, 2), 2)
        twice = with_weight(with_weight(prompt, OURS.__contains__, first, "korri"), OURS.__contains__, second, "korri")
        te, unet, _dyn = multipliers(our_tag(twice))
        once_te, once_unet, _dyn = multipliers(our_tag(with_weight(prompt, OURS.__contains__, second, "korri")))
        assert (te, unet) == pytest.approx((once_te, once_unet), rel=1e-3, abs=1e-5)


def test_numbers_are_short_and_survive_reading() -> None:
    assert [number(value) for value in (1, 0.8, 0, -0.25, 1e-12, 0.1 + 0.2, 100)] == [
        "1",
        "0.8",
        "0",
        "-0.25",
        "0",
        "0.3",
        "100",
    ]


def test_a_weight_that_is_no_number_is_replaced_and_not_stumbled_over() -> None:
    assert with_weight("<lora:korri:abc>", OURS.__contains__, 0.5, "korri") == "<lora:korri:0.5>"


def test_a_tag_of_weight_0_gets_a_weight_for_both_parts() -> None:
    assert with_weight("<lora:korri:0:0>", OURS.__contains__, 0.5, "korri") == "<lora:korri:0.5:0.5>"


def test_finds_the_first_tag_that_is_ours() -> None:
    assert first_name("<lora:other:1> <lora:korri-000012:1> <lora:korri:1>", OURS.__contains__) == "korri-000012"
    assert first_name("korri <lyco:korri:1>", OURS.__contains__) is None
