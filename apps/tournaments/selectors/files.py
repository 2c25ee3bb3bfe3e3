"""A tournament's entrants, results and standings as files for other programs."""

from collections import Counter
from collections.abc import Iterable

from apps.errors import BadRequest
from apps.tournaments.exchange import csv_files
from apps.tournaments.exchange.csv_files import EntrantRow, ResultRow, StandingRow
from apps.tournaments.exchange.trf import write_trf
from apps.tournaments.exchange.trf_results import League, tournament_of
from apps.tournaments.models import EntryStatus, Match, Stage, Tournament
from apps.tournaments.selectors.standings import rounds_in, stage_rows
from apps.tournaments.state import stage_fields
from engine.league import points_of, results_of, rounds_of, tables
from engine.match_flow import OPEN, MatchState
from engine.results import Result
from engine.stages import Format
from engine.standings import ROUND_ROBIN_PARTS, SWISS_PARTS
from engine.text import gettext as _
from engine.tiebreaks import Measure

_NO_SCORE = (MatchState.SCHEDULED, MatchState.CHECK_IN, MatchState.READY, MatchState.CANCELLED)
_KINDS = {Format.SWISS: "Swiss-System", Format.ROUND_ROBIN: "Round-Robin"}


def entrants_csv(tournament: Tournament) -> bytes:
    """Return the confirmed entrants by seed, then the waitlist in its order. One query."""
    statuses = [EntryStatus.CONFIRMED, EntryStatus.WAITLISTED]
    found = list(tournament.entries.filter(status__in=statuses).select_related("team"))
    found.sort(key=lambda e: (e.status != EntryStatus.CONFIRMED, e.seed is None, e.seed or 0, e.pk))
    rows = (EntrantRow(name=e.name, seed=e.seed, team=e.team.name if e.team else "") for e in found)
    return csv_files.write_entrants(rows)


def results_csv(tournament: Tournament) -> bytes:
    """Return all matches in the order of play, decided or not. One query."""
    found = tournament.matches.select_related("stage", "home", "away", "winner").order_by("stage__number", "number")
    return csv_files.write_results(_result_row(match) for match in found)


def standings_csv(stage: Stage) -> bytes:
    """Return a league's tables, or where everybody is placed in a bracket; ranks are empty until that is known."""
    if not stage.is_league:
        return csv_files.write_standings(_places(stage))
    names = _names(stage)
    usual = SWISS_PARTS if stage.format == Format.SWISS else ROUND_ROBIN_PARTS
    parts = [part for part in map(str, stage.options.tie_breaks or usual) if part != Measure.POINTS]
    rows = [
        StandingRow(
            group=group,
            rank=line.rank,
            name=names[line.entrant],
            played=line.played,
            won=line.wins,
            drawn=line.draws,
            lost=line.losses,
            points=line.points,
            tie_breaks=tuple(line.values.get(part) for part in parts),
        )
        for group, table in tables(stage_fields(stage), *stage_rows(stage)).items()
        for line in table
    ]
    return csv_files.write_standings(rows, parts)


def report_trf(stage: Stage) -> bytes:
    """
    Return a league as a tournament report file (TRF). Three queries.

    Raises:
        BadRequest: the stage is a bracket, or has what such a file has no room for.
    """
    if not stage.is_league:
        message = _("Only a league, Swiss or round robin, has a report. Export the results of a bracket as CSV.")
        raise BadRequest(message, format=stage.format)
    matches, entrants = stage_rows(stage)
    seeds = {row["entry"]: number for number, row in enumerate(entrants, start=1)}
    fields = stage_fields(stage)
    lines = {line.entrant: line for table in tables(fields, matches, entrants).values() for line in table}
    names = _names(stage)
    annulled = {row["entry"] for row in entrants if row["annulled"]}
    league = League(
        names=tuple(names[entry] for entry in seeds),
        results=tuple(_seeded(results_of(matches, entrants), seeds)),
        open=tuple(
            (row["round"], seeds[row["home"]], seeds[row["away"]])
            for row in matches
            if row["state"] in OPEN and not annulled & {row["home"], row["away"]}
        ),
        scoring=points_of(fields),
        rounds=rounds_in(stage) if stage.format == Format.SWISS else rounds_of(matches, entrants),
    )
    report = tournament_of(
        league,
        name=stage.tournament.name,
        kind=f"Individual: {_KINDS[Format(stage.format)]}",
        points=[lines[entry].points if entry in lines else 0 for entry in seeds],
        ranks=[lines[entry].rank if entry in lines else 0 for entry in seeds],
    )
    return write_trf(report)


def _names(stage: Stage) -> dict[int, str]:
    return dict(stage.entries.order_by("seed").values_list("entry", "entry__name"))


def _seeded(results: Iterable[Result], seeds: dict[int, int]) -> Iterable[Result]:
    for result in results:
        home, away, winner = (None if e is None else seeds[e] for e in (result.home, result.away, result.winner))
        if home is not None:
            yield Result(result.round, home, away, winner, result.home_score, result.away_score, forfeit=result.forfeit)


def _result_row(match: Match) -> ResultRow:
    scores = (None, None) if match.state in _NO_SCORE else (match.home_score, match.away_score)
    return ResultRow(
        stage=match.stage.number,
        bracket=match.bracket,
        group=match.group,
        round=match.round,
        match=match.number,
        home=match.home.name if match.home else "",
        away=match.away.name if match.away else "",
        home_score=scores[0],
        away_score=scores[1],
        winner=match.winner.name if match.winner else "",
        state=match.state,
    )


def _places(stage: Stage) -> list[StandingRow]:
    played: Counter[int] = Counter()
    won: Counter[int] = Counter()
    for match in stage.matches.filter(state__in=(MatchState.COMPLETED, MatchState.FORFEIT)):
        if match.home_id and match.away_id:
            played.update((match.home_id, match.away_id))
            won.update([match.winner_id] if match.winner_id else [])
    rows = sorted(stage.entries.select_related("entry"), key=lambda row: (row.rank is None, row.rank or 0, row.seed))
    return [
        StandingRow(
            group=0,
            rank=row.rank,
            name=row.entry.name,
            played=played[row.entry_id],
            won=won[row.entry_id],
            drawn=0,
            lost=played[row.entry_id] - won[row.entry_id],
            points=None,
        )
        for row in rows
    ]
