"""
What organisers do with the endpoints of their tournament. None of it is an event: the log tells of the tournament.

Each function takes the tournament's lock, checks the right, and wakes the workers after the commit.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from django.db import transaction
from django.db.models import F

from apps.errors import BadRequest, Conflict, NotFound
from apps.eventlog import log
from apps.integrations.addresses import parse
from apps.integrations.channels import CHANNELS, discord, webhook
from apps.integrations.models import Endpoint, Kind
from apps.integrations.sealing import Secrets, Unreadable, seal, unseal
from apps.integrations.wake import wake
from apps.tournaments.models import Tournament
from apps.tournaments.services import Actor, Done
from apps.tournaments.services.unit import Unit, present
from apps.tournaments.text import clean_line
from engine.text import Listed
from engine.text import gettext as _

MOST = 10  # of one tournament

logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Made:
    """A new endpoint, and the secret with which its receiver checks signatures; "" where nothing is signed."""

    endpoint: Endpoint
    secret: str


@transaction.atomic
def add(
    actor: Actor, tournament_id: int, *, url: str, kind: str = Kind.WEBHOOK, name: str = "", types: Sequence[str] = ()
) -> Made:
    """
    Deliver events of a tournament to an address, from now on.

    `types` are the events to deliver; none means every public one, for Discord all that it knows of.

    Raises:
        BadRequest: an address or a type of event that is none.
        Conflict: the tournament has ten, or has this address already.
    """
    unit = _unit("add_integration", actor, tournament_id)
    tournament = unit.tournament
    url = url.strip()
    host = _checked_host(kind, url)
    others = list(tournament.endpoints.all())
    if len(others) >= MOST:
        raise Conflict(
            _("A tournament has at most {most} integrations. Remove one that is not used any more.", most=MOST)
        )
    if any(_leads_to(other, url) for other in others):
        raise Conflict(_("There is one for this address already."), field="url")
    key = webhook.new_key() if kind == Kind.WEBHOOK else ""
    head = _head(tournament)
    endpoint = Endpoint.objects.create(
        tournament=tournament,
        kind=kind,
        name=clean_line("name", name, at_most=60) or host[:60],
        host=host,
        sealed=seal(Secrets(url, key)),
        types=_checked_types(kind, types),
        stream=tournament.stream,
        created_by=unit.user,
        created_at=unit.now,
        next_attempt_at=unit.now,
        cursor=head,
        delivered=head,
    )
    logger.info("integration_added", tournament=tournament_id, endpoint=endpoint.pk, kind=kind, by=actor.name)
    return Made(endpoint, key)


@transaction.atomic
def edit(
    actor: Actor,
    endpoint_id: int,
    *,
    name: str | None = None,
    types: Sequence[str] | None = None,
    active: bool | None = None,
) -> Done:
    """
    Change what is given. Switched on again, a webhook gets everything that it missed, and at once; a channel for people
    goes on from now.
    """
    unit, endpoint = _locked("edit_integration", actor, endpoint_id)
    changes: dict[str, Any] = {}
    if name is not None:
        changes["name"] = clean_line("name", name, at_most=60, required=True)
    if types is not None:
        changes["types"] = _checked_types(endpoint.kind, types)
    if active is not None:
        changes["active"] = active
    if active and not endpoint.active:
        changes |= _anew(unit)
        if not CHANNELS[endpoint.kind].retells:
            changes["cursor"] = _head(unit.tournament)
    return _change(unit, endpoint, **changes)


@transaction.atomic
def remove(actor: Actor, endpoint_id: int) -> Done:
    """Deliver nothing there any more, and forget its address, its secret and its attempts."""
    unit, endpoint = _locked("remove_integration", actor, endpoint_id)
    endpoint.delete()
    logger.info("integration_removed", tournament=unit.tournament.pk, endpoint=endpoint_id, by=actor.name)
    return _done(unit, endpoint_id)


@transaction.atomic
def test(actor: Actor, endpoint_id: int) -> Done:
    """Have a test sent, also where the endpoint is switched off. Its attempt says what came of it."""
    unit, endpoint = _locked("test_integration", actor, endpoint_id)
    return _change(unit, endpoint, test_at=unit.now)


@transaction.atomic
def replay(actor: Actor, endpoint_id: int, *, first: int) -> Done:
    """
    Deliver the events from seq `first` on once more, under the ids that they had.

    Raises:
        BadRequest: there is no such seq.
        Conflict: people read there, whom old news would only confuse.
    """
    unit, endpoint = _locked("replay_integration", actor, endpoint_id)
    head = _head(unit.tournament)
    if not 1 <= first <= head + 1:
        raise BadRequest(_("The log has events 1 to {head}.", head=head), field="first")
    if not CHANNELS[endpoint.kind].retells:
        raise Conflict(_("Announcements are not repeated."))
    return _change(unit, endpoint, cursor=first - 1, delivered=first - 1, **_anew(unit))


def _unit(action: str, actor: Actor, tournament_id: int) -> Unit:
    unit = Unit(action, actor, present())
    unit.lock(tournament_id)
    return unit


def _locked(action: str, actor: Actor, endpoint_id: int) -> tuple[Unit, Endpoint]:
    tournament_id = Endpoint.objects.filter(pk=endpoint_id).values_list("tournament_id", flat=True).first()
    message = _("There is no such integration.")
    if tournament_id is None:
        raise NotFound(message)
    try:
        unit = _unit(action, actor, tournament_id)
    except NotFound:
        raise NotFound(message) from None
    endpoint = Endpoint.objects.filter(pk=endpoint_id).first()
    if endpoint is None:
        raise NotFound(message)
    return unit, endpoint


def _change(unit: Unit, endpoint: Endpoint, **changes: Any) -> Done:
    """Change an endpoint, so that a worker that is at it stops moving it."""
    Endpoint.objects.filter(pk=endpoint.pk).update(revision=F("revision") + 1, **changes)
    transaction.on_commit(wake)
    return _done(unit, endpoint.pk)


def _done(unit: Unit, endpoint_id: int) -> Done:
    return Done(unit.tournament.stream, _head(unit.tournament), {"integration_id": endpoint_id})


def _anew(unit: Unit) -> dict[str, Any]:
    """Return what makes an endpoint as good as new."""
    return {
        "active": True,
        "off_reason": "",
        "failures": 0,
        "failing_since": None,
        "error": "",
        "next_attempt_at": unit.now,
    }


def _head(tournament: Tournament) -> int:
    return log.positions([tournament.stream])[tournament.stream].seq


def _checked_host(kind: str, url: str) -> str:
    """Return the host of an address to which events of this kind can go. Raises BadRequest."""
    if kind not in Kind.values:
        raise BadRequest(_("The kinds are {names}.", names=Listed(Kind.values)), field="kind")
    target = parse(url)
    if kind == Kind.DISCORD and not (
        (target.scheme, target.port) == ("https", 443)
        and target.host in discord.HOSTS
        and re.fullmatch(discord.PATH, target.path)
    ):
        raise BadRequest(
            _("Copy the address from Discord: Server settings, Integrations, Webhooks, Copy webhook URL."), field="url"
        )
    return target.host


def _checked_types(kind: str, types: Sequence[str]) -> list[str]:
    known = CHANNELS[kind].types
    if unknown := sorted(set(types) - set(known)):
        raise BadRequest(
            _("There are no events {names} to deliver there.", names=", ".join(unknown)[:200]), field="types"
        )
    return [name for name in known if name in types]


def _leads_to(endpoint: Endpoint, url: str) -> bool:
    try:
        return unseal(endpoint.sealed).url == url
    except Unreadable:
        return False
