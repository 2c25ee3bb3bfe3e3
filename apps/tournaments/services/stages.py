"""The stages of a tournament: add one, change how it is played, take it away again."""

from dataclasses import asdict, replace
from typing import Any

import msgspec

from apps.errors import BadRequest, Conflict
from apps.tournaments.events import BestOfChanged, StageAdded, StageRemoved, StageUpdated
from apps.tournaments.labels import both, words
from apps.tournaments.models import Stage, StageState, Status
from apps.tournaments.services.bookings import refuse_clashes
from apps.tournaments.services.progress import end_tournament
from apps.tournaments.services.unit import Answer, Unit, command
from apps.tournaments.services.veto import clean_settings
from apps.tournaments.text import clean_line
from engine.bracket import Bracket
from engine.match_flow import MatchState
from engine.results import Points
from engine.stages import Format, StageSettings, best_of_in, check, last_rounds
from engine.text import gettext as _

MAX_STAGES = 8

# What a match is worth in a format whose users expect something else than three points for a win.
_USUAL_POINTS = {Format.SWISS: Points(win=1, draw=0.5, loss=0, bye=1)}


@command("add_stage")
def add(unit: Unit, /, tournament_id: int, *, format: Format, name: str = "", **settings: Any) -> Answer:
    """
    Let the tournament go on with another stage after its last. `settings`: fields of StageSettings.

    Answers {"tournament_id", "stage_id"}.
    """
    tournament = unit.lock(tournament_id)
    if tournament.status in (Status.COMPLETED, Status.CANCELLED):
        message = _("The tournament is {status}; no stage can follow.", status=words(tournament.status))
        raise Conflict(message, status=tournament.status)
    last = tournament.stages.latest("number")
    if last.number >= MAX_STAGES:
        message = _("A tournament has at most {most} stages.", most=MAX_STAGES)
        raise Conflict(message, stages=last.number)
    stage = Stage(tournament=tournament, number=last.number + 1, format=format)
    stage.name = clean_line("name", name, at_most=60)
    stage.options = stage_settings(format, settings)
    unit.emit(StageAdded(stage=unit.save(stage)))
    return {"tournament_id": tournament.pk, "stage_id": stage.pk}


@command("edit_stage")
def edit(unit: Unit, /, stage_id: int, **settings: Any) -> Answer:
    """
    Change how a stage is played; only what is given changes. Answers {"tournament_id", "stage_id"}.

    Once it is drawn, the name stays open to change, and until it is over what comes after: tie_breaks, advance, the
    veto of matches that have not begun one, best_of and best_of_rounds of matches that have not begun.

    Raises:
        Conflict: it is too late; or longer matches would run into each other at a station.
    """
    stage = unit.lock_stage(stage_id)
    drawn = stage.state != StageState.PENDING
    if "name" in settings:
        stage.name = clean_line("name", settings.pop("name"), at_most=60)
    if drawn and (fixed := sorted(settings.keys() - _ALWAYS)):
        message = _("The stage has been drawn, so {settings} cannot change now.", settings=both(map(words, fixed)))
        raise Conflict(message, state=stage.state)
    if settings and stage.state == StageState.COMPLETED:
        message = _("The stage is over; its ranks stay as they are.")
        raise Conflict(message, state=stage.state)
    if "format" in settings:
        stage.format = Format(settings.pop("format"))
        if stage.format in _USUAL_POINTS:
            settings.setdefault("points", _USUAL_POINTS[Format(stage.format)])
    stage.options = stage_settings(Format(stage.format), {**asdict(stage.options), **settings})
    unit.emit(StageUpdated(stage=unit.save(stage)))
    if drawn and settings.keys() & {"best_of", "best_of_rounds"}:
        _set_lengths(unit, stage)
    return {"tournament_id": stage.tournament_id, "stage_id": stage.pk}


@command("remove_stage")
def remove(unit: Unit, /, stage_id: int) -> Answer:
    """
    Take the last stage away, unless it is the only one or has been drawn. Answers {"tournament_id"}.

    If the stage before it is over, the tournament is.
    """
    stage = unit.lock_stage(stage_id)
    if stage.number == 1 or stage.state != StageState.PENDING or _is_followed(stage):
        message = _("Only the last stage can be removed, while it has not been drawn and is not the only one.")
        raise Conflict(message, state=stage.state)
    stage_id = stage.pk
    tournament_id = stage.tournament_id
    stage.delete()
    unit.emit(StageRemoved(removed={"stages": [stage_id]}))
    last = unit.tournament.stages.latest("number")
    if last.state == StageState.COMPLETED and unit.tournament.status == Status.LIVE:
        end_tournament(unit, last)
    return {"tournament_id": tournament_id}


_NOT_BEGUN = (MatchState.SCHEDULED, MatchState.CHECK_IN, MatchState.READY)


def _set_lengths(unit: Unit, stage: Stage) -> None:
    """Give the matches that have not begun, nor their veto, as many games as their round has now."""
    matches = list(stage.matches.select_related("stage").order_by("number"))
    last = {} if stage.is_league else last_rounds((Bracket(match.bracket), match.round) for match in matches)
    changed = []
    for match in matches:
        bracket = Bracket(match.bracket)
        best_of = best_of_in(stage.options, bracket, match.round, last.get(bracket, 0))
        if match.best_of != best_of and match.state in _NOT_BEGUN and match.veto is None:
            unit.watch(match)
            match.best_of = best_of
            changed.append(match)
    if changed:
        refuse_clashes(unit.tournament, changed)
        unit.emit(BestOfChanged(matches=unit.update(changed, "best_of")))


_ALWAYS = {"best_of", "best_of_rounds", "tie_breaks", "rule_year", "advance", "advance_rest", "veto"}


def stage_settings(format: Format, settings: dict[str, Any]) -> StageSettings:
    """
    Return checked settings for a format, what is not given as is usual.

    Raises:
        BadRequest: a setting does not exist or is not of its kind.
        InvalidSettings: out of range.
    """
    given = {name: msgspec.to_builtins(value) for name, value in settings.items()}
    if format in _USUAL_POINTS:
        given.setdefault("points", asdict(_USUAL_POINTS[format]))
    unknown = sorted(given.keys() - StageSettings.__dataclass_fields__.keys())
    if unknown:
        message = _("There is no setting {setting}.", setting=unknown[0])
        raise BadRequest(message)
    try:
        options = msgspec.convert(given, StageSettings)
    except msgspec.ValidationError as error:
        raise BadRequest(f"{error}.") from error
    options = replace(options, veto=clean_settings(options.veto))
    check(format, options)
    return options


def _is_followed(stage: Stage) -> bool:
    return Stage.objects.filter(tournament=stage.tournament_id, number__gt=stage.number).exists()
