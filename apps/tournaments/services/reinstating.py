"""Let an entrant go on who was disqualified, or withdrew, by mistake: as long as nothing has been built on it."""

from django.db.models import Q, QuerySet

from apps.errors import Conflict
from apps.tournaments.events import EntryReinstated, MatchReopened, RegistrationPromoted, StandingsUpdated
from apps.tournaments.models import Entry, EntryStatus, Match, Stage, StageEntry, StageState, Status
from apps.tournaments.selectors.standings import rounds_paired
from apps.tournaments.services.admission import admit, check_comes_alone
from apps.tournaments.services.progress import complete, conclude, follow, is_absent, void
from apps.tournaments.services.reopening import reopen_stage, reopen_tournament
from apps.tournaments.services.unit import Answer, Unit, command
from apps.tournaments.services.waitlist import check_before_draw, is_drawn
from engine.bracket import Side
from engine.match_flow import MatchState, Reason, Step, after
from engine.stages import Format
from engine.text import gettext as _

_CAN_COME_BACK = (EntryStatus.DISQUALIFIED, EntryStatus.WITHDRAWN)


@command("reinstate_entry")
def reinstate(unit: Unit, /, entry_id: int) -> Answer:
    """
    Take it back that an entrant was disqualified or has withdrawn. Answers {"entry_id"}.

    Before the draw they get a place, or one at the end of the waitlist. After it, what was decided because they had
    left is open again: their walkovers and forfeits since then, their results in a round robin count.

    Raises:
        Conflict: a match that came of it has begun, or another round or stage has been drawn since; or they have a new
            entry.
    """
    entry = unit.lock_entry(entry_id)
    if entry.status not in _CAN_COME_BACK or unit.tournament.status == Status.CANCELLED:
        message = _(
            "{name} has neither withdrawn nor been disqualified; there is nothing to take back.", name=entry.name
        )
        raise Conflict(message, status=entry.status)
    check_comes_alone(entry)
    if not is_drawn(unit.tournament):
        check_before_draw(unit)
        admit(unit, entry, None, RegistrationPromoted)
        return {"entry_id": entry.pk}
    own = StageEntry.objects.filter(entry=entry).select_related("stage").order_by("-stage__number").first()
    if own is None or entry.left_at is None:
        message = _("The bracket was drawn without {name}, so they cannot come into it any more.", name=entry.name)
        raise Conflict(message, status=entry.status)
    left_at, entry.left_at, entry.status = entry.left_at, None, EntryStatus.CONFIRMED
    unit.emit(EntryReinstated(entry=unit.save(entry)))
    _nothing_was_drawn_since(own, entry)
    stage = own.stage
    lost = list(_lost_by_leaving(stage, entry).filter(Q(completed_at__gte=left_at) | Q(completed_at=None)))
    if own.annulled:
        unit.watch(own)
        own.annulled = False
        unit.emit(StandingsUpdated(stage_entries=[unit.save(own)]))
    if lost:
        reopen_stage(unit, stage)
        reopen_tournament(unit)
    for match in lost:
        _play_again(unit, match.pk, entry)
    if lost:
        conclude(unit, stage)
    return {"entry_id": entry.pk}


def _nothing_was_drawn_since(own: StageEntry, entry: Entry) -> None:
    stage = own.stage
    later = Stage.objects.filter(tournament=stage.tournament_id, number__gt=stage.number)
    message: str = ""
    if later.exclude(state=StageState.PENDING).exists():
        message = _(
            "The next stage was drawn without {name}. Take results back until its draw is, then try again.",
            name=entry.name,
        )
    elif stage.format == Format.SWISS:
        played = stage.matches.filter(Q(home=entry) | Q(away=entry)).values_list("round", flat=True)
        if (paired := rounds_paired(stage)) > max([*played, *own.byes], default=0):
            message = _(
                "Round {round} was paired without {name}, so they cannot come back.", round=paired, name=entry.name
            )
    if message:
        raise Conflict(message, status=entry.status)


def _lost_by_leaving(stage: Stage, entry: Entry) -> QuerySet[Match]:
    """Return what an entrant lost without playing, the latest first."""
    unplayed = Q(state=MatchState.FORFEIT, reason__in=(Reason.WALKOVER, Reason.FORFEIT)) | Q(
        state=MatchState.CANCELLED, home__isnull=False, away__isnull=False, completed_at=None
    )
    found = stage.matches.filter(Q(home=entry) | Q(away=entry)).filter(unplayed)
    return found.exclude(winner=entry).order_by("-completed_at", "-number")


def _play_again(unit: Unit, match_id: int, entry: Entry) -> None:
    """Open a match again, unless its winner has begun the next one; an opponent who has left loses it now."""
    match = unit.watch(Match.objects.select_related("home", "away", "stage").get(pk=match_id))
    was_in_bracket, kept = match.state == MatchState.FORFEIT, match.kept
    void(match, Step.REOPEN)
    match.kept = kept  # what nobody played is not offered again
    unit.emit(MatchReopened(match=unit.save(match)))
    if not was_in_bracket:
        return
    if gone_on := follow(unit, match, None):
        numbers = ", ".join(str(row.number) for row in gone_on)
        message = _(
            "Match {numbers} has begun with whoever came instead. Take its result back first, then try again.",
            numbers=numbers,
        )
        raise Conflict(message, matches=[row.pk for row in gone_on])
    match = unit.watch(Match.objects.select_related("home", "away", "stage").get(pk=match_id))
    side = Side.HOME if match.home_id == entry.pk else Side.AWAY
    opponent = match.entry_id(side.other)
    if match.state == MatchState.READY and opponent is not None and is_absent(opponent):
        match.state = after(MatchState.READY, Step.WALKOVER)
        complete(unit, match, side, Reason.WALKOVER)
