"""Scripts of vetoes: what organisers write, what is wrong with it, and what is usual."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import InvalidSettings
from engine.veto_script import Act, Begins, Script, Step, VetoSettings, check, preset

STEPS = ("1 ban", "2 ban", "1 pick", "2 side", "decider")


def can_be_carried_out(steps: tuple[str, ...], pool: int, best_of: int) -> bool:
    """Whether the steps lead somewhere, found out by taking them one after another."""
    left, games, side_is_open, is_over = pool, 0, False, False
    for step in steps:
        if step == "decider":
            if left != 1 or is_over:
                return False
            left, games, side_is_open, is_over = 0, games + 1, True, True
        elif step.endswith("side"):
            if not side_is_open:
                return False
            side_is_open = False
        else:
            if left == 0 or is_over:
                return False
            left -= 1
            if step.endswith("pick"):
                games, side_is_open = games + 1, True
    return 0 < games <= best_of


def test_a_script_passes_exactly_when_it_can_be_carried_out():
    passed = 0
    for length, pool, best_of in product(range(1, 6), range(2, 5), (1, 2, 3)):
        for steps in product(STEPS, repeat=length):
            script = Script.parse(", ".join(steps))
            try:
                script.check(pool=pool, best_of=best_of)
            except InvalidSettings:
                assert not can_be_carried_out(steps, pool, best_of), (steps, pool, best_of)
            else:
                assert can_be_carried_out(steps, pool, best_of), (steps, pool, best_of)
                passed += 1
    assert passed > 500


@given(
    st.builds(
        Script,
        st.lists(
            st.builds(Step, st.sampled_from([Act.BAN, Act.PICK, Act.SIDE]), st.sampled_from([1, 2]))
            | st.just(Step(Act.DECIDER)),
            min_size=1,
        ).map(tuple),
        st.sampled_from(Begins),
    )
)
def test_a_script_is_read_as_it_is_written(script):
    assert Script.parse(str(script)) == script


@pytest.mark.parametrize(
    "text",
    [
        "1 ban, 2 pick, decider",
        " FIRST  Ban ,second\tpick,\nDecider ",
        "toss; first ban, second pick, decider",
        "Toss;1 ban,2 pick,decider",
    ],
)
def test_case_spaces_and_words_for_numbers_do_not_matter(text):
    assert Script.parse(text) == Script((Step(Act.BAN, 1), Step(Act.PICK, 2), Step(Act.DECIDER)))


def test_the_better_seed_can_go_first():
    assert Script.parse("seed; 1 ban, decider").begins is Begins.SEED


@pytest.mark.parametrize(
    ("text", "pool", "sentence"),
    [
        ("1 ban, 3 ban", 7, "Step 2 of the script is not one. Steps are 1 ban, 2 ban"),
        ("", 7, "Step 1 of the script is not one"),
        ("1 ban,, decider", 7, "Step 2 of the script is not one"),
        ("home; 1 pick", 7, "Before the “;” of a script stands toss or seed."),
        ("1 ban, 2 ban, decider", 7, "of a pool of 7 5 would be. Add 4 bans."),
        ("1 ban, 2 ban, 1 pick, decider", 3, "of a pool of 3 0 would be. Take out 1 ban."),
        ("decider, 1 ban", 2, "so it is the last; only a side can be chosen after it"),
        ("1 ban, 2 ban, 1 pick", 2, "bans and picks 3, and the pool has only 2. Take out 1."),
        ("1 ban, 2 ban", 7, "leaves nothing to play. Add a pick or the decider."),
        ("1 pick, 2 pick, 1 pick, 2 pick", 7, "A best of 3 has at most 3 games, and the script settles 4."),
        ("1 side, 1 pick", 7, "A side is chosen once for a game"),
        ("1 pick, 2 side, 1 side", 7, "A side is chosen once for a game"),
        ("1 ban, " * 200 + "decider", 7, "at most 1000 characters"),
    ],
)
def test_what_is_wrong_is_said(text, pool, sentence):
    with pytest.raises(InvalidSettings) as refusal:
        Script.parse(text).check(pool=pool, best_of=3)
    assert sentence in str(refusal.value)


@pytest.mark.parametrize(
    ("best_of", "pool", "text"),
    [
        (1, 7, "1 ban, 2 ban, 1 ban, 2 ban, 1 ban, 2 ban, decider"),
        (3, 7, "1 ban, 2 ban, 1 pick, 2 pick, 1 ban, 2 ban, decider"),
        (3, 5, "1 ban, 2 ban, 1 pick, 2 pick, decider"),
        (3, 3, "1 pick, 2 pick, decider"),
        (5, 7, "1 ban, 2 ban, 1 pick, 2 pick, 1 pick, 2 pick, decider"),
        (2, 7, "1 ban, 2 ban, 1 pick, 2 pick"),
    ],
)
def test_the_presets_are_the_usual_ones(best_of, pool, text):
    assert str(preset(best_of, pool)) == text


def test_every_preset_can_be_carried_out_and_settles_every_game():
    for best_of, pool in product(range(1, 22), range(2, 33)):
        if pool < best_of:
            with pytest.raises(InvalidSettings, match=f"needs a pool of {best_of} at least, and there are {pool}"):
                preset(best_of, pool)
        else:
            script = preset(best_of, pool)
            script.check(pool=pool, best_of=best_of)
            assert script.games == best_of


MAPS = ["Ascent", "Bind", "Haven"]


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"pool": ["Bind"]}, "2 to 32 to choose from; this one has 1"),
        ({"pool": [f"Map {n}" for n in range(33)]}, "2 to 32 to choose from; this one has 33"),
        ({"pool": ["Bind", "Haven", "bind"]}, "The pool: names 1 and 3 are the same."),
        ({"pool": ["Bind", ""]}, "each name has 1 to 40 characters"),
        ({"pool": ["Bind", "x" * 41]}, "each name has 1 to 40 characters"),
        ({"sides": ["Attack"]}, "A game has two sides"),
        ({"sides": ["Attack", "Attack"]}, "The sides of a game: names 1 and 2 are the same."),
        ({"seconds": 3601}, "a number of seconds from 0 to 3600"),
        ({"scripts": {"22": "1 pick"}}, "a number from 1 to 21"),
        ({"scripts": {"three": "1 pick"}}, "a number from 1 to 21"),
        ({"scripts": {"3": "1 veto"}}, "Step 1 of the script is not one"),
        ({"pool": MAPS, "scripts": {"3": "1 ban, decider"}}, "Add 1 ban."),
    ],
)
def test_settings_that_cannot_work_are_refused_with_a_sentence(settings, sentence):
    with pytest.raises(InvalidSettings) as refusal:
        check(VetoSettings(**settings))
    assert sentence in str(refusal.value)


def test_scripts_can_be_kept_while_there_is_no_pool():
    check(VetoSettings(scripts={"3": "1 ban, 2 ban, 1 pick, decider"}))


def test_a_best_of_without_a_script_has_the_preset():
    settings = VetoSettings(pool=MAPS, scripts={"1": "seed; 1 ban, 2 ban, decider"})
    check(settings)
    assert str(settings.script(1)) == "seed; 1 ban, 2 ban, decider"
    assert str(settings.script(3)) == "1 pick, 2 pick, decider"
    with pytest.raises(InvalidSettings, match="needs a pool of 5"):
        settings.script(5)
