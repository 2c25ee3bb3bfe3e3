"""
Tokens: who is on the other end of a request or a WebSocket. The only module that knows allauth's internals.

Two kinds are accepted for a room. A *room token* is ours: short-lived, good for one connection to one room (what stands
in an address may be read by others), for a signed-in user or for a guest. An *access token* is allauth's, from signing
in over the API. Both are checked against the session they come from each time, so they die with sign-out, with a change
of the password, and with the account.
"""

import secrets
import time
from dataclasses import dataclass
from functools import cache
from typing import Any

import jwt
from allauth.headless.tokens.strategies.jwt.internal import (
    get_token_session,
    session_key_to_sid,
    validate_access_token,
    validate_token_user,
)
from channels.db import database_sync_to_async
from django.conf import settings
from django.utils.crypto import salted_hmac

from apps.accounts.models import User
from apps.accounts.revocation import session_name

MAX_TOKEN_BYTES = 4096
_ALGORITHM = "HS256"
_AUDIENCE = "deltacrown:room"
Claims = dict[str, Any]


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

    `session`: the name of the session that the token comes from, "" for a guest. `expires_at`: seconds since the epoch.
    `ticket`: the name of a token that is good for one connection, "" for an access token.
    """

    id: str
    username: str
    user: User | None
    session: str
    expires_at: float
    ticket: str


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A user, and the key of the session in which they signed in."""

    user: User
    session_key: str


def issue_room_token(room: str, holder: SignedIn | None) -> tuple[str, int]:
    """
    Return a token for one connection to a room ("tournament:7", "match:5") and its lifetime in seconds; None makes a
    guest.

    Whether the person may see the room is checked when it is used, as rights are at every action.
    """
    now = int(time.time())
    lifetime: int = settings.WS_TOKEN_SECONDS
    claims: dict[str, Any] = {"sub": f"guest:{secrets.token_hex(6)}"}
    if holder is not None:
        # The session's key is encrypted, as in allauth's own tokens: a token must not be of use as a cookie.
        claims = {"sub": str(holder.user.pk), "sid": session_key_to_sid(holder.session_key)}
    claims |= {
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

    Cost: two queries, none for a guest.
    """
    claims = _check(token, room)
    return _guest(claims) or _member(token, claims)


async def aread_token(token: str, *, room: str) -> Identity:
    """Do the same on an event loop. A guest's token, which needs no query, costs no way through a thread either."""
    claims = _check(token, room)
    return _guest(claims) or await database_sync_to_async(_member)(token, claims)


def from_access_token(token: str) -> SignedIn | None:
    """Return who signed in over the API with this access token, or None when it does not hold (any more)."""
    found = validate_access_token(token) if len(token) <= MAX_TOKEN_BYTES else None
    return _holder(found[1]) if found else None


def _check(token: str, room: str) -> Claims:
    """Return the claims of a token for a room. Whether its session still holds is not known then."""
    if len(token) > MAX_TOKEN_BYTES or not token.isascii():
        raise TokenError(expired=False)
    claims = _decode(token, _room_key(settings.SECRET_KEY), audience=_AUDIENCE)
    if claims is None:
        claims = _decode(token, settings.SECRET_KEY, audience=None)
        accepted = claims is not None and "room" not in claims  # only what the room key has signed is a room token
    else:
        accepted = claims.get("room") == room
    if claims is None or not accepted:
        raise TokenError(expired=False)
    return claims


def _guest(claims: Claims) -> Identity | None:
    if "room" not in claims or "sid" in claims:
        return None
    return Identity(str(claims["sub"]), "guest", None, "", float(claims["exp"]), str(claims["jti"]))


def _member(token: str, claims: Claims) -> Identity:
    is_ticket = "room" in claims
    holder = _holder(claims) if is_ticket else from_access_token(token)
    if holder is None:
        raise TokenError(expired=False)
    user, session = holder.user, session_name(holder.session_key)
    # An access token has a name as well, and is good for more than one connection.
    ticket = str(claims["jti"]) if is_ticket else ""
    return Identity(f"user:{user.pk}", user.username, user, session, float(claims["exp"]), ticket)


def _holder(claims: dict[str, Any]) -> SignedIn | None:
    """Return whose session a token comes from, None when it has ended. A new password ends every session but one."""
    session = get_token_session(claims)
    user = session and validate_token_user(claims, session)
    if session is None or not isinstance(user, User) or not user.is_active:
        return None
    return SignedIn(user, session.session_key)


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
            options={"require": ["exp", "iat", "sub", "jti"], "verify_aud": audience is not None},
        )
    except jwt.ExpiredSignatureError:
        raise TokenError(expired=True) from None
    except jwt.InvalidTokenError:
        return None
