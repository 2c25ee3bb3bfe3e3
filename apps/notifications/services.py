"""What people choose about being told: which things, in which language, and by which ways."""

import re
from collections.abc import Collection
from hashlib import sha256
from secrets import token_hex

import msgspec
import structlog
from django.conf import settings
from django.db import transaction

from apps.accounts.models import User
from apps.accounts.services import confirmed_address
from apps.errors import BadRequest, Conflict, NotFound
from apps.integrations.addresses import parse
from apps.integrations.channels import discord
from apps.integrations.sealing import seal_bytes
from apps.integrations.wake import wake
from apps.notifications.models import TEST, Channel, Kind, Notice, NoticeState, Preferences, Way
from apps.notifications.occasions import OF_USE
from apps.notifications.ways.push import checked
from apps.tournaments.services.unit import present
from apps.tournaments.text import clean_line
from engine.text import gettext as _

logger = structlog.get_logger(__name__)


def preferences_of(user: User) -> Preferences:
    """Return what a person has chosen; before they have, everything, from the moment they switch a channel on."""
    found = Preferences.objects.filter(user=user).first()
    return found or Preferences(user=user, kinds=_everything())


def channels_of(user: User) -> list[Channel]:
    """Return a person's channels, in the order in which they were added. One query."""
    return list(Channel.objects.filter(user=user).order_by("pk"))


@transaction.atomic
def choose(user: User, *, kinds: Collection[str], language: str = "") -> Preferences:
    """
    Be told of these kinds; of what is new among them, from now on.

    Raises:
        BadRequest: no such kind or language.
    """
    if unknown := sorted(set(kinds) - set(Kind.values)):
        raise BadRequest(_("There is no kind of notification called {name}.", name=unknown[0]), field="kinds")
    if language and language not in dict(settings.LANGUAGES):
        raise BadRequest(_("The site does not speak this language."), field="language")
    before = preferences_of(user)
    now = _now()
    before.kinds = {kind: before.kinds.get(kind, now) for kind in Kind.values if kind in kinds}
    before.language = language
    before.save()
    return before


@transaction.atomic
def add_device(user: User, *, endpoint: str, p256dh: str, auth: str, name: str, origin: str) -> Channel:
    """
    Tell a person by a browser from now on. A browser tells one person: whoever switched it on last.

    Raises:
        BadRequest: the subscription is none, see ways.push.checked.
        Conflict: the person has as many channels as there can be.
    """
    subscription = checked(endpoint, p256dh, auth)
    digest = sha256(endpoint.encode()).hexdigest()
    known = Channel.objects.filter(digest=digest).first()
    if known is not None and known.user_id == user.pk and known.active:
        known.sealed = seal_bytes(msgspec.json.encode(subscription))  # the browser may have made other keys
        known.save(update_fields=["sealed"])
        return known
    if known is not None:
        known.delete()
    sealed = seal_bytes(msgspec.json.encode(subscription))
    return _add(user, Way.PUSH, name=name, origin=origin, sealed=sealed, digest=digest)


@transaction.atomic
def add_mail(user: User, *, origin: str) -> Channel:
    """
    Tell a person by mail from now on.

    Raises:
        Conflict: their address has not been confirmed.
    """
    address = confirmed_address(user)
    if address is None:
        raise Conflict(_("Confirm your e-mail address first: nobody else is to get your mail."))
    return _replace(user, Way.MAIL, name="Mail", origin=origin)


@transaction.atomic
def add_discord(user: User, *, url: str, origin: str) -> Channel:
    """
    Tell a person by a webhook of Discord of their own from now on.

    Raises:
        BadRequest: the address is none of Discord.
    """
    url = url.strip()
    target = parse(url)
    of_discord = (target.scheme, target.port) == ("https", 443) and target.host in discord.HOSTS
    if not of_discord or not re.fullmatch(discord.PATH, target.path):
        raise BadRequest(
            _("Copy the address from Discord: Server settings, Integrations, Webhooks, Copy webhook URL."), field="url"
        )
    return _replace(user, Way.DISCORD, name="Discord", origin=origin, sealed=seal_bytes(url.encode()))


@transaction.atomic
def remove(user: User, channel_id: int) -> None:
    """Tell nothing there any more, and forget its address. Raises NotFound."""
    _own(user, channel_id).delete()


@transaction.atomic
def send_test(user: User, channel_id: int) -> None:
    """Have a test sent, unless one is on its way. Raises NotFound."""
    channel = _own(user, channel_id)
    if not channel.active:
        raise Conflict(_("This is off: {reason}", reason=channel.off_reason))
    if channel.notices.filter(kind=TEST, state=NoticeState.WAITING).exists():
        return
    now = present()
    Notice.objects.create(
        channel=channel,
        occasion=f"{TEST}:{token_hex(8)}",
        kind=TEST,
        created_at=now,
        expires_at=now + OF_USE,
        next_attempt_at=now,
    )
    transaction.on_commit(wake)


def unsubscribe(channel_id: int) -> None:
    """End a channel, as the link in what it sent asks for. One that is gone already is no error."""
    Channel.objects.filter(pk=channel_id).delete()


def _replace(user: User, way: Way, *, name: str, origin: str, sealed: str = "") -> Channel:
    Channel.objects.filter(user=user, way=way).delete()
    return _add(user, way, name=name, origin=origin, sealed=sealed)


def _add(user: User, way: Way, *, name: str, origin: str, sealed: str, digest: str | None = None) -> Channel:
    if Channel.objects.filter(user=user).count() >= Channel.MOST:
        raise Conflict(
            _("There are {most} devices and channels already. Remove one that is not used any more.", most=Channel.MOST)
        )
    Preferences.objects.get_or_create(user=user, defaults={"kinds": _everything()})
    logger.info("notification_channel_added", way=way.value, user=user.pk)
    return Channel.objects.create(
        user=user,
        way=way,
        name=clean_line("name", name[:60], at_most=60, required=True),
        origin=origin[:255],
        sealed=sealed,
        digest=digest,
        since=present(),
    )


def _own(user: User, channel_id: int) -> Channel:
    channel = Channel.objects.filter(user=user, pk=channel_id).first()
    if channel is None:
        raise NotFound(_("There is no such device or channel."))
    return channel


def _everything() -> dict[str, str]:
    return dict.fromkeys(Kind.values, _now())


def _now() -> str:
    return present().isoformat()
