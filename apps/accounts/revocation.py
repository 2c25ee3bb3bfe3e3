"""
What ends or changes access before a token does: signing out, a new password, a blocked or deleted account, a new
administrator.

Each is an event of one stream, so that it reaches every process by the way that every event goes; whoever keeps
connections open follows the stream and closes those concerned.
"""

from hashlib import sha256
from typing import Any

import msgspec
from django.contrib.auth.signals import user_logged_out
from django.db import transaction
from django.db.models.signals import post_delete, post_save
from django.http import HttpRequest
from django.utils import timezone
from msgspec import Struct

from apps.accounts.models import User
from apps.eventlog import log

STREAM = "accounts"
SESSION_ENDED = "session_ended"
ACCESS_ENDED = "access_ended"
RIGHTS_CHANGED = "rights_changed"


class Ended(Struct, omit_defaults=True):
    """Whose access ended, or whose rights changed: that of one session or API token, or of a user with all of them."""

    session: str = ""
    user: int = 0


def session_name(session_key: str) -> str:
    """Return a name for a session that is of no use to whoever reads it in the log."""
    return sha256(session_key.encode()).hexdigest()[:16]


def end_session(session_key: str) -> None:
    """Tell everybody that a session has ended."""
    _append(SESSION_ENDED, Ended(session=session_name(session_key)))


def api_token_name(token_id: int) -> str:
    """Return the name of what is opened with an API token, in the place of a session's."""
    return f"token:{token_id}"


def end_api_token(token_id: int) -> None:
    """Tell everybody that an API token has ended."""
    _append(SESSION_ENDED, Ended(session=api_token_name(token_id)))


def end_access(user_id: int) -> None:
    """Tell everybody that nothing that this user holds counts any more."""
    _append(ACCESS_ENDED, Ended(user=user_id))


def change_rights(user_id: int) -> None:
    """Tell everybody that this user may be an administrator now, or none any more."""
    _append(RIGHTS_CHANGED, Ended(user=user_id))


def connect_signals() -> None:
    """Follow what Django and allauth say about accounts."""
    from allauth.account import signals as account
    from allauth.usersessions.models import UserSession

    user_logged_out.connect(_signed_out, dispatch_uid="revocation")
    for signal in (account.password_changed, account.password_set, account.password_reset):
        signal.connect(_password_changed, dispatch_uid="revocation")
    post_delete.connect(_session_removed, sender=UserSession, dispatch_uid="revocation")
    post_save.connect(_saved, sender=User, dispatch_uid="revocation")
    post_delete.connect(_deleted, sender=User, dispatch_uid="revocation")


def _append(type_: str, ended: Ended) -> None:
    event = log.NewEvent(type=type_, data=msgspec.json.encode(ended).decode(), audience=log.STAFF)
    with transaction.atomic():
        log.ensure(STREAM)
        log.append(STREAM, [event], at=timezone.now())


def _signed_out(request: HttpRequest, user: User | None, **_: Any) -> None:
    if user is not None and request.session.session_key:
        end_session(request.session.session_key)


def _password_changed(user: User, **_: Any) -> None:
    end_access(user.pk)


def _session_removed(instance: Any, **_: Any) -> None:
    end_session(instance.session_key)


def _saved(instance: User, *, created: bool, update_fields: frozenset[str] | None, **_: Any) -> None:
    if created:
        return
    if not instance.is_active:
        end_access(instance.pk)
    elif update_fields is None or "is_superuser" in update_fields:
        change_rights(instance.pk)  # perhaps; who has a room open is looked at again


def _deleted(instance: User, **_: Any) -> None:
    end_access(instance.pk)
