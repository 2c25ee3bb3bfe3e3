"""Draw a stage: who takes part, who meets whom, who has a bye; and pair the rounds of a Swiss stage."""

import secrets
from collections import Counter
from collections.abc import Sequence
from typing import Any

from django.db.models import Max
from msgspec import UNSET

from apps.errors import BadRequest, Conflict
from apps.tournaments.events import BracketGenerated, DrawPart, EntryChange, RoundPaired, StageUpdated
from apps.tournaments.labels import words
from apps.tournaments.models import (
    Entry,
    EntryStatus,
    Match,
    NoShowRule,
    Reopening,
    Stage,
    StageEntry,
    StageState,
    Status,
    Tournament,
)
from apps.tournaments.selectors import standings
from apps.tournaments.services.entries import close_check_in
from apps.tournaments.services.on_stream import off_stream
from apps.tournaments.services.progress import complete, kept_of
from apps.tournaments.services.rows import rebuilt
from apps.tournaments.services.unit import Answer, Unit, command
from apps.tournaments.services.waitlist import end_offers
from engine.bracket import MIN_ENTRANTS, Bracket, PlannedMatch, Side
from engine.double_elimination import double_elimination
from engine.elimination import single_elimination
from engine.groups import snake
from engine.match_flow import BEGUN, OPEN, MatchState, Reason, Step, after
from engine.round_robin import grouped_round_robin
from engine.stages import Format, best_of_in, last_rounds
from engine.swiss import pair_round
from engine.text import Listed, ngettext
from engine.text import gettext as _


@command("generate_bracket")
def generate(unit: Unit, /, tournament_id: int) -> Answer:
    """
    Draw the next stage: the first of the confirmed entrants by seed (those without one follow in order of
    registration), a later one of those who qualified.

    Can be repeated until the stage's first match has begun; the earlier draw is replaced. Where the tournament checks
    in, entrants who did not are left out as no-shows, or stay to be walked over. Answers {"tournament_id"}.
    """
    tournament = unit.lock(tournament_id)
    stage, before = _next_to_draw(tournament)
    unit.watch(stage)
    absent = close_check_in(unit) if before is None else 0
    end_offers(unit)
    entrants = _taking_part(tournament) if before is None else standings.qualified(before, stage)
    if len(entrants) < MIN_ENTRANTS:
        sentences = [
            _("A bracket needs at least {least} entrants; there are {count}.", least=MIN_ENTRANTS, count=len(entrants)),
        ]
        if absent:
            sentences.append(_("{absent} did not check in.", absent=absent))
        raise BadRequest(Listed(sentences, " "), entrants=len(entrants))
    removed: dict[DrawPart, list[int]] = {
        "matches": list(stage.matches.values_list("pk", flat=True)),
        "stage_entries": list(stage.entries.values_list("pk", flat=True)),
    }
    off_stream(unit, removed["matches"])
    stage.matches.all().delete()
    stage.entries.all().delete()
    if before is None:
        tournament.status = Status.REGISTRATION_CLOSED
    rows = _stage_entries(stage, entrants)
    event = BracketGenerated(
        tournament=unit.save(tournament),
        entries=_seed(unit, entrants) if before is None else [],
        stage_entries=unit.create(rows),
        matches=[],
        removed={name: gone for name, gone in removed.items() if gone} or UNSET,
    )
    event.matches = unit.create(_matches(stage, _plan(stage, rows), rows))
    unit.emit(event)
    stage.state = StageState.LIVE
    unit.emit(StageUpdated(stage=unit.save(stage)))
    if stage.format == Format.SWISS:
        _pair(unit, stage, 1)
    _walk_over_the_absent(unit, stage)
    return {"tournament_id": tournament.pk}


@command("pair_round")
def pair(unit: Unit, /, tournament_id: int, *, again: bool = False) -> Answer:
    """
    Pair the next round of the Swiss stage, once the present one is over.

    With `again`, pair the present round anew, for example after an earlier result was corrected; results of pairs that
    stay together are offered again. Answers {"tournament_id"}.
    """
    tournament = unit.lock(tournament_id)
    stage = tournament.stages.filter(state=StageState.LIVE, format=Format.SWISS).first()
    if stage is None:
        message = _("No Swiss stage is being played.")
        raise Conflict(message, status=tournament.status)
    number = standings.rounds_paired(stage)
    if again:
        present = list(stage.matches.filter(round=number))
        if playing := sum(match.state in BEGUN for match in present):
            message = ngettext(
                "{count} match of round {number} is being played.",
                "{count} matches of round {number} are being played.",
                playing,
                number=number,
            )
            raise Conflict(message, live=playing)
        _pair(unit, stage, number, instead_of=present)
        return {"tournament_id": tournament.pk}
    if waiting := stage.matches.filter(state__in=OPEN).count():
        message = ngettext(
            "{count} match of round {number} has no result yet.",
            "{count} matches of round {number} have no result yet.",
            waiting,
            number=number,
        )
        raise Conflict(message, open=waiting)
    _pair(unit, stage, number + 1)
    return {"tournament_id": tournament.pk}


def _next_to_draw(tournament: Tournament) -> tuple[Stage, Stage | None]:
    """Return the stage to draw and the one it follows."""
    stages = list(tournament.stages.order_by("number"))
    drawn = [stage for stage in stages if stage.state != StageState.PENDING]
    stage = drawn[-1] if drawn else stages[0]
    if stage.state == StageState.COMPLETED and len(drawn) < len(stages):
        return stages[len(drawn)], stage
    allowed = (Status.PUBLISHED, Status.REGISTRATION_CLOSED) if len(drawn) < 2 else (Status.LIVE,)  # noqa: PLR2004
    begun = stage.number > 1 and stage.matches.exclude(state__in=(MatchState.SCHEDULED, MatchState.READY)).exists()
    if tournament.status not in allowed or begun:
        ways = {
            Status.DRAFT: _("Publish the tournament first."),
            Status.REGISTRATION_OPEN: _("Close registration first."),
        }
        way = ways.get(Status(tournament.status), _("It is too late for a new bracket."))
        message = _("The tournament is {status}. {way}", status=words(tournament.status), way=way)
        raise Conflict(message, status=tournament.status)
    return stage, (stages[stages.index(stage) - 1] if stage.number > 1 else None)


def _taking_part(tournament: Tournament) -> list[Entry]:
    statuses = [EntryStatus.CONFIRMED]
    if tournament.no_show_rule == NoShowRule.WALKOVER:
        statuses.append(EntryStatus.NO_SHOW)
    found = tournament.entries.filter(status__in=statuses)
    return sorted(found, key=lambda entry: (entry.seed is None, entry.seed, entry.pk))


def _seed(unit: Unit, entrants: Sequence[Entry]) -> list[EntryChange]:
    """Number the entrants 1..n without holes and return what changed."""
    changed = []
    for number, entry in enumerate(entrants, start=1):
        if entry.seed != number:
            unit.watch(entry)
            entry.seed = number
            changed.append(entry)
    return unit.update(changed, "seed")


def _stage_entries(stage: Stage, entrants: Sequence[Entry]) -> list[StageEntry]:
    groups = stage.options.groups if stage.format == Format.ROUND_ROBIN else 1
    if groups > 1 and len(entrants) < groups * MIN_ENTRANTS:
        message = _(
            "{groups} groups need at least {least} entrants; there are {count}.",
            groups=groups,
            least=groups * MIN_ENTRANTS,
            count=len(entrants),
        )
        raise BadRequest(message, entrants=len(entrants))
    lots = secrets.SystemRandom().sample(range(1, len(entrants) + 1), len(entrants))
    group_of = {}
    if groups > 1:
        group_of = {e.pk: number for number, group in enumerate(snake(entrants, groups), start=1) for e in group}
    return [
        StageEntry(stage=stage, entry=entry, seed=seed, group=group_of.get(entry.pk, 0), lot=lot)
        for (seed, entry), lot in zip(enumerate(entrants, start=1), lots, strict=True)
    ]


def _plan(stage: Stage, rows: Sequence[StageEntry]) -> list[PlannedMatch]:
    options = stage.options
    match Format(stage.format):
        case Format.SINGLE_ELIMINATION:
            return single_elimination(len(rows), third_place=options.third_place_match)
        case Format.DOUBLE_ELIMINATION:
            return double_elimination(len(rows), reset=options.grand_final_reset)
        case Format.ROUND_ROBIN:
            sizes = Counter(row.group for row in rows)
            return grouped_round_robin([sizes[group] for group in sorted(sizes)], legs=options.legs)
        case Format.SWISS:
            return []


def _matches(stage: Stage, plans: Sequence[PlannedMatch], rows: Sequence[StageEntry]) -> list[Match]:
    by_group: dict[int, list[Entry]] = {}
    for row in rows:
        by_group.setdefault(row.group, []).append(row.entry)
    last = {} if stage.is_league else last_rounds((plan.bracket, plan.round) for plan in plans)
    kept = _kept(stage)
    options = stage.options
    matches = []
    for plan in plans:
        entrants = by_group.get(plan.group, [])
        home, away = (None if seed is None else entrants[seed - 1] for seed in (plan.home_seed, plan.away_seed))
        matches.append(
            Match(
                tournament_id=stage.tournament_id,
                stage=stage,
                number=plan.number,
                bracket=plan.bracket,
                round=plan.round,
                position=plan.position,
                group=plan.group,
                best_of=best_of_in(options, plan.bracket, plan.round, last.get(plan.bracket, 0)),
                state=MatchState.READY if home and away else MatchState.SCHEDULED,
                home=home,
                away=away,
                winner_to=plan.winner_to.match if plan.winner_to else None,
                winner_to_side=plan.winner_to.side if plan.winner_to else "",
                loser_to=plan.loser_to.match if plan.loser_to else None,
                loser_to_side=plan.loser_to.side if plan.loser_to else "",
                sends_on=plan.sends_on or "",
                kept=kept.get(plan.number, []),
            )
        )
    return matches


def _kept(stage: Stage) -> dict[int, list[dict[str, Any]]]:
    """Return the results of a draw of this stage that was taken back, by the numbers of its matches."""
    for reopening in Reopening.objects.filter(tournament=stage.tournament_id, undone_at=None).order_by("-pk"):
        withdrawn = [old for old in rebuilt(Match, reopening.before["removed_matches"]) if old.stage_id == stage.pk]
        if withdrawn:
            return {old.number: kept_of(old) for old in withdrawn}
    return {}


def _pair(unit: Unit, stage: Stage, number: int, *, instead_of: Sequence[Match] = ()) -> None:
    """Pair round `number` of a Swiss stage; `instead_of` are its matches so far."""
    byes = [unit.watch(row) for row in stage.entries.all() if number in row.byes]
    for row in byes:
        row.byes = [paired for paired in row.byes if paired != number]
        row.save(update_fields=["byes"])
    gone = [match.pk for match in instead_of]
    off_stream(unit, gone)
    stage.matches.filter(pk__in=gone).delete()
    pairing = pair_round(standings.active_players(stage))
    entries = {entry.pk: entry for entry in Entry.objects.filter(stage_entries__stage=stage)}
    kept = {frozenset((match.home_id, match.away_id)): kept_of(match) for match in instead_of}
    first = (stage.matches.aggregate(last=Max("number"))["last"] or 0) + 1
    matches = [
        Match(
            tournament_id=stage.tournament_id,
            stage=stage,
            number=first + index,
            bracket=Bracket.MAIN,
            round=number,
            position=index + 1,
            best_of=best_of_in(stage.options, Bracket.MAIN, number, 0),
            state=MatchState.READY,
            home=entries[home],
            away=entries[away],
            kept=kept.get(frozenset((home, away)), []),
        )
        for index, (home, away) in enumerate(pairing.pairs)
    ]
    if pairing.bye is not None:
        if all(row.entry_id != pairing.bye for row in byes):
            byes.append(unit.watch(stage.entries.get(entry=pairing.bye)))
        for row in byes:
            if row.entry_id == pairing.bye:
                row.byes = [*row.byes, number]
    unit.emit(
        RoundPaired(
            stage_entries=unit.update(byes, "byes"),
            matches=unit.create(matches),
            removed={"matches": gone} if gone else UNSET,
        )
    )


def _walk_over_the_absent(unit: Unit, stage: Stage) -> None:
    """Decide the matches of entrants who are in the draw but not here."""
    absent = set(stage.entries.exclude(entry__status=EntryStatus.CONFIRMED).values_list("entry", flat=True))
    if not absent:
        return
    for match in stage.matches.filter(state=MatchState.READY).order_by("number"):
        sides = [side for side in Side if match.entry_id(side) not in absent]
        if len(sides) == 2:  # noqa: PLR2004
            continue
        unit.watch(match)
        match.state = after(MatchState(match.state), Step.WALKOVER)
        complete(unit, match, sides[0] if sides else None, Reason.WALKOVER)
