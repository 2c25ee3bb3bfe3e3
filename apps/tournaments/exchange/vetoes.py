"""Vetoes in documents: told by their moves and their seed, from which everything else is made again."""

from dataclasses import replace

import msgspec

from apps.tournaments.exchange.document import Veto, VetoMove
from apps.tournaments.text import clean_line
from engine import veto as engine
from engine import veto_script
from engine.errors import InvalidSettings
from engine.match_flow import MAX_GAMES
from engine.text import gettext as _
from engine.veto_script import MAX_NAME, Act, Script, VetoSettings


def told(row: dict[str, object], *, home: int, away: int) -> Veto | None:
    """
    Return a veto as a document tells it, between entries of these numbers; None when it is not over.

    Until then its seed is a secret, without which it could not go on.
    """
    veto = msgspec.convert(row, engine.Veto)
    if veto.seed is None or veto.first is None:
        return None
    moves = [VetoMove(act=m.act, side=m.side, option=m.option, drawn=m.drawn) for m in veto.moves]
    return Veto(
        home=home,
        away=away,
        script=veto.script,
        pool=list(veto.pool),
        sides=list(veto.sides),
        seed=veto.seed,
        first=veto.first,
        moves=moves,
    )


def made_again(given: Veto) -> engine.Veto:
    """
    Return the veto that a document tells.

    Raises:
        BadRequest: a name that cannot be shown.
        EngineError: it cannot have gone like that.
    """
    names = [*given.pool, *given.sides]
    if [clean_line("name", name, at_most=MAX_NAME) for name in names] != names:
        raise InvalidSettings(_("A name to choose from has spaces too many."))
    veto_script.check(VetoSettings(pool=given.pool, sides=given.sides))
    script = Script.parse(given.script)
    script.check(pool=len(given.pool), best_of=MAX_GAMES)
    veto = engine.begin(
        script,
        home=given.home,
        away=given.away,
        pool=tuple(given.pool),
        sides=tuple(given.sides),
        seed=given.seed,
        better_seed=given.first,
    )
    for made in given.moves:
        if made.act is not Act.DECIDER:
            veto = engine.move(veto, made.option, given.seed, drawn=made.drawn)
    moves = tuple(engine.Move(m.act, m.side, m.option, m.drawn) for m in given.moves)
    if veto.turn is not None or (veto.first, veto.moves) != (given.first, moves):
        raise InvalidSettings(_("These moves are not those of a whole veto of this script, coin and seed."))
    return veto


def between(veto: engine.Veto, home: int, away: int) -> dict[str, object]:
    """Return a veto as rows hold it, between entries of these ids."""
    row: dict[str, object] = msgspec.to_builtins(replace(veto, home=home, away=away))
    return row
