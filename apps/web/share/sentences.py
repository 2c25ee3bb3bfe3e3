"""What a link to a tournament or a match says, in words: for its picture, and for the sentence below it."""

from collections.abc import Mapping
from datetime import UTC
from typing import Any

from django.utils import timezone
from django.utils.dateparse import parse_datetime

from apps.web.present import stages
from apps.web.present.names import Names, names_of
from apps.web.present.shown import STATUS_LABELS, MatchShown, SideShown, counts, entrant_name, feeders, match_shown
from apps.web.share.card import Card, Row
from apps.web.share.fonts import Name
from apps.words import gettext, moment, ngettext, said
from engine.match_flow import BEGUN
from engine.projection import State

_ROWS = 3


def of_tournament(state: State) -> Card:
    """Return the card of a tournament: its champion, else what is being played or was played last."""
    row = state["tournament"]
    champion = entrant_name(state, row["champion"])
    matches = _worth_showing(state) if champion is None else []
    word, hero = _hero(state, champion) if not matches else ("", None)
    parts = [row["game"], how_played(state)]
    return Card(
        accent=row["accent"],
        over=Name(" · ".join(filter(None, parts)), parts[1]),
        title=_tournament(row),
        status=said(STATUS_LABELS[row["status"]]),
        is_live=row["status"] == "live",
        foot=foot(state),
        rows=tuple(_row(match) for match in matches),
        hero=hero,
        hero_word=word,
    )


def of_match(state: State, shown: MatchShown, names: Names) -> Card:
    """Return the card of a match. `names` are those of its tournament."""
    row = state["tournament"]
    number = gettext("Match {number}", number=shown.number)
    return Card(
        accent=row["accent"],
        over=Name(f"{names.place(shown)} · {number}", number),
        title=_tournament(row),
        status=shown.label,
        is_live=shown.state == "live",
        foot=shown.games,
        rows=(_row(shown),),
    )


def how_played(state: State) -> str:
    """Return how the stages are played: "Round robin, Single elimination"."""
    return ", ".join(stage.format for stage in stages.switch(state, names_of(state)))


def foot(state: State) -> str:
    """Return the numbers of a tournament: "32 entrants · 12 of 63 matches played"."""
    told = counts(state)
    if not told.matches:
        starts = parse_datetime(state["tournament"]["starts_at"] or "")
        with timezone.override(UTC):  # whoever meets the link may be anywhere
            return gettext("Starts {time}", time=moment(starts, "datetime")) if starts else ""
    entrants = ngettext("{count} entrant", "{count} entrants", told.confirmed)
    played = gettext("{progress} matches played", progress=told.progress)
    return f"{entrants} · {played}"


def tournament_sentence(state: State) -> str:
    """Return the sentence below the title of a link: what is known now."""
    row = state["tournament"]
    champion = entrant_name(state, row["champion"])
    first = gettext("{name} won.", name=champion) if champion else f"{said(STATUS_LABELS[row['status']])}."
    parts = [row["game"], how_played(state), foot(state)]
    return f"{first} {' · '.join(filter(None, parts))}"


def match_title(shown: MatchShown) -> str:
    """Return a match in a line: "Argentina 2 – 1 France"."""
    home, away = (side.name or gettext("To be decided") for side in (shown.home, shown.away))
    if not shown.home.score and not shown.away.score:
        return f"{home} – {away}"
    return f"{home} {shown.home.score} – {shown.away.score} {away}"


def _tournament(row: Mapping[str, Any]) -> Name:
    return Name(row["name"], gettext("Tournament {number}", number=row["id"]))


def _worth_showing(state: State) -> list[MatchShown]:
    """Return up to three matches: those in play, else the last that were decided."""
    rows = state["matches"].values()
    playing = [row for row in rows if row["state"] in BEGUN]
    over = [row for row in rows if row["completed_at"] and row["home"] and row["away"]]
    found = playing or sorted(over, key=lambda row: str(row["completed_at"]))[-_ROWS:]
    sources = feeders(state)
    return [match_shown(state, row, sources) for row in found[-_ROWS:]]


def _row(match: MatchShown) -> Row:
    won = next((side for side in ("home", "away") if getattr(match, side).outcome == "won"), "")
    return Row(_name(match.home), _name(match.away), match.home.score, match.away.score, won)


def _name(side: SideShown) -> Name:
    otherwise = gettext("Seed {number}", number=side.seed) if side.seed else gettext("Entrant")
    return Name(side.name or gettext("To be decided"), otherwise)


def _hero(state: State, champion: str | None) -> tuple[str, Name]:
    if champion is None:
        return gettext("Places taken"), Name(counts(state).places)
    seed = state["entries"][str(state["tournament"]["champion"])]["seed"]
    return gettext("Champion"), Name(champion, gettext("Seed {number}", number=seed))
