"""
Announcements for people, in a channel of Discord: a line each, of a few kinds of events.

What waits together goes out as one message, because Discord takes some thirty a minute. Nothing that an entrant is
called can mention anybody, be a link or change how the line looks.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from http import HTTPStatus
from typing import Any

import msgspec
from django.conf import settings
from django.urls import reverse

from apps.eventlog.log import Recorded
from apps.integrations.channels.base import Fate, Message, Verdict
from apps.integrations.channels.webhook import TEST, USER_AGENT
from apps.integrations.models import Endpoint
from apps.integrations.sealing import Secrets
from apps.integrations.sending import Answer
from apps.tournaments.models import Entry, Match, Tournament
from apps.words import gettext, ngettext
from engine.match_flow import Reason
from engine.text import gettext_noop

HOSTS = ("discord.com", "discordapp.com", "ptb.discord.com", "canary.discord.com")
PATH = re.compile(r"/api/(?:v\d{1,2}/)?webhooks/\d{5,25}/[\w-]{20,100}")
LINES = 10  # in one message
CHARACTERS = 1900  # of the 2,000 that Discord takes; a line has 500 at most
SUPPRESS_EMBEDS = 4
_MARKS = re.compile(r"([!-/:-@\[-`{-~])")

Data = Mapping[str, Any]


def escaped(text: str) -> str:
    """Return text that Discord shows as it is: a backslash before every mark takes away what it could mean."""
    return _MARKS.sub(r"\\\1", text)


class Discord:
    types = (
        "bracket_generated",
        "round_paired",
        "tournament_started",
        "match_ready",
        "match_called",
        "match_completed",
        "tournament_completed",
        "announcement_made",
    )
    retells = False  # old news is none

    def messages(self, endpoint: Endpoint, events: Sequence[Recorded], /) -> Iterator[Message]:
        lines = _lines(endpoint, [event for event in events if event.type in self.types])
        waiting: list[str] = []
        last: Recorded | None = None
        for event, line in lines:
            if last is not None and (len(waiting) == LINES or len("\n".join([*waiting, line])) > CHARACTERS):
                yield _message(waiting, last)
                waiting = []
            waiting.append(line)
            last = event
        if last is not None:
            yield _message(waiting, last)

    def test(self, endpoint: Endpoint, at: datetime, /) -> Message:
        text = gettext("A test: news of {tournament} will come here.", tournament=_bold(endpoint.tournament))
        return Message(endpoint.delivered, TEST, TEST, body_of(text))

    def headers(self, message: Message, secrets: Secrets, at: datetime, /) -> Mapping[str, str]:
        return {"Content-Type": "application/json", "User-Agent": USER_AGENT}

    def judge(self, answer: Answer, /) -> Verdict:
        if answer.is_success:
            return Verdict(Fate.DELIVERED)
        match answer.status:
            case HTTPStatus.UNAUTHORIZED | HTTPStatus.FORBIDDEN | HTTPStatus.NOT_FOUND:
                return Verdict(Fate.OFF, f"Discord answered {answer.status}: the webhook has been deleted there.")
            case HTTPStatus.BAD_REQUEST:
                return Verdict(Fate.SKIPPED)
            case HTTPStatus.TOO_MANY_REQUESTS if answer.retry_after is not None:
                return Verdict(Fate.RETRY, wait=answer.retry_after, counts=False)
            case _:
                return Verdict(Fate.RETRY, wait=answer.retry_after or 0.0)


def _message(lines: Sequence[str], last: Recorded) -> Message:
    return Message(last.seq, last.type, f"{last.stream}:{last.epoch}:{last.seq}", body_of("\n".join(lines)))


def body_of(text: str) -> bytes:
    """Return a message that mentions nobody. `text` is Discord's Markdown; see `escaped`."""
    return msgspec.json.encode(
        {"content": text, "allowed_mentions": {"parse": []}, "flags": SUPPRESS_EMBEDS},
    )


def _lines(endpoint: Endpoint, events: Sequence[Recorded]) -> Iterator[tuple[Recorded, str]]:
    """Say each event. Of a match that a new draw has replaced there is nothing to say."""
    if not events:
        return
    told = [(event, msgspec.json.decode(event.data)) for event in events]
    ids = {data["match"]["id"] for _, data in told if "match" in data}
    rows = Match.objects.filter(pk__in=ids).select_related("home", "away", "station")
    matches = {row.pk: row for row in rows}
    tournament = Tournament.objects.select_related("champion", "runner_up", "third_place").get(
        pk=endpoint.tournament_id
    )
    for event, data in told:
        line = ""
        if "match" not in data:
            said = _OF_TOURNAMENTS[event.type](tournament, data)
            line = said and f"{said}{_link('tournament', tournament.pk)}"
        elif (match := matches.get(data["match"]["id"])) is not None and match.home and match.away:
            line = f"{_OF_MATCHES[event.type](match, data['match'])}{_link('match', match.pk)}"
        if line:
            yield event, line


def _link(page: str, row_id: int) -> str:
    return f" <{settings.SITE_URL}{reverse(page, args=[row_id])}>" if settings.SITE_URL else ""


def _bold(named: Tournament | Entry) -> str:
    return f"**{escaped(named.name)}**"


def _drawn(tournament: Tournament, data: Data) -> str:
    return ngettext(
        "{tournament} is drawn: {count} match.",
        "{tournament} is drawn: {count} matches.",
        len(data["matches"]),
        tournament=_bold(tournament),
    )


def _paired(tournament: Tournament, _data: Data) -> str:
    return gettext("The next round of {tournament} is paired.", tournament=_bold(tournament))


def _started(tournament: Tournament, _data: Data) -> str:
    return gettext("{tournament} has started.", tournament=_bold(tournament))


def _completed(tournament: Tournament, _data: Data) -> str:
    places = [gettext("{name} wins", name=_bold(tournament.champion))] if tournament.champion else []
    if tournament.runner_up:
        places.append(gettext("{name} is second", name=_bold(tournament.runner_up)))
    if tournament.third_place:
        places.append(gettext("{name} is third", name=_bold(tournament.third_place)))
    if not places:
        return gettext("{tournament} is over.", tournament=_bold(tournament))
    return gettext("{tournament} is over: {places}.", tournament=_bold(tournament), places=", ".join(places))


def _announced(tournament: Tournament, data: Data) -> str:
    standing = data["tournament"].get("notices", [])
    return f"**{escaped(tournament.name)}**: {escaped(standing[-1]['text'])}" if standing else ""


def _ready(match: Match, _changed: Data) -> str:
    return gettext("Match {number} is ready: {pair}.", number=match.number, pair=_versus(match))


def _called(match: Match, _changed: Data) -> str:
    values = {"pair": _versus(match), "number": match.number}
    if match.station is None:
        return gettext("{pair}: please come to match {number}.", **values)
    station = escaped(match.station.name)
    return gettext("{pair}: please come to station {station} for match {number}.", station=station, **values)


def _result(match: Match, changed: Data) -> str:
    """Say a result as the event has it; the row may have been changed since."""
    home, away = ("" if entry is None else escaped(entry.name) for entry in (match.home, match.away))
    winner, reason = changed.get("winner", match.winner_id), changed.get("reason", match.reason)
    if winner is not None:
        home, away = (f"**{home}**", away) if winner == match.home_id else (home, f"**{away}**")
    if reason != Reason.PLAYED:
        how = f" ({gettext(_HOW[reason])})" if reason in _HOW else ""
        values = {"number": match.number, "how": how}
        if winner is None:
            return gettext("Match {number}, {home} – {away}, was not played{how}.", home=home, away=away, **values)
        first, second = (home, away) if winner == match.home_id else (away, home)
        return gettext("Match {number}: {first} wins against {second}{how}.", first=first, second=second, **values)
    shootout = [changed.get(f"{side}_shootout", getattr(match, f"{side}_shootout")) for side in ("home", "away")]
    decided = f" ({shootout[0]}–{shootout[1]})" if shootout[0] is not None else ""
    score = [changed.get(f"{side}_score", getattr(match, f"{side}_score")) for side in ("home", "away")]
    return gettext(
        "Match {number}: {home} {score} {away}.",
        number=match.number,
        home=home,
        score=f"{score[0]}–{score[1]}{decided}",
        away=away,
    )


def _versus(match: Match) -> str:
    return " – ".join("" if entry is None else escaped(entry.name) for entry in (match.home, match.away))


_HOW = {
    Reason.WALKOVER: gettext_noop("walkover"),
    Reason.FORFEIT: gettext_noop("forfeit"),
    Reason.NO_SHOW: gettext_noop("no-show"),
}
_OF_TOURNAMENTS: dict[str, Callable[[Tournament, Data], str]] = {
    "bracket_generated": _drawn,
    "round_paired": _paired,
    "tournament_started": _started,
    "tournament_completed": _completed,
    "announcement_made": _announced,
}
_OF_MATCHES: dict[str, Callable[[Match, Data], str]] = {
    "match_ready": _ready,
    "match_called": _called,
    "match_completed": _result,
}
