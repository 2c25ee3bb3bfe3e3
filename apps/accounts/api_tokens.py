"""
API tokens: made by a person for a program that acts as them. Shown once; of the token only a hash is kept.

They outlive sign-out and a new password, and end when they are revoked, when their time is over, and with the account.
"""

import secrets
from collections.abc import Collection
from datetime import datetime, timedelta
from hashlib import sha256

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from apps.accounts.grants import Scope
from apps.accounts.models import ApiToken, User
from apps.accounts.revocation import end_api_token
from apps.errors import BadRequest, Conflict, NotFound
from engine.text import Listed
from engine.text import gettext as _

PREFIX = "dct_"
_BYTES = 32
_MAX_LENGTH = 100
_USED = timedelta(minutes=1)  # how exactly `used_at` is kept: a busy bot costs one write a minute


def create(
    user: User,
    *,
    name: str,
    scopes: Collection[str],
    tournament: int | None = None,
    expires_at: datetime | None = None,
) -> tuple[ApiToken, str]:
    """
    Make a token and return it with what its holder sends. `name` is a clean line.

    Raises:
        BadRequest: an unknown scope, or an end that is past.
        Conflict: the person has as many as they can.
    """
    unknown = sorted(set(scopes) - set(Scope))
    if unknown:
        raise BadRequest(_("The scopes are {names}.", names=Listed(Scope)), field="scopes")
    if expires_at is not None and expires_at <= timezone.now():
        raise BadRequest(_("The token would have expired already. Choose a later end."), field="expires_at")
    token = PREFIX + secrets.token_urlsafe(_BYTES)
    with transaction.atomic():
        User.objects.select_for_update(no_key=True).get(pk=user.pk)  # two at once must not pass the limit
        if user.api_tokens.count() >= ApiToken.MOST:
            raise Conflict(
                _("You have {most} tokens already. Revoke one that is not used any more.", most=ApiToken.MOST)
            )
        row = ApiToken.objects.create(
            user=user,
            name=name,
            digest=_digest(token),
            ending=token[-4:],
            scopes=[scope for scope in Scope if scope in scopes or scope is Scope.READ],
            tournament=tournament,
            expires_at=expires_at,
        )
    return row, token


def of(user: User) -> QuerySet[ApiToken]:
    """Return a person's tokens, newest first. One query."""
    return user.api_tokens.order_by("-pk")


def revoke(user: User, token_id: int) -> None:
    """
    End one of the person's tokens at once, with every connection that was opened with it.

    Raises:
        NotFound: they have no such token.
    """
    with transaction.atomic():
        deleted, _rows = user.api_tokens.filter(pk=token_id).delete()
        if not deleted:
            raise NotFound(_("You have no such token."))
        end_api_token(token_id)


def owner_of(token: str) -> User | None:
    """Return the user with the token's grant, None when it does not hold (any more). One query, at times two."""
    if len(token) > _MAX_LENGTH or not token.isascii():
        return None
    return _owner(Q(digest=_digest(token)))


def owner_by_id(token_id: int, user_id: int) -> User | None:
    """Return whose token it is that was exchanged for another, as `owner_of` does."""
    return _owner(Q(pk=token_id, user=user_id))


def _owner(condition: Q) -> User | None:
    now = timezone.now()
    holds = Q(expires_at__isnull=True) | Q(expires_at__gt=now)
    row = ApiToken.objects.select_related("user").filter(condition, holds, user__is_active=True).first()
    if row is None:
        return None
    if row.used_at is None or row.used_at <= now - _USED:
        ApiToken.objects.filter(pk=row.pk).update(used_at=now)
    row.user.grant = row.grant
    return row.user


def _digest(token: str) -> str:
    # 256 random bits need no slow hash.
    return sha256(token.encode()).hexdigest()
