"""What a result sets in motion: the tournament begins, winners move on, walkovers follow, a champion is found."""

from apps.tournaments.events import (
    BracketUpdated,
    EntryChange,
    MatchCompleted,
    MatchReady,
    TournamentCompleted,
    TournamentStarted,
)
from apps.tournaments.models import Entry, EntryStatus, Match, Status
from apps.tournaments.services.unit import Unit
from engine.bracket import Bracket, Side
from engine.match_flow import MatchState, Reason, Step, after
from engine.progression import Award, Fill, Ready, Sides, advance


def begin_play(unit: Unit) -> None:
    """Set the tournament live with its first match."""
    if unit.tournament.status != Status.LIVE:
        unit.tournament.status = Status.LIVE
        unit.emit(TournamentStarted(tournament=unit.save(unit.tournament)))


def complete(unit: Unit, match: Match, winner: Side, reason: Reason) -> None:
    """End a match whose state has been moved already, and let the bracket follow."""
    begin_play(unit)
    won, lost = match.entry_id(winner), match.entry_id(winner.other)
    _finish(unit, match, won, reason)
    _follow(unit, match, won, lost)


def leave_bracket(unit: Unit, entry: Entry) -> None:
    """Let the opponent of a withdrawn entrant pass: at once, or when the opponent is known."""
    open_matches = unit.tournament.matches.exclude(state=MatchState.COMPLETED).order_by("number")
    for match in [*open_matches.filter(home=entry), *open_matches.filter(away=entry)]:
        if match.state == MatchState.SCHEDULED:
            continue  # `advance` sees who is absent when the opponent comes
        unit.watch(match)
        step, reason = Step.FORFEIT, Reason.FORFEIT
        if match.state == MatchState.READY:
            step, reason = Step.WALKOVER, Reason.WALKOVER
        match.state = after(MatchState(match.state), step)
        complete(unit, match, Side.AWAY if match.home_id == entry.pk else Side.HOME, reason)


def _finish(unit: Unit, match: Match, winner: int | None, reason: Reason) -> None:
    match.state = MatchState.COMPLETED
    match.winner_id, match.reason, match.completed_at = winner, reason, unit.now
    unit.emit(MatchCompleted(match=unit.save(match)))


def _follow(unit: Unit, match: Match, won: int | None, lost: int | None) -> None:
    """Carry out what the engine says follows, then see whether the tournament is over."""
    rows: dict[int, Match] = {match.number: match}

    def find(number: int) -> Sides:
        row = rows.get(number)
        if row is None:
            row = rows[number] = unit.watch(Match.objects.get(stage=match.stage_id, number=number))
        return Sides(row.home_id, row.away_id, row.home_closed, row.away_closed, row.winner_place, row.loser_place)

    def is_absent(entry_id: int) -> bool:
        return Entry.objects.exclude(status=EntryStatus.CONFIRMED).filter(pk=entry_id).exists()

    for move in advance(match.number, winner=won, loser=lost, find=find, is_absent=is_absent):
        row = rows[move.match]
        if isinstance(move, Fill):
            _fill(unit, row, move)
        elif isinstance(move, Ready):
            row.state = after(MatchState(row.state), Step.FILL)
            unit.emit(MatchReady(match=unit.save(row)))
        elif isinstance(move, Award):
            row.state = after(MatchState(row.state), Step.WALKOVER)
            _finish(unit, row, move.winner, Reason.WALKOVER)
    _conclude(unit)


def _fill(unit: Unit, row: Match, move: Fill) -> None:
    # The entrant travels along: a viewer of this match alone has not heard of them before.
    entry = None if move.entrant is None else Entry.objects.get(pk=move.entrant)
    if move.side is Side.HOME:
        row.home, row.home_closed = entry, entry is None
    else:
        row.away, row.away_closed = entry, entry is None
    event = BracketUpdated(match=unit.save(row))
    if entry is not None:
        event.entry = EntryChange(id=entry.pk, name=entry.name, seed=entry.seed)
    unit.emit(event)


def _conclude(unit: Unit) -> None:
    """Name the champion when every match has its result."""
    tournament = unit.tournament
    if tournament.matches.exclude(state=MatchState.COMPLETED).exists():
        return
    final = tournament.matches.filter(bracket=Bracket.MAIN).latest("round")
    tournament.status = Status.COMPLETED
    tournament.champion_id = final.winner_id
    tournament.runner_up_id = _loser(final)
    third = tournament.matches.filter(bracket=Bracket.THIRD_PLACE).first()
    tournament.third_place_id = third.winner_id if third else None
    unit.emit(TournamentCompleted(tournament=unit.save(tournament)))


def _loser(match: Match) -> int | None:
    """Return who lost; nobody did when nobody could play."""
    if match.winner_id is None:
        return None
    return match.away_id if match.winner_id == match.home_id else match.home_id
