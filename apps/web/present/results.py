"""Results as people stated them: two reports side by side, and one that a reopening took away."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from apps.web.present.shown import entrant_name, forfeit_label
from apps.words import gettext
from engine.projection import State

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Stated:
    """`text` is the score ("2–1"), `games` those of its games; `fields` are what a form sends to decide by it."""

    by: str
    text: str
    games: str
    fields: tuple[tuple[str, str], ...]


def reports(state: State, row: Row) -> list[Stated]:
    """Return what the sides of a match reported, the first report first."""
    sides = ("home", "away") if row["reported_by"] != "away" else ("away", "home")
    stated = zip(sides, (row["report"], row["counter_report"]), strict=True)
    return [_stated(entrant_name(state, row[side]) or gettext("One side"), score) for side, score in stated if score]


def kept_text(state: State, kept: Row) -> str:
    """Return a result that was taken away: "2–1", or "Walkover for Ada"."""
    winner = entrant_name(state, kept["winner"])
    if kept["reason"] == "played":
        return _score(kept)
    if winner is None:
        return forfeit_label(kept["reason"], nobody_won=True)
    return gettext("{label} for {name}", label=forfeit_label(kept["reason"], nobody_won=False), name=winner)


def _stated(by: str, score: Row) -> Stated:
    games = score.get("games") or []
    names = ("home_score", "away_score", "home_shootout", "away_shootout")
    fields = [(name, str(score[name])) for name in names if score.get(name) is not None]
    for number, game in enumerate(games, start=1):
        fields += [(f"game{number}_{side}", str(game[side])) for side in ("home", "away")]
    return Stated(by, _score(score), ", ".join(f"{game['home']}–{game['away']}" for game in games), tuple(fields))


def _score(score: Row) -> str:
    text = f"{score['home_score']}–{score['away_score']}"
    if score.get("home_shootout") is not None:
        shootout = f"{score['home_shootout']}–{score['away_shootout']}"
        text = gettext("{score} ({shootout} in the shootout)", score=text, shootout=shootout)
    return text
