"""
A veto in play: whose turn it is, what can be chosen, and what the games of the match are played on.

Chance comes from one seed. Its SHA-256 is known from the start and the seed itself at the end, so that anybody can see
that it was not made up later; and the coin is called, so whoever made the seed did not decide the toss either. See
docs/veto.md.
"""

from dataclasses import dataclass, replace
from hashlib import sha256

from engine.bracket import Side
from engine.errors import IllegalMove
from engine.veto_script import Act, Begins, Script

COIN = ("heads", "tails")
CALLER = Side.AWAY

_TAKES = (Act.BAN, Act.PICK, Act.DECIDER)


@dataclass(frozen=True, slots=True)
class Move:
    """What was done. `side` is None for the decider. `drawn`: time was up, and chance chose for that side."""

    act: Act
    side: Side | None
    option: str
    drawn: bool = False


@dataclass(frozen=True, slots=True)
class Turn:
    """Who does what now, and what they can choose, which is never nothing."""

    act: Act
    side: Side
    options: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Game:
    """`option` is what it is played on; `picked_by` is None for the decider. The sides are known once one is chosen."""

    option: str
    picked_by: Side | None
    home_side: str | None = None
    away_side: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Veto:
    """
    The whole of a veto. `home` and `away` are the entrants that it is between.

    `coin` and `first` are known after the toss. At the end `turn` is None and `seed` is known. `games`: settled so far.
    """

    home: int
    away: int
    script: str
    pool: tuple[str, ...]
    sides: tuple[str, ...]
    seed_hash: str
    seed: str | None = None
    coin: str | None = None
    first: Side | None = None
    moves: tuple[Move, ...] = ()
    turn: Turn | None = None
    games: tuple[Game, ...] = ()


def begin(
    script: Script,
    *,
    home: int,
    away: int,
    pool: tuple[str, ...],
    sides: tuple[str, ...],
    seed: str,
    better_seed: Side,
) -> Veto:
    """
    Return a veto in which nothing has been chosen. The script has passed `Script.check` for this pool.

    `better_seed` goes first when the script begins by seed.
    """
    veto = Veto(
        home=home,
        away=away,
        script=str(script),
        pool=pool,
        sides=sides,
        seed_hash=sha256(seed.encode()).hexdigest(),
        first=better_seed if script.begins is Begins.SEED else None,
    )
    return _settled(veto, seed)


def move(veto: Veto, option: str, seed: str, *, drawn: bool = False) -> Veto:
    """
    Return the veto after whoever's turn it is has chosen `option`; the decider follows by itself.

    Raises:
        IllegalMove: that is not to be chosen now; carries what is.
    """
    turn = veto.turn
    if turn is None or option not in turn.options:
        raise IllegalMove(possible=turn.options if turn else ())
    veto = replace(veto, moves=(*veto.moves, Move(turn.act, turn.side, option, drawn)))
    if turn.act is Act.TOSS:
        coin = draw(COIN, seed, "coin")
        veto = replace(veto, coin=coin, first=turn.side if option == coin else turn.side.other)
    return _settled(veto, seed)


def lot(veto: Veto, seed: str) -> str | None:
    """Return what chance chooses for whoever's turn it is; None when it is nobody's."""
    return None if veto.turn is None else draw(veto.turn.options, seed, str(len(veto.moves)))


def draw(options: tuple[str, ...], seed: str, label: str) -> str:
    """Return the option at the place that SHA-256 of "seed:label", as a number, leaves modulo how many there are."""
    return options[int(sha256(f"{seed}:{label}".encode()).hexdigest(), 16) % len(options)]


def _settled(veto: Veto, seed: str) -> Veto:
    """Return the veto with what follows from its moves: the decider, the turn, the games, and at the end the seed."""
    if veto.first is None:
        return replace(veto, turn=Turn(Act.TOSS, CALLER, COIN))
    moves = list(veto.moves)
    taken = {made.option for made in moves if made.act in _TAKES}
    left = tuple(option for option in veto.pool if option not in taken)
    done = sum(made.act is not Act.TOSS for made in moves)
    turn = None
    for step in Script.parse(veto.script).steps[done:]:
        if step.act is not Act.DECIDER:
            side = veto.first if step.who == 1 else veto.first.other
            turn = Turn(step.act, side, veto.sides if step.act is Act.SIDE else left)
            break
        moves.append(Move(Act.DECIDER, None, left[0]))
    seed_now = seed if turn is None else None
    return replace(veto, moves=tuple(moves), turn=turn, games=_games(moves, veto.sides), seed=seed_now)


def _games(moves: list[Move], sides: tuple[str, ...]) -> tuple[Game, ...]:
    games: list[Game] = []
    for made in moves:
        if made.act in (Act.PICK, Act.DECIDER):
            games.append(Game(made.option, made.side))
        elif made.act is Act.SIDE:
            other = next(side for side in sides if side != made.option)
            home, away = (made.option, other) if made.side is Side.HOME else (other, made.option)
            games[-1] = replace(games[-1], home_side=home, away_side=away)
    return tuple(games)
