"""docs/veto.md: its scripts are the presets, and its program tells a fair veto from one that was tampered with."""

import re
from pathlib import Path
from random import Random

import msgspec
import pytest

from engine.bracket import Side
from engine.veto import Veto, begin, lot, move
from engine.veto_script import Script, preset

PAGE = (Path(__file__).parents[2] / "docs" / "veto.md").read_text()


@pytest.fixture
def program():
    names = {}
    exec(re.search(r"```python\n(.*?)```", PAGE, re.DOTALL)[1], names)
    return names["chance_was_fair"]


def played(seed: str, rng: Random) -> Veto:
    """A veto in which about half of all was left to chance."""
    pool = ("Ascent", "Bind", "Haven", "Icebox", "Lotus")
    script = Script.parse("1 ban, 2 ban, 1 pick, 2 side, 2 pick, decider, 1 side")
    sides = ("Attack", "Defence")
    veto = begin(script, home=1, away=2, pool=pool, sides=sides, seed=seed, better_seed=Side.HOME)
    while veto.turn is not None:
        drawn = rng.random() < 0.5
        veto = move(veto, lot(veto, seed) if drawn else rng.choice(veto.turn.options), seed, drawn=drawn)
    return veto


def test_the_program_finds_every_real_veto_fair_and_another_seed_or_toss_or_draw_out(program):
    tampered = 0
    for number in range(60):
        veto = msgspec.to_builtins(played(f"seed {number}", Random(number)))
        assert program(veto)
        assert not program(veto | {"seed": "another"})
        assert not program(veto | {"first": "home" if veto["first"] == "away" else "away"})
        assert not program(veto | {"coin": "heads" if veto["coin"] == "tails" else "tails"})
        for at, made in enumerate(veto["moves"]):
            if made["drawn"] and made["act"] == "side":
                other = next(side for side in veto["sides"] if side != made["option"])
                moves = [*veto["moves"][:at], made | {"option": other}, *veto["moves"][at + 1 :]]
                assert not program(veto | {"moves": moves})
                tampered += 1
    assert tampered > 20


def test_the_usual_scripts_are_the_presets():
    rows = re.findall(r"^\| best of (\d) \| `(.*)` \|$", PAGE, re.MULTILINE)
    assert {int(best_of): text for best_of, text in rows} == {n: str(preset(n, 7)) for n in (1, 3, 5)}


def test_the_example_can_be_carried_out():
    example = re.search(r"`(seed; [^`]*)`", PAGE)[1]
    Script.parse(example).check(pool=4, best_of=3)
