"""Vetoes in play: every order of moves is legal or refused, and chance can be checked afterwards."""

from hashlib import sha256
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.bracket import Side
from engine.errors import IllegalMove, InvalidSettings
from engine.veto import COIN, Game, Move, begin, draw, lot, move
from engine.veto_script import Act, Script, preset

SEED = "5f0e"
SIDES = ("Attack", "Defence")
MAPS = ("Ascent", "Bind", "Haven", "Icebox", "Lotus", "Pearl", "Split")


def veto_of(text, pool=MAPS, seed=SEED, better_seed=Side.HOME):
    script = Script.parse(text)
    return begin(script, home=1, away=2, pool=pool, sides=SIDES, seed=seed, better_seed=better_seed)


def played(veto, *options, seed=SEED):
    for option in options:
        veto = move(veto, option, seed)
    return veto


class Naive:
    """A veto as a person at a table keeps it: what lies there still, what was put aside, and the games so far."""

    def __init__(self, steps, pool, first):
        self.steps, self.left, self.first, self.games = list(steps), list(pool), first, []

    def copy(self):
        twin = Naive(self.steps, self.left, self.first)
        twin.games = [dict(game) for game in self.games]
        return twin

    def advance(self):
        while self.steps and self.steps[0] == "decider":
            self.steps.pop(0)
            self.games.append({"option": self.left.pop(), "by": None})

    @property
    def turn(self):
        """Who does what, and with what; None when it is over."""
        self.advance()
        if not self.steps:
            return None
        who, act = self.steps[0].split()
        side = self.first if who == "1" else self.first.other
        return act, side, set(SIDES if act == "side" else self.left)

    def take(self, option):
        act, side, _ = self.turn
        self.steps.pop(0)
        if act == "side":
            other = SIDES[1 - SIDES.index(option)]
            self.games[-1] |= {side: option, side.other: other}
            return
        self.left.remove(option)
        if act == "pick":
            self.games.append({"option": option, "by": side})


def same(games, naive):
    return [(g.option, g.picked_by, g.home_side, g.away_side) for g in games] == [
        (g["option"], g["by"], g.get(Side.HOME), g.get(Side.AWAY)) for g in naive
    ]


def walk(veto, naive, anything):
    """Try everything at every point; return how many ends there are."""
    turn = naive.turn
    assert same(veto.games, naive.games)
    assert (veto.seed is None) == (turn is not None)
    if turn is None:
        assert veto.turn is None
        for option in anything:
            with pytest.raises(IllegalMove):
                move(veto, option, SEED)
        return 1
    act, side, options = turn
    assert (veto.turn.act, veto.turn.side, set(veto.turn.options)) == (act, side, options)
    ends = 0
    for option in anything:
        if option in options:
            after = naive.copy()
            after.take(option)
            ends += walk(move(veto, option, SEED), after, anything)
        else:
            with pytest.raises(IllegalMove) as refusal:
                move(veto, option, SEED)
            assert set(refusal.value.possible) == options
    return ends


def test_every_order_of_moves_of_every_small_script_is_legal_or_refused():
    ends = 0
    for pool, length in ((MAPS[:2], 3), (MAPS[:3], 4)):
        anything = (*pool, *SIDES, "heads", "")
        for steps in product(("1 ban", "2 ban", "1 pick", "2 pick", "2 side", "decider"), repeat=length):
            script = Script.parse("seed; " + ", ".join(steps))
            try:
                script.check(pool=len(pool), best_of=3)
            except InvalidSettings:
                continue
            ends += walk(veto_of(str(script), pool), Naive(steps, pool, Side.HOME), anything)
    assert ends > 1000


@given(st.data())
def test_whatever_two_choose_a_veto_ends_with_its_games_and_nothing_is_used_twice(data):
    best_of, size = data.draw(st.integers(1, 7)), data.draw(st.integers(2, 12))
    pool = tuple(f"Map {n}" for n in range(max(best_of, size)))
    script = preset(best_of, len(pool))
    veto = veto_of(str(script), pool)
    assert veto.turn.act is Act.TOSS
    while veto.turn is not None:
        choice = data.draw(st.sampled_from((*COIN, *pool)))
        if choice in veto.turn.options:
            veto = move(veto, choice, SEED, drawn=data.draw(st.booleans()))
        else:
            with pytest.raises(IllegalMove):
                move(veto, choice, SEED)
            veto = move(veto, lot(veto, SEED), SEED, drawn=True)
    taken = [made.option for made in veto.moves if made.act is not Act.TOSS]
    assert len(taken) == len(set(taken)) == len(script.steps)
    assert len(veto.games) == best_of
    for made, step in zip(veto.moves[1:], script.steps, strict=True):
        who = {0: None, 1: veto.first, 2: veto.first.other}[step.who]
        assert (made.act, made.side) == (step.act, who)


def test_who_calls_the_coin_right_goes_first():
    coin = COIN[int(sha256(b"5f0e:coin").hexdigest(), 16) % 2]
    wrong = next(face for face in COIN if face != coin)
    veto = veto_of("1 ban, 2 ban, 1 ban, 2 ban, 1 ban, 2 ban, decider")
    assert (veto.turn.side, veto.turn.options, veto.first, veto.coin) == (Side.AWAY, COIN, None, None)
    assert played(veto, coin).first is Side.AWAY
    assert played(veto, wrong).first is Side.HOME
    assert played(veto, wrong).coin == played(veto, coin).coin == coin


@pytest.mark.parametrize("side", Side)
def test_the_better_seed_goes_first_without_a_toss(side):
    veto = veto_of("seed; 1 pick, 2 pick", better_seed=side)
    assert (veto.turn.act, veto.turn.side) == (Act.PICK, side)


def test_a_best_of_three_with_sides():
    veto = veto_of("seed; 1 ban, 2 ban, 1 pick, 2 side, 2 pick, 1 side, 1 ban, 2 ban, decider, 1 side")
    veto = played(veto, "Bind", "Split", "Ascent", "Defence", "Haven", "Attack", "Lotus", "Pearl")
    assert veto.moves[-1] == Move(Act.DECIDER, None, "Icebox"), "it follows by itself"
    veto = played(veto, "Attack")
    assert veto.games == (
        Game("Ascent", Side.HOME, "Attack", "Defence"),
        Game("Haven", Side.AWAY, "Attack", "Defence"),
        Game("Icebox", None, "Attack", "Defence"),
    )


def test_options_may_be_called_like_the_coin():
    veto = played(veto_of("1 ban, decider", ("heads", "tails")), "heads")
    assert veto.turn.options == COIN
    assert [game.option for game in played(veto, "tails").games] == ["heads"]


def test_the_seed_is_promised_first_and_shown_last():
    veto = veto_of("1 ban, decider", MAPS[:2])
    assert veto.seed_hash == sha256(SEED.encode()).hexdigest()
    after_toss = played(veto, "heads")
    assert after_toss.seed is None
    assert played(after_toss, "Bind").seed == SEED


def test_a_lot_is_legal_and_another_seed_draws_another():
    veto = played(veto_of("1 ban, 2 ban, 1 ban, 2 ban, 1 ban, 2 ban, decider"), "heads", "Bind")
    drawn = [lot(veto, f"seed {n}") for n in range(200)]
    assert set(drawn) == set(veto.turn.options)
    assert lot(veto, SEED) == lot(veto, SEED)
    assert lot(played(veto, *veto.turn.options[:-1]), SEED) is None


def test_a_coin_that_is_called_by_lot_is_called_right_half_of_the_time():
    seeds = [f"seed {n}" for n in range(400)]
    called = [move(v, lot(v, seed), seed) for seed in seeds for v in [veto_of("1 pick", seed=seed)]]
    assert 150 < sum(veto.first is Side.AWAY for veto in called) < 250
    assert 150 < sum(draw(COIN, seed, "coin") == "heads" for seed in seeds) < 250
