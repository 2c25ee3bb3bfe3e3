"""
What people change about their own account, and administrators about others'.

E-mail addresses and passwords: allauth, which checks both.
"""

from datetime import datetime

from allauth.account.internal.flows.email_verification import send_verification_email_to_address
from allauth.account.models import EmailAddress
from allauth.usersessions.models import UserSession
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.db import connection
from django.http import HttpRequest

from apps.accounts.models import User


def edit_profile(user: User, *, first_name: str | None = None, last_name: str | None = None) -> User:
    """Change the names that are given, clean already; None leaves a name as it is."""
    fields = {"first_name": first_name, "last_name": last_name}
    changed = {field: value for field, value in fields.items() if value is not None}
    for field, value in changed.items():
        setattr(user, field, value)
    user.save(update_fields=list(changed))
    return user


def confirmed_address(user: User) -> str | None:
    """Return the e-mail address of a person that is known to be theirs, None when it has not been confirmed."""
    found = EmailAddress.objects.filter(user=user, verified=True, email__iexact=user.email)
    address: str | None = found.values_list("email", flat=True).first()
    return address


def ask_to_confirm(request: HttpRequest, user: User) -> None:
    """Send a link to a person's address that confirms it. allauth limits how often."""
    address, _ = EmailAddress.objects.get_or_create(user=user, email=user.email, defaults={"primary": True})
    send_verification_email_to_address(request, address)


def block(user: User) -> None:
    """Let a person in no more: their sessions end, tokens stop counting, open connections close."""
    user.is_active = False
    user.save(update_fields=["is_active"])
    end_sessions(user)


def unblock(user: User) -> None:
    """Let a person who was blocked sign in again."""
    user.is_active = True
    user.save(update_fields=["is_active"])


def end_sessions(user: User) -> None:
    """Sign a person out everywhere."""
    for session in UserSession.objects.filter(user=user):
        session.end()


def erase(user: User, *, shown_as: str) -> None:
    """
    Delete an account with all that hangs on it: sessions, addresses, tokens, whatever refers to it by a foreign key.

    The administrators' log keeps what was done about it, with `shown_as` in the place of its name.
    """
    end_sessions(user)
    about = LogEntry.objects.filter(content_type=ContentType.objects.get_for_model(User), object_id=str(user.pk))
    about.update(object_repr=shown_as)
    user.delete()


# Not through the ORM, whose signals would tell every process of sessions that have ended long ago.
_FORGET = f"""
DELETE FROM {UserSession._meta.db_table} WHERE session_key NOT IN (SELECT session_key FROM {Session._meta.db_table})
"""  # noqa: S608 - names of tables


def forget_ended_sessions(now: datetime) -> int:
    """Delete sessions that have expired, and from where people were signed in during those. Return how many."""
    deleted, _ = Session.objects.filter(expire_date__lt=now).delete()
    with connection.cursor() as cursor:
        cursor.execute(_FORGET)
    return deleted
