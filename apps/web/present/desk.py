"""
What one person's page shows of each of their tournaments: what to do now, where and when, how it has gone so far.

Most urgent first: what asks for the person, then what they wait for, then what is over.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from apps.tournaments.models import Tournament
from apps.tournaments.selectors.desk import TABLE, Seat
from apps.web.present.mine import Mine, MyMatch, mine, my_match
from apps.web.present.names import Names
from apps.web.present.shown import MatchShown, SideShown, feeders, match_shown
from engine.errors import InvalidScore
from engine.league import tables
from engine.match_flow import OPEN, OVER, Score, decided
from engine.projection import State
from engine.stages import Format

Row = Mapping[str, Any]

MOST_PICKS = 8  # a best of 7 has so many; of a longer one the score is typed


@dataclass(frozen=True, slots=True)
class Slot:
    """Where and when a match is played, as far as that is known. `called`: the entrants are asked to come."""

    planned: str | None
    station: str
    called: bool


@dataclass(frozen=True, slots=True)
class Pick:
    """A score to choose: `won` by "home", "away" or "draw"; `value` "2-1" has home first, `label` the person."""

    won: str
    value: str
    label: str


@dataclass(frozen=True, slots=True)
class Result:
    """A match that is over, as its player sees it. `outcome`: won, lost, drew, or "" when it was not played."""

    match: MatchShown
    opponent: SideShown
    me: SideShown

    @property
    def outcome(self) -> str:
        return self.me.outcome


@dataclass(frozen=True, slots=True)
class Standing:
    """How it stands for an entrant: "3–0–1" won, lost, drawn; `rank` of `of`, where there is a table."""

    won: int
    lost: int
    drawn: int
    rank: int | None = None
    of: int = 0


@dataclass(frozen=True, slots=True)
class Card:
    """`further`: more matches that can be played. `over`: the tournament is."""

    tournament: Tournament
    name: str
    my: Mine
    match: MyMatch | None
    slot: Slot | None
    place: str
    further: tuple[MatchShown, ...]
    results: tuple[Result, ...]
    standing: Standing | None
    over: bool
    urgency: int


def cards(seats: Iterable[Seat], now: datetime) -> list[Card]:
    """Return a person's tournaments, the one that asks for them most urgently first."""
    shown = [_card(seat, now) for seat in seats]
    return sorted(shown, key=lambda card: card.urgency)


def slot_of(state: State, match_id: int) -> Slot | None:
    """Return when and where a match of the state is played, None when neither is known."""
    row = state["matches"][str(match_id)]
    station = state["stations"].get(str(row["station"]), {}).get("name", "")
    if not row["scheduled_at"] and not station:
        return None
    called = row["called_at"] is not None and row["state"] in ("check_in", "ready")
    return Slot(row["scheduled_at"], station, called)


def picks(match: MatchShown, side: str) -> list[Pick]:
    """Return the scores with which a match can have ended, by who won, the clearest first; none when those are many."""
    if match.best_of == 1:
        sweep = [("home", 1, 0), ("away", 0, 1), *([("draw", 0, 0)] if match.is_league else [])]
        return [_pick(won, home, away, side) for won, home, away in sweep]
    found = []
    for home in range(match.best_of // 2 + 2):
        for away in range(match.best_of // 2 + 2):
            try:
                winner = decided(Score(home, away), best_of=match.best_of, draws=match.is_league)
            except InvalidScore:
                continue
            found.append((winner.value if winner else "draw", home, away))
    if len(found) > MOST_PICKS:
        return []
    found.sort(key=lambda one: (-abs(one[1] - one[2]), one[1] + one[2]))
    return [_pick(won, home, away, side) for won, home, away in found]


def results_of(state: State, entry_id: int) -> list[Result]:
    """Return an entrant's matches that are over, the last first."""
    known = feeders(state)
    rows = [row for row in _own(state, entry_id) if row["state"] in OVER and row["home"] and row["away"]]
    rows.sort(key=lambda row: (row["completed_at"] or "", row["number"]), reverse=True)
    found = []
    for row in rows:
        match = match_shown(state, row, known)
        me, opponent = (match.home, match.away) if row["home"] == entry_id else (match.away, match.home)
        found.append(Result(match, opponent, me))
    return found


def standing_of(state: State, entry_id: int, results: Iterable[Result], *, whole: Iterable[int]) -> Standing | None:
    """
    Return how it stands for an entrant, None before there is a result.

    `whole`: the stages of which the state has everything, whose tables can be computed.
    """
    outcomes = [result.outcome for result in results]
    won, lost, drawn = (outcomes.count(outcome) for outcome in ("won", "lost", "drew"))
    if not won + lost + drawn:
        return None
    for stage_id in whole:
        stage = state["stages"][str(stage_id)]
        matches = [row for row in state["matches"].values() if row["stage"] == stage_id and "state" in row]
        entrants = [row for row in state["stage_entries"].values() if row["stage"] == stage_id]
        for table in tables(stage, matches, entrants).values():
            rank = next((line.rank for line in table if line.entrant == entry_id), None)
            if rank is not None:
                return Standing(won, lost, drawn, rank, len(table))
    return Standing(won, lost, drawn)


def leagues_in(state: State) -> list[int]:
    """Return the stages of a whole state whose tables are looked at now and small enough to be computed each time."""
    return [
        stage["id"]
        for stage in state["stages"].values()
        if Format(stage["format"]).is_league
        and stage["state"] == "live"
        and sum(row["stage"] == stage["id"] for row in state["stage_entries"].values()) <= TABLE
    ]


def _card(seat: Seat, now: datetime) -> Card:
    state, entry = seat.state, seat.entry
    my = mine(state, signed_in=True, entry_id=entry.pk, now=now, acts=seat.acts, number=seat.number)
    names = Names(state["stages"].values(), seat.last_rounds)
    results = results_of(state, entry.pk)
    match = my_match(state, my.match, my.side) if my.match else None
    known = feeders(state)
    further = [
        match_shown(state, row, known)
        for row in _own(state, entry.pk)
        if row["state"] in OPEN and row["home"] and row["away"] and (my.match is None or row["id"] != my.match.id)
    ]
    over = entry.tournament.status in ("completed", "cancelled")
    return Card(
        tournament=entry.tournament,
        name=entry.name,
        my=my,
        match=match,
        slot=slot_of(state, my.match.id) if my.match else None,
        place=names.place(my.match) if my.match else "",
        further=tuple(further),
        results=tuple(results),
        standing=standing_of(state, entry.pk, results, whole=sorted(seat.tables)),
        over=over,
        urgency=_urgency(my, match, over=over),
    )


def _urgency(my: Mine, match: MyMatch | None, *, over: bool) -> int:
    """Return how soon somebody should look, the smallest first."""
    step = match.step if match else ""
    ranks = {
        100: over,
        50: not my.acts,
        0: step == "confirm",
        1: step == "check_in",
        2: my.step == "offered",
        4: my.check_in == "open" and my.step == "in",
        40: step == "wait",
        20: step in ("checked_in", "reported", "disputed"),
        3: match is not None,
    }
    return next((rank for rank, applies in ranks.items() if applies), 60)


def _own(state: State, entry_id: int) -> list[Row]:
    return [row for row in state["matches"].values() if entry_id in (row.get("home"), row.get("away"))]


def _pick(won: str, home: int, away: int, side: str) -> Pick:
    mine, theirs = (home, away) if side == "home" else (away, home)
    return Pick(won, f"{home}-{away}", f"{mine}–{theirs}")
