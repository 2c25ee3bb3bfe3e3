"""
What a notice says, as things stand when it is sent; nothing, when there is nothing to say any more.

Where a time belongs the text has AT, which each way fills in as its reader's clock shows it, where it can.
"""

from dataclasses import dataclass
from datetime import datetime

from django.urls import reverse
from django.utils import translation

from apps.eventlog.log import iso
from apps.notifications.models import TEST, Kind, Notice
from apps.tournaments.models import Entry, EntryStatus, Match, Status
from apps.words import gettext as _
from apps.words import ngettext
from engine.match_flow import MatchState

AT = "\x00"  # can stand in no name


@dataclass(frozen=True, slots=True)
class Text:
    """`tag` is the same for what replaces one another. `path` is the page where the person acts."""

    title: str
    body: str
    path: str
    tag: str
    at: datetime | None = None


def text_of(notice: Notice, language: str) -> Text | None:
    """Return what to say in a language; None when it is over. Expects entry, match and what they hang on loaded."""
    with translation.override(language):
        if notice.kind == TEST:
            body = _("Notifications of DeltaCrown arrive here.")
            return Text(_("It works"), body, reverse("notifications"), "test")
        entry, match = notice.entry, notice.match
        if entry is None or entry.tournament.status in (Status.COMPLETED, Status.CANCELLED):
            return None
        if match is None:
            return _check_in(entry) if notice.kind == Kind.CHECK_IN else _place(entry)
        if notice.kind == Kind.RESULT:
            return _result(match, entry)
        return _soon(match, entry, notice.occasion) if notice.kind == Kind.SOON else _match(match, entry, notice.more)


def _match(match: Match, entry: Entry, more: int) -> Text | None:
    opponent = _opponent(match, entry)
    if opponent is None or match.state not in (MatchState.READY, MatchState.CHECK_IN):
        return None
    said = {"opponent": opponent, "where": _where(match, entry)}
    at = match.deadline_at if match.state == MatchState.CHECK_IN else match.scheduled_at
    if match.called_at is not None and match.station is not None:
        title = _("Come to {station}", station=match.station.name)
    elif match.state == MatchState.CHECK_IN:
        title = _("Check in to your match")
    else:
        title = _("Your match is up")
    if match.state == MatchState.CHECK_IN and at is not None:
        body = _("You play {opponent}. Check in until {at}. {where}", at=AT, **said)
    elif at is not None:
        body = _("You play {opponent} at {at}. {where}", at=AT, **said)
    else:
        body = _("You play {opponent}. {where}", **said)
    if more:
        others = ngettext("You can play {count} more match.", "You can play {count} more matches.", more)
        body = f"{body} {others}"
    return Text(title, body, _page(match), f"match-{match.pk}", at)


def _soon(match: Match, entry: Entry, occasion: str) -> Text | None:
    opponent = _opponent(match, entry)
    planned = match.scheduled_at
    early = (MatchState.SCHEDULED, MatchState.READY, MatchState.CHECK_IN)
    if opponent is None or planned is None or match.state not in early:
        return None
    if not occasion.endswith(iso(planned)):
        return None  # it was moved; there is another notice for that
    body = _("You play {opponent} at {at}. {where}", opponent=opponent, at=AT, where=_where(match, entry))
    return Text(_("Your match starts soon"), body, _page(match), f"match-{match.pk}", planned)


def _result(match: Match, entry: Entry) -> Text | None:
    opponent = _opponent(match, entry)
    report = match.report
    if opponent is None or report is None or match.state != MatchState.PENDING_RESULT:
        return None
    mine, theirs = ("home", "away") if match.home_id == entry.pk else ("away", "home")
    if match.reported_by != theirs:
        return None
    said = {
        "opponent": opponent,
        "score": f"{report[f'{mine}_score']}–{report[f'{theirs}_score']}",
        "where": _where(match, entry),
    }
    if match.deadline_at is None:
        body = _("{opponent} reported: you {score} them. {where}", **said)
    else:
        body = _("{opponent} reported: you {score} them. Without an answer it counts at {at}. {where}", at=AT, **said)
    return Text(_("Confirm the result"), body, _page(match), f"match-{match.pk}", match.deadline_at)


def _check_in(entry: Entry) -> Text | None:
    tournament = entry.tournament
    present = (EntryStatus.CONFIRMED, EntryStatus.WAITLISTED)
    if entry.checked_in_at or entry.status not in present or not tournament.check_in or tournament.check_in_closed:
        return None
    closes = tournament.check_in_closes_at
    if closes is None:
        body = _("{tournament}: only entrants who check in are drawn.", tournament=tournament.name)
    else:
        body = _(
            "{tournament}: check in until {at}. Only entrants who do are drawn.", tournament=tournament.name, at=AT
        )
    return Text(_("Check-in is open"), body, _home(entry), f"entry-{entry.pk}", closes)


def _place(entry: Entry) -> Text | None:
    name = entry.tournament.name
    if entry.status == EntryStatus.CONFIRMED:
        body = _("{entrant} plays in {tournament}.", entrant=entry.name, tournament=name)
        return Text(_("You are in"), body, _home(entry), f"entry-{entry.pk}")
    if entry.status == EntryStatus.OFFERED and entry.claim_by is not None:
        body = _("{tournament}: claim it until {at}, or it goes to the next.", tournament=name, at=AT)
        return Text(_("A place is held for you"), body, _home(entry), f"entry-{entry.pk}", entry.claim_by)
    return None


def _opponent(match: Match, entry: Entry) -> str | None:
    """Return whom an entrant plays, None when they do not play this match any more."""
    if entry.pk not in (match.home_id, match.away_id):
        return None
    other = match.away if match.home_id == entry.pk else match.home
    return other.name if other else None


def _where(match: Match, entry: Entry) -> str:
    named = {"tournament": entry.tournament.name, "number": match.number}
    if match.station is None:
        return _("{tournament}, match {number}.", **named)
    return _("{tournament}, match {number}, {station}.", station=match.station.name, **named)


def _page(match: Match) -> str:
    return reverse("match", args=[match.pk])


def _home(entry: Entry) -> str:
    return reverse("tournament", args=[entry.tournament_id])
