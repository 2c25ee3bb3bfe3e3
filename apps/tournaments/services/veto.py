"""Pick and ban before a match: start it, take one's turn, let chance take it when time is up, begin anew."""

import secrets
from dataclasses import replace
from datetime import timedelta

import msgspec
from django.db.models import QuerySet

from apps.errors import Conflict
from apps.tournaments import permissions
from apps.tournaments.events import VetoCompleted, VetoMoved, VetoReset, VetoStarted
from apps.tournaments.models import Match, StageEntry, Status
from apps.tournaments.services.unit import Answer, Unit, command
from apps.tournaments.text import clean_line
from engine import veto as engine
from engine.bracket import Side
from engine.match_flow import MatchState
from engine.text import gettext as _
from engine.veto import Veto
from engine.veto_script import MAX_NAME, MAX_TEXT, VetoSettings

OPEN_IN = (MatchState.READY, MatchState.LIVE)


@command("start_veto")
def start(unit: Unit, /, match_id: int, *, expected_version: int | None = None) -> Answer:
    """
    Begin the veto of a match, as one of its two sides or as a referee. Answers {"match_id"}, as all do.

    Raises:
        Conflict: it has begun already, or the stage has no pool to choose from.
        InvalidSettings: the pool is too small for a match of this length.
    """
    match = unit.lock_match(match_id, expected_version=expected_version)
    _check_open(unit, match)
    if match.veto is not None:
        message = _("The veto of this match has begun. A referee can take it back.")
        raise Conflict(message, state=match.state)
    settings = match.stage.options.veto
    if not settings.pool or match.home_id is None or match.away_id is None:
        message = _("There is nothing to choose from in this stage. An organiser can give it a pool.")
        raise Conflict(message, state=match.state)
    match.veto_seed = secrets.token_hex(16)
    veto = engine.begin(
        settings.script(match.best_of),
        home=match.home_id,
        away=match.away_id,
        pool=tuple(settings.pool),
        sides=tuple(settings.sides),
        seed=match.veto_seed,
        better_seed=_better_seed(match),
    )
    _put(unit, match, veto)
    unit.emit(VetoStarted(match=unit.save(match)))
    return {"match_id": match.pk}


@command("veto_move")
def move(unit: Unit, /, match_id: int, option: str, *, expected_version: int | None = None) -> Answer:
    """
    Choose `option` for whoever's turn it is: for one's own side, or as a referee for either.

    One that comes after the time was up, and before chance has chosen, counts.

    Raises:
        Conflict: it is the other side's turn, or `option` is not to be chosen now; `possible` says what is.
    """
    match = unit.lock_match(match_id, expected_version=expected_version)
    _check_open(unit, match)
    veto = _veto_of(match)
    side = permissions.side_of(unit.actor.user, match)
    if veto.turn is not None and side is not None and side is not veto.turn.side:
        message = _("It is your opponent's turn.")
        raise Conflict(message, state=match.state, turn=veto.turn.side)
    _take(unit, match, engine.move(veto, option, match.veto_seed))
    return {"match_id": match.pk}


@command("reset_veto")
def reset(unit: Unit, /, match_id: int, *, expected_version: int | None = None) -> Answer:
    """Take a veto back, finished or not, so that it can begin anew with another coin."""
    match = unit.lock_match(match_id, expected_version=expected_version)
    _check_open(unit, match)
    _veto_of(match)
    match.forget_veto()
    unit.emit(VetoReset(match=unit.save(match)))
    return {"match_id": match.pk}


def expiring() -> QuerySet[Match]:
    """Return the matches in whose veto time runs for a step; when it is up says `veto_deadline_at`."""
    found = Match.objects.filter(state__in=OPEN_IN, veto_deadline_at__isnull=False)
    return found.exclude(tournament__status=Status.CANCELLED)


def expire(unit: Unit, match_id: int) -> bool:
    """
    Let chance choose where time was up at `unit.now`; return whether it was. The next step gets its full time.

    `unit` has locked the match's tournament.
    """
    match = expiring().select_related("stage").filter(pk=match_id, veto_deadline_at__lte=unit.now).first()
    if match is None:
        return False
    veto, seed = _veto_of(unit.watch(match)), match.veto_seed
    option = engine.lot(veto, seed)
    if option is None:
        return False
    _take(unit, match, engine.move(veto, option, seed, drawn=True))
    return True


def clean_settings(settings: VetoSettings) -> VetoSettings:
    """
    Return settings whose texts can be shown.

    Raises:
        BadRequest: one has characters that cannot.
    """
    return replace(
        settings,
        pool=[clean_line("name in the pool", name, at_most=MAX_NAME) for name in settings.pool],
        sides=[clean_line("name of a side", name, at_most=MAX_NAME) for name in settings.sides],
        scripts={best_of: clean_line("script", text, at_most=MAX_TEXT) for best_of, text in settings.scripts.items()},
    )


def _check_open(unit: Unit, match: Match) -> None:
    if unit.tournament.status == Status.CANCELLED:
        message = _("The tournament was cancelled; its matches stay as they are.")
        raise Conflict(message, status=Status.CANCELLED)
    if match.state not in OPEN_IN:
        message = _("A veto takes place once both entrants are here, and before the match has a result.")
        raise Conflict(message, state=match.state)


def _veto_of(match: Match) -> Veto:
    if match.veto is None:
        message = _("The veto of this match has not begun.")
        raise Conflict(message, state=match.state)
    return msgspec.convert(match.veto, Veto)


def _take(unit: Unit, match: Match, veto: Veto) -> None:
    _put(unit, match, veto)
    event = VetoMoved if veto.turn else VetoCompleted
    unit.emit(event(match=unit.save(match)))


def _put(unit: Unit, match: Match, veto: Veto) -> None:
    seconds = match.stage.options.veto.seconds
    match.veto = msgspec.to_builtins(veto)
    match.veto_deadline_at = unit.now + timedelta(seconds=seconds) if seconds and veto.turn else None


def _better_seed(match: Match) -> Side:
    both = StageEntry.objects.filter(stage=match.stage_id, entry__in=(match.home_id, match.away_id))
    better = both.order_by("seed").values_list("entry", flat=True).first()
    return Side.HOME if better == match.home_id else Side.AWAY
