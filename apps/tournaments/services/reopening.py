"""
Take a result back, however old it is, and take that back in turn.

What a reopening would undo is shown first. The preview is the command itself, rolled back; it carries a fingerprint of
every row that it touched, and the command is only carried out for that fingerprint.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from django.db import transaction

from apps.errors import Conflict
from apps.tournaments.events import (
    BracketRestored,
    BracketWithdrawn,
    DrawPart,
    MatchReopened,
    MatchRestored,
    StageUpdated,
    StandingsUpdated,
    TournamentUpdated,
)
from apps.tournaments.models import Match, Reopening, Stage, StageEntry, StageState, Status
from apps.tournaments.selectors import standings
from apps.tournaments.services import ratings
from apps.tournaments.services.bookings import refuse_clashes
from apps.tournaments.services.on_stream import off_stream
from apps.tournaments.services.progress import conclude, finish, follow, outcome_of, void
from apps.tournaments.services.rows import dumped, put_back, rebuilt
from apps.tournaments.services.unit import Actor, Answer, Unit, command, present, refusal
from apps.tournaments.state import Fields, match_fields
from engine.bracket import Side
from engine.errors import EngineError
from engine.match_flow import BEGUN, MatchState, Reason, Score, Step, decided, possible
from engine.text import gettext as _


@dataclass(slots=True)
class Effects:
    """
    What reopening a match does besides.

    `voided`: later matches that lose a result or a score, as they stand now; `live` are the ids of those in play.
    `leaving`: (match id, side, entry id) of places that become empty or go to somebody else. `withdrawn`: ids of later
    stages whose draw is taken back, with all their matches. `token` names exactly this.
    """

    match: Fields
    voided: list[Fields] = field(default_factory=list)
    leaving: list[tuple[int, str, int]] = field(default_factory=list)
    withdrawn: list[int] = field(default_factory=list)
    token: str = ""

    @property
    def live(self) -> list[int]:
        return [row["id"] for row in self.voided if row["state"] in BEGUN]

    def fields(self) -> Fields:
        """Return the effects as the API and a refusal tell them."""
        leaving = [{"match": match, "side": side, "entry": entry} for match, side, entry in self.leaving]
        return {**asdict(self), "live": self.live, "leaving": leaving}


def preview(actor: Actor, match_id: int, *, score: Score | None = None) -> Effects:
    """
    Return what `reopen` would do now, having done nothing.

    Raises: as `reopen`.
    """
    try:
        with transaction.atomic():
            unit = Unit("reopen_match", actor, present())
            effects, _ = _carry_out(unit, unit.lock_match(match_id), score)
            transaction.set_rollback(True)
    except EngineError as error:
        raise refusal(error) from error
    return effects


@command("reopen_match")
def reopen(unit: Unit, /, match_id: int, *, token: str, score: Score | None = None) -> Answer:
    """
    Take a match's result back, and all that came of it; or set another result (`score`) in its place.

    Later matches change only where an entrant does. Overwritten results are kept, and offered when the same two meet
    there again. `token` is the preview's. Answers {"match_id", "reopening_id"}.

    Raises:
        Conflict: the match has no result to take back, or something has happened since the preview.
    """
    match = unit.lock_match(match_id)
    effects, reopening = _carry_out(unit, match, score)
    if token != effects.token:
        message = _("Things have changed since you looked at what this would undo. Look again, then decide.")
        raise Conflict(message, preview=effects.fields())
    return {"match_id": match.pk, "reopening_id": reopening.pk}


@command("undo_reopening")
def undo(unit: Unit, /, reopening_id: int) -> Answer:
    """
    Put everything back as it was before a match was reopened. Answers {"match_id"}.

    What has happened beside it since stays: the stages end, or go on, as all results together say.

    Raises:
        Conflict: one of the matches has changed since, or another one has been planned where it would be again.
    """
    reopening = unit.lock_reopening(reopening_id)
    _not_cancelled(unit)
    before = reopening.before
    rows = {row.pk: row for row in Match.objects.filter(pk__in=[int(pk) for pk in reopening.after])}
    versions = {int(pk): version for pk, version in reopening.after.items()}
    changed = [pk for pk, version in versions.items() if pk not in rows or rows[pk].version != version]
    stages = {stage.pk: stage for stage in unit.tournament.stages.all()}
    drawn = any(stages[pk].state != StageState.PENDING for pk in before["withdrawn"])
    if reopening.undone_at is not None or changed or drawn:
        message = _("Something has happened since, so this cannot be undone by itself. Enter the results again.")
        raise Conflict(message, changed=changed)
    restored = []
    for columns in before["matches"]:
        row = unit.watch(rows[columns["id"]])
        put_back(row, columns | {"version": row.version})
        restored.append(row)
    removed = rebuilt(Match, before["removed_matches"])
    _without_lost_stations(unit, [*restored, *removed])
    refuse_clashes(unit.tournament, [row for row in (*restored, *removed) if not row.is_over])
    for row in restored:
        unit.emit(MatchRestored(match=unit.save(row)))
    if removed:
        entrants = unit.create(rebuilt(StageEntry, before["removed_stage_entries"]))
        unit.emit(BracketRestored(stage_entries=entrants, matches=unit.create(removed)))
    own = stages[reopening.match.stage_id]
    reopen_stage(unit, own)
    reopen_tournament(unit)
    withdrawn = [stages[pk] for pk in before["withdrawn"]]
    for stage in withdrawn:
        unit.watch(stage)
        stage.state = StageState.LIVE
        unit.emit(StageUpdated(stage=unit.save(stage)))
    for stage in (own, *withdrawn):
        conclude(unit, stage)
    if unit.tournament.rated:
        ratings.recompute(unit.tournament.game)
    reopening.undone_at = unit.now
    reopening.save(update_fields=["undone_at"])
    return {"match_id": reopening.match_id}


def _carry_out(unit: Unit, match: Match, score: Score | None) -> tuple[Effects, Reopening]:
    tournament, stage = unit.tournament, match.stage
    _reopenable(unit, match)
    later = list(tournament.stages.filter(number__gt=stage.number).exclude(state=StageState.PENDING).order_by("number"))
    downstream = _downstream(match)
    before: dict[str, Any] = {
        "matches": [dumped(row) for row in downstream],
        "withdrawn": [],
        "removed_matches": [],
        "removed_stage_entries": [],
    }
    effects = Effects(match_fields(match))
    played_at = {"station_id": match.station_id, "scheduled_at": match.scheduled_at, "called_at": match.called_at}
    void(match, Step.REOPEN)
    unit.emit(MatchReopened(match=unit.save(match)))
    reopen_stage(unit, stage)
    if not later:
        reopen_tournament(unit)
    if score is None:
        voided = follow(unit, match, None)
    else:
        winner = decided(score, best_of=match.best_of, draws=stage.is_league)
        match.score, match.state = score, MatchState.COMPLETED
        for name, value in played_at.items():
            setattr(match, name, value)
        finish(unit, match, None if winner is None else match.entry_id(winner), Reason.PLAYED)
        voided = follow(unit, match, outcome_of(match))
        conclude(unit, stage)
    stale = {row.pk for row in voided}
    effects.voided = [
        state for row, state in zip(downstream, map(match_fields, downstream), strict=True) if row.pk in stale
    ]
    if later and _leads_elsewhere(stage, later[0]):
        _withdraw(unit, later, before, effects)
        reopen_tournament(unit)
    touched = {row.pk: row for row in Match.objects.filter(pk__in=[row.pk for row in downstream])}
    before["matches"] = [
        columns for columns in before["matches"] if touched[columns["id"]].version != columns["version"]
    ]
    for columns in before["matches"]:
        for side in Side:
            entrant = columns[f"{side}_id"]
            if entrant is not None and touched[columns["id"]].entry_id(side) != entrant:
                effects.leaving.append((columns["id"], side.value, entrant))
    if tournament.rated:
        ratings.recompute(tournament.game)
    effects.token = _token(before, score)
    after_ = {str(columns["id"]): touched[columns["id"]].version for columns in before["matches"]}
    reopening = Reopening.objects.create(tournament=tournament, match=match, before=before, after=after_, at=unit.now)
    return effects, reopening


def _reopenable(unit: Unit, match: Match) -> None:
    _not_cancelled(unit)
    if not match.is_over:
        message = _("This match has no result that could be taken back.")
        raise Conflict(message, state=match.state, possible=list(possible(MatchState(match.state))))
    if match.home_id is None or match.away_id is None:
        message = _("Nobody could play this match. Reopen the match that its entrants were to come from.")
        raise Conflict(message, state=match.state, possible=[])


def _not_cancelled(unit: Unit) -> None:
    if unit.tournament.status == Status.CANCELLED:
        message = _("The tournament was cancelled; its results stay as they are.")
        raise Conflict(message, status=Status.CANCELLED)


def _downstream(match: Match) -> list[Match]:
    """Return the match and all that its entrants can reach. One query for each step."""
    found = {match.number: match}
    ahead = {match.winner_to, match.loser_to}
    while numbers := [number for number in ahead if number is not None and number not in found]:
        rows = list(Match.objects.filter(stage=match.stage_id, number__in=numbers))
        found |= {row.number: row for row in rows}
        ahead = {number for row in rows for number in (row.winner_to, row.loser_to)}
    return list(found.values())


def reopen_stage(unit: Unit, stage: Stage) -> None:
    """Let a stage that was over go on: its ranks are not known any more."""
    if stage.state != StageState.COMPLETED:
        return
    unit.watch(stage)
    stage.state = StageState.LIVE
    unit.emit(StageUpdated(stage=unit.save(stage)))
    ranked = [unit.watch(row) for row in stage.entries.exclude(rank=None)]
    for row in ranked:
        row.rank = None
    unit.emit(StandingsUpdated(stage_entries=unit.update(ranked, "rank")))


def reopen_tournament(unit: Unit) -> None:
    """Let a tournament that was over go on: it has no champion any more."""
    tournament = unit.tournament
    if tournament.status == Status.COMPLETED:
        tournament.status = Status.LIVE
        tournament.champion = tournament.runner_up = tournament.third_place = None
        unit.emit(TournamentUpdated(tournament=unit.save(tournament)))


def _leads_elsewhere(stage: Stage, following: Stage) -> bool:
    """Return whether other entrants, or in another order, would go on now than those who did."""
    stage = Stage.objects.get(pk=stage.pk)
    if stage.state != StageState.COMPLETED:
        return True
    went_on = list(following.entries.order_by("seed").values_list("entry", flat=True))
    return [entry.pk for entry in standings.qualified(stage, following)] != went_on


def _withdraw(unit: Unit, stages: Sequence[Stage], before: dict[str, Any], effects: Effects) -> None:
    """Take back the draw of later stages, with all that was played in them."""
    for stage in stages:
        matches, entrants = list(stage.matches.order_by("number")), list(stage.entries.order_by("seed"))
        effects.voided += [match_fields(row) for row in matches if row.state in BEGUN or row.is_over]
        effects.withdrawn.append(stage.pk)
        before["withdrawn"].append(stage.pk)
        before["removed_matches"] += [dumped(row) for row in matches]
        before["removed_stage_entries"] += [dumped(row) for row in entrants]
        gone: dict[DrawPart, list[int]] = {
            "matches": [row.pk for row in matches],
            "stage_entries": [row.pk for row in entrants],
        }
        off_stream(unit, gone["matches"])
        stage.matches.all().delete()
        stage.entries.all().delete()
        unit.emit(BracketWithdrawn(removed=gone))
        unit.watch(stage)
        stage.state = StageState.PENDING
        unit.emit(StageUpdated(stage=unit.save(stage)))


def _without_lost_stations(unit: Unit, matches: Sequence[Match]) -> None:
    """Take stations out of matches that are put back, where these have been removed in the meantime."""
    there = set(unit.tournament.stations.values_list("pk", flat=True))
    for match in matches:
        if match.station_id not in there:
            match.station_id = None


def _token(before: dict[str, Any], score: Score | None) -> str:
    """Return a fingerprint of all rows that are touched, as they stood, and of what was asked."""
    rows = [(columns["id"], columns["version"]) for columns in (*before["matches"], *before["removed_matches"])]
    return hashlib.sha256(repr((rows, before["withdrawn"], score)).encode()).hexdigest()[:32]
