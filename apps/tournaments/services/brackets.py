"""Draw the bracket: who takes part, who meets whom, who has a bye."""

from msgspec import UNSET

from apps.errors import BadRequest, Conflict
from apps.tournaments.events import BracketGenerated, EntryChange, RegistrationCancelled
from apps.tournaments.models import Entry, EntryStatus, Match, Stage, Status, Tournament
from apps.tournaments.services.unit import Answer, Unit, command
from engine.bracket import MIN_ENTRANTS, PlannedMatch
from engine.elimination import single_elimination
from engine.match_flow import MatchState


@command("generate_bracket")
def generate(unit: Unit, /, tournament_id: int) -> Answer:
    """
    Make the matches of the confirmed entrants, by seed; those without one follow in order of registration.

    Where the tournament checks in, entrants who did not are left out as no-shows. Can be repeated until the first
    match has begun; the earlier bracket is replaced. Answers {"tournament_id"}.
    """
    tournament = unit.lock(tournament_id)
    if tournament.status not in (Status.PUBLISHED, Status.REGISTRATION_CLOSED):
        ways = {
            Status.DRAFT: "Publish the tournament first.",
            Status.REGISTRATION_OPEN: "Close registration first.",
        }
        way = ways.get(Status(tournament.status), "It is too late for a new bracket.")
        message = f"The tournament is {tournament.status.replace('_', ' ')}. {way}"
        raise Conflict(message, status=tournament.status)
    stage = tournament.stages.get(number=1)
    absent = _leave_out_no_shows(unit, tournament)
    entrants = sorted(
        tournament.entries.filter(status=EntryStatus.CONFIRMED),
        key=lambda entry: (entry.seed is None, entry.seed, entry.pk),
    )
    if len(entrants) < MIN_ENTRANTS:
        left_out = f" {absent} did not check in." if absent else ""
        message = f"A bracket needs at least {MIN_ENTRANTS} entrants; there are {len(entrants)}.{left_out}"
        raise BadRequest(message, entrants=len(entrants))
    removed = list(stage.matches.values_list("pk", flat=True))
    stage.matches.all().delete()
    tournament.status = Status.REGISTRATION_CLOSED
    event = BracketGenerated(
        tournament=unit.save(tournament),
        entries=_seeds(unit, entrants),
        matches=[],
        removed={"matches": removed} if removed else UNSET,
    )
    for plan in single_elimination(len(entrants), third_place=stage.third_place_match):
        event.matches.append(unit.save(_match(stage, plan, entrants)))
    unit.emit(event)
    return {"tournament_id": tournament.pk}


def _leave_out_no_shows(unit: Unit, tournament: Tournament) -> int:
    if not tournament.check_in:
        return 0
    absent = list(tournament.entries.filter(status=EntryStatus.CONFIRMED, checked_in_at=None).order_by("pk"))
    for entry in absent:
        unit.watch(entry)
        entry.status, entry.seed = EntryStatus.NO_SHOW, None
        unit.emit(RegistrationCancelled(entry=unit.save(entry)))
    return len(absent)


def _seeds(unit: Unit, entrants: list[Entry]) -> list[EntryChange]:
    """Number the entrants 1..n without holes and return what changed."""
    changes = []
    for number, entry in enumerate(entrants, start=1):
        if entry.seed != number:
            unit.watch(entry)
            entry.seed = number
            changes.append(unit.save(entry))
    return changes


def _match(stage: Stage, plan: PlannedMatch, entrants: list[Entry]) -> Match:
    home, away = (None if seed is None else entrants[seed - 1] for seed in (plan.home_seed, plan.away_seed))
    return Match(
        tournament_id=stage.tournament_id,
        stage=stage,
        number=plan.number,
        bracket=plan.bracket,
        round=plan.round,
        position=plan.position,
        state=MatchState.READY if home and away else MatchState.SCHEDULED,
        home=home,
        away=away,
        winner_to=plan.winner_to.match if plan.winner_to else None,
        winner_to_side=plan.winner_to.side if plan.winner_to else "",
        loser_to=plan.loser_to.match if plan.loser_to else None,
        loser_to_side=plan.loser_to.side if plan.loser_to else "",
    )
