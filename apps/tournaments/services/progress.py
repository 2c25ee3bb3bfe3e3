"""What a result sets in motion: winners move on, walkovers follow, stages end, a champion is found."""

from collections import Counter
from typing import Any

from apps.tournaments.events import (
    BracketUpdated,
    EntryChange,
    MatchCancelled,
    MatchCheckInOpened,
    MatchCompleted,
    MatchReady,
    StageUpdated,
    StandingsUpdated,
    TournamentCompleted,
    TournamentStarted,
)
from apps.tournaments.models import Entry, EntryStatus, Match, Stage, StageEntry, StageState, Status
from apps.tournaments.selectors.standings import is_complete, ranks
from apps.tournaments.services import ratings
from apps.tournaments.services.unit import Unit
from engine.bracket import Side
from engine.match_flow import BEGUN, OPEN, MatchState, Reason, Score, Step, after
from engine.progression import Award, Clear, Fill, Outcome, Ready, Sides, Skip, settle


def begin_play(unit: Unit) -> None:
    """Set the tournament live with its first match."""
    if unit.tournament.status != Status.LIVE:
        unit.tournament.status = Status.LIVE
        unit.emit(TournamentStarted(tournament=unit.save(unit.tournament)))


def complete(unit: Unit, match: Match, winner: Side | None, reason: Reason) -> None:
    """End a match whose state has been moved already, and let the stage follow. No winner: a draw, or both lost."""
    begin_play(unit)
    finish(unit, match, None if winner is None else match.entry_id(winner), reason)
    follow(unit, match, outcome_of(match))
    conclude(unit, match.stage)


def finish(unit: Unit, match: Match, winner: int | None, reason: Reason) -> None:
    """Write down how a match ended."""
    match.winner_id, match.reason, match.completed_at, match.deadline_at = winner, reason, unit.now, None
    unit.emit(MatchCompleted(match=unit.save(match)))
    if unit.tournament.rated and match.state == MatchState.COMPLETED:
        ratings.rate(match)


def outcome_of(match: Match) -> Outcome:
    """Return what the bracket sees of a match that is over."""
    if match.winner_id is None:
        return Outcome(None, None)
    won_by = Side.HOME if match.winner_id == match.home_id else Side.AWAY
    return Outcome(match.winner_id, match.entry_id(won_by.other), won_by)


def follow(unit: Unit, ended: Match, outcome: Outcome | None) -> list[Match]:
    """
    Carry out what the engine says follows from a result, or from its having been taken back (None).

    Returns the later matches that lost a result or a score because of it.
    """
    rows: dict[int, Match] = {ended.number: ended}

    def find(number: int) -> Sides:
        row = rows.get(number)
        if row is None:
            row = rows[number] = unit.watch(
                Match.objects.select_related("home", "away").get(stage=ended.stage_id, number=number)
            )
        return Sides(
            row.home_id,
            row.away_id,
            row.home_closed,
            row.away_closed,
            row.winner_place,
            row.loser_place,
            Side(row.sends_on) if row.sends_on else None,
            is_waiting=row.state == MatchState.SCHEDULED,
            is_over=row.is_over,
        )

    voided = []
    for move in settle(ended.number, outcome, find=find, is_absent=is_absent):
        row = rows[move.match]
        match move:
            case Clear():
                if row.state in BEGUN or row.is_over:
                    voided.append(row)
                void(row)
            case Fill():
                _fill(unit, row, move)
            case Ready():
                make_ready(unit, row)
            case Award():
                row.state = after(MatchState(row.state), Step.DROP)
                finish(unit, row, move.winner, Reason.WALKOVER)
            case Skip():
                row.state = after(MatchState(row.state), Step.SKIP)
                unit.emit(MatchCancelled(match=unit.save(row)))
    return voided


def kept_of(match: Match) -> list[dict[str, Any]]:
    """Return the results to offer when the same two meet here again: those kept already, and the present one."""
    if match.state not in (MatchState.COMPLETED, MatchState.FORFEIT) or not (match.home_id and match.away_id):
        return list(match.kept)
    result = {"home": match.home_id, "away": match.away_id, "winner": match.winner_id, "reason": str(match.reason)}
    others = [old for old in match.kept if {old["home"], old["away"]} != {match.home_id, match.away_id}]
    return [*others, result | match.score.fields()]


def void(match: Match, step: Step = Step.EMPTY) -> None:
    """
    Take a match's score and result away; a result is kept for when the same two meet here again.

    What had begun has used its station and time up; who plays it again plans it again.
    """
    match.kept = kept_of(match)
    if match.state in BEGUN or match.is_over:
        match.station = match.scheduled_at = None
    match.called_at = None
    match.state = after(MatchState(match.state), step)
    match.score = Score()
    match.winner, match.reason = None, ""
    match.reported_by, match.report, match.counter_report = "", None, None
    match.home_checked_in = match.away_checked_in = False
    match.deadline_at = match.veto_deadline_at = match.started_at = match.completed_at = None


def make_ready(unit: Unit, match: Match) -> None:
    """Let the two who are known now play: at once, or after they have checked in."""
    if unit.tournament.match_check_in_minutes and match.scheduled_at is None:
        ask_for_check_in(unit, match)
        return
    match.state = after(MatchState(match.state), Step.FILL)
    unit.emit(MatchReady(match=unit.save(match)))


def ask_for_check_in(unit: Unit, match: Match) -> None:
    """Give both sides the tournament's time to say that they are here."""
    match.state = after(MatchState(match.state), Step.ASK)
    match.home_checked_in = match.away_checked_in = False
    match.deadline_at = unit.later(minutes=unit.tournament.match_check_in_minutes)
    unit.emit(MatchCheckInOpened(match=unit.save(match)))


def leave(unit: Unit, entry: Entry, *, disqualified: bool = False) -> None:
    """
    Take an entrant who has left out of what is still to be played.

    Elimination: the opponent of the present match wins, and so does the next one. Round robin: who has played less than
    half, or is disqualified, does not count at all; else the opponents still to come win. Swiss: the present opponent
    wins; later rounds are paired without them.
    """
    for stage_entry in StageEntry.objects.filter(entry=entry, stage__state=StageState.LIVE).select_related("stage"):
        stage = stage_entry.stage
        own = stage.matches.filter(home=entry).union(stage.matches.filter(away=entry), all=True)
        matches = sorted(own, key=lambda match: match.number)
        if stage.format == "round_robin":
            played = sum(match.state == MatchState.COMPLETED for match in matches)
            if disqualified or played * 2 < len(matches):
                unit.watch(stage_entry)
                stage_entry.annulled = True
                unit.emit(StandingsUpdated(stage_entries=[unit.save(stage_entry)]))
        for match in matches:
            if match.state in OPEN and match.state != MatchState.SCHEDULED:  # `settle` sees who is absent later
                _give_up(unit, unit.watch(match), entry, annulled=stage_entry.annulled)
        conclude(unit, stage)


def _give_up(unit: Unit, match: Match, entry: Entry, *, annulled: bool) -> None:
    side = Side.HOME if match.home_id == entry.pk else Side.AWAY
    opponent = match.entry_id(side.other)
    if annulled:
        match.state = after(MatchState(match.state), Step.CANCEL)
        match.deadline_at = None
        unit.emit(MatchCancelled(match=unit.save(match)))
        return
    step, reason = Step.FORFEIT, Reason.FORFEIT
    if match.state in (MatchState.CHECK_IN, MatchState.READY):
        step, reason = Step.WALKOVER, Reason.WALKOVER
    match.state = after(MatchState(match.state), step)
    complete(unit, match, None if opponent is None or is_absent(opponent) else side.other, reason)


def is_absent(entry_id: int) -> bool:
    """Return whether an entrant has left. One query."""
    return Entry.objects.exclude(status=EntryStatus.CONFIRMED).filter(pk=entry_id).exists()


def conclude(unit: Unit, stage: Stage) -> None:
    """End the stage when all of it has been played, and the tournament with its last stage."""
    if stage.matches.filter(state__in=OPEN).exists() or not is_complete(stage):
        return
    stage = unit.watch(Stage.objects.get(pk=stage.pk))
    if stage.state != StageState.LIVE:
        return
    stage.state = StageState.COMPLETED
    unit.emit(StageUpdated(stage=unit.save(stage)))
    _set_ranks(unit, stage)
    if not unit.tournament.stages.filter(number__gt=stage.number).exists():
        end_tournament(unit, stage)


def end_tournament(unit: Unit, last: Stage) -> None:
    """End the tournament with its last stage, which is over. Several groups, or a shared place, name nobody."""
    tournament = unit.tournament
    tournament.status = Status.COMPLETED
    ranked = list(last.entries.exclude(rank=None))
    if len({row.group for row in ranked}) == 1:
        shared = Counter(row.rank for row in ranked)
        places = {row.rank: row.entry_id for row in ranked if shared[row.rank] == 1}
        tournament.champion_id, tournament.runner_up_id, tournament.third_place_id = map(places.get, (1, 2, 3))
    unit.emit(TournamentCompleted(tournament=unit.save(tournament)))


def _set_ranks(unit: Unit, stage: Stage) -> None:
    """Write down where everybody stands in a stage that is over."""
    known = {row.entry_id: unit.watch(row) for row in stage.entries.all()}
    changed = []
    for group in ranks(stage):
        for entry_id, rank in group:
            row = known[entry_id]
            if row.rank != rank:
                row.rank = rank
                changed.append(row)
    if changes := unit.update(changed, "rank"):
        unit.emit(StandingsUpdated(stage_entries=changes))


def _fill(unit: Unit, row: Match, move: Fill) -> None:
    # The entrant travels along: a viewer of this match alone has not heard of them before.
    entry = None if move.entrant is None else Entry.objects.get(pk=move.entrant)
    if move.side is Side.HOME:
        row.home, row.home_closed = entry, move.closed
    else:
        row.away, row.away_closed = entry, move.closed
    if entry is not None and row.veto is not None and row.veto[move.side] != entry.pk:
        row.forget_veto()  # it stands when the same two meet again, and for nobody else
    event = BracketUpdated(match=unit.save(row))
    if entry is not None:
        event.entry = EntryChange(id=entry.pk, name=entry.name, seed=entry.seed)
    unit.emit(event)
