"""
Tokens: who is on the other end of a request or a WebSocket. The only module that knows allauth's internals.

Two kinds are accepted for a room. A *room token* is ours: short-lived, good for one room, for a signed-in user or for
a guest. An *access token* is allauth's, from signing in over the API; it is checked against its session each time,
so it dies with sign-out and with the account.
"""

import secrets
import time
from dataclasses import dataclass
from functools import cache
from typing import Any

import jwt
from allauth.headless.tokens.strategies.jwt.internal import validate_access_token
from django.conf import settings
from django.utils.crypto import salted_hmac

from apps.accounts.models import User

MAX_TOKEN_BYTES = 4096
_ALGORITHM = "HS256"
_AUDIENCE = "deltacrown:room"


class TokenError(Exception):
    """
    The token is not accepted. `expired` tells a token that was good once from one that never was;
    nothing else is told to whoever sent it.
    """

    def __init__(self, *, expired: bool) -> None:
        super().__init__("token expired" if expired else "token not accepted")
        self.expired = expired


@dataclass(frozen=True, slots=True)
class Identity:
    """
    Who holds a token. `id` is "user:<id>" or "guest:<random>"; `user` is None for a guest.

    `expires_at`: seconds since the epoch.
    """

    id: str
    username: str
    user: User | None
    expires_at: float


def issue_room_token(room: str, user: User | None) -> tuple[str, int]:
    """
    Return a token for one room ("tournament:7", "match:5") and its lifetime in seconds.

    Whether the person may see the room is checked when it is used, as rights are at every action.
    """
    now = int(time.time())
    lifetime: int = settings.WS_TOKEN_SECONDS
    subject = f"user:{user.pk}" if user else f"guest:{secrets.token_hex(6)}"
    claims = {
        "sub": subject,
        "aud": _AUDIENCE,
        "room": room,
        "iat": now,
        "exp": now + lifetime,
        "jti": secrets.token_hex(8),
    }
    return jwt.encode(claims, _room_key(settings.SECRET_KEY), algorithm=_ALGORITHM), lifetime


def read_token(token: str, *, room: str) -> Identity:
    """
    Return who holds a token that opens `room`.

    Raises:
        TokenError: expired, malformed, signed by somebody else, for another room, or the user is gone or inactive.

    Cost: one query for a room token of a user, two for an access token, none for a guest.
    """
    if len(token) > MAX_TOKEN_BYTES or not token.isascii():
        raise TokenError(expired=False)
    claims = _decode(token, _room_key(settings.SECRET_KEY), audience=_AUDIENCE)
    if claims is not None:
        if claims.get("room") != room:
            raise TokenError(expired=False)
        return _holder(str(claims["sub"]), float(claims["exp"]))
    claims = _decode(token, settings.SECRET_KEY, audience=None)
    user = None if claims is None else user_from_access_token(token)
    if claims is None or user is None:
        raise TokenError(expired=False)
    return Identity(f"user:{user.pk}", user.username, user, float(claims["exp"]))


def user_from_access_token(token: str) -> User | None:
    """Return the user who signed in over the API with this access token, or None when it does not hold (any more)."""
    found = validate_access_token(token) if len(token) <= MAX_TOKEN_BYTES else None
    user = found[0] if found else None
    return user if isinstance(user, User) and user.is_active else None


@cache
def _room_key(secret: str) -> bytes:
    return salted_hmac("deltacrown.room-token", "key", secret=secret, algorithm="sha256").digest()


def _decode(token: str, key: str | bytes, *, audience: str | None) -> dict[str, Any] | None:
    """Return the claims, or None when the token was not signed with `key`."""
    try:
        return jwt.decode(
            token,
            key,
            algorithms=[_ALGORITHM],
            audience=audience,
            leeway=settings.JWT_LEEWAY_SECONDS,
            options={"require": ["exp", "iat", "sub"], "verify_aud": audience is not None},
        )
    except jwt.ExpiredSignatureError:
        raise TokenError(expired=True) from None
    except jwt.InvalidTokenError:
        return None


def _holder(subject: str, expires_at: float) -> Identity:
    kind, _, name = subject.partition(":")
    if kind == "guest":
        return Identity(subject, "guest", None, expires_at)
    user = User.objects.filter(pk=name, is_active=True).first()
    if user is None:
        raise TokenError(expired=False)
    return Identity(subject, user.username, user, expires_at)
