"""
Tokens: who is on the other end of a request or a WebSocket. Knows allauth's internals, as `ways` and `steam` do.

Two kinds are accepted for a room. A *room token* is ours: short-lived, good for one connection to one room (what stands
in an address may be read by others), for a signed-in user or for a guest. An *access token* is allauth's, from signing
in over the API. Both are checked against the session they come from each time, so they die with sign-out, with a change
of the password, and with the account. A room token that was got with an API token dies with that one.
"""

import secrets
import time
from dataclasses import dataclass
from functools import cache
from typing import Any

import jwt
from allauth.headless.tokens.strategies.jwt.internal import decode_token, session_key_from_sid, session_key_to_sid
from channels.db import database_sync_to_async
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.db import connection
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac

from apps.accounts import api_tokens
from apps.accounts.grants import Grant
from apps.accounts.models import User
from apps.accounts.revocation import api_token_name, session_name

MAX_TOKEN_BYTES = 4096
_ALGORITHM = "HS256"
_AUDIENCE = "deltacrown:room"
Claims = dict[str, Any]

# Asked by every connection; the ORM would take longer to write it down than the database to answer.
_USER_FIELDS = ("id", "password", "is_superuser", "username", "is_active")  # in the model's order, as from_db needs it
_SESSION = f"""
SELECT session_data, {", ".join(_USER_FIELDS)}
FROM {Session._meta.db_table} JOIN {User._meta.db_table} ON id = %s
WHERE session_key = %s AND expire_date > %s
"""  # noqa: S608 - names of tables and columns


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

    The user has the fields that say who they are and what they may do; others are read when they are asked for.
    `session`: the name of the session or API token that the token comes from, "" for a guest. `expires_at`: seconds
    since the epoch. `ticket`: the name of a token that is good for one connection, "" for an access token.
    `grant`: what an API token gives; None for whoever signed in, and for a guest.
    """

    id: str
    username: str
    user: User | None
    session: str
    expires_at: float
    ticket: str
    grant: Grant | None = None

    def present_user(self) -> User | None:
        """Return the user as they are now, with the same grant; None for a guest, and when access has ended."""
        kind, _, user_id = self.id.partition(":")
        if kind != "user":
            return None
        if self.grant is not None:
            return api_tokens.owner_by_id(self.grant.token, int(user_id))
        return User.objects.filter(pk=user_id, is_active=True).first()


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A user, and the key of the session in which they signed in; "" for one whose `grant` says how they come in."""

    user: User
    session_key: str


@dataclass(frozen=True, slots=True)
class Unproven:
    """A good token of a user. Whether its session still holds is not known."""

    token: str
    claims: Claims

    def identify(self) -> Identity:
        """Return who holds it. Raises TokenError when the session has ended. One query."""
        is_ticket = "room" in self.claims
        holder = _ticket_holder(self.claims) if is_ticket else _api_holder(self.token)
        if holder is None:
            raise TokenError(expired=False)
        user, grant = holder.user, holder.user.grant
        session = session_name(holder.session_key) if grant is None else api_token_name(grant.token)
        # An access token has a name as well, and is good for more than one connection.
        ticket = str(self.claims["jti"]) if is_ticket else ""
        return Identity(f"user:{user.pk}", user.username, user, session, float(self.claims["exp"]), ticket, grant)


_identify = database_sync_to_async(Unproven.identify)


def issue_room_token(room: str, holder: SignedIn | None) -> tuple[str, int]:
    """
    Return a token for one connection to a room ("tournament:7", "match:5") and its lifetime in seconds; None makes a
    guest.

    Whether the person may see the room is checked when it is used, as rights are at every action.
    """
    now = int(time.time())
    lifetime: int = settings.WS_TOKEN_SECONDS
    claims: dict[str, Any] = {"sub": f"guest:{secrets.token_hex(6)}"}
    if holder is not None and holder.user.grant is not None:
        claims = {"sub": str(holder.user.pk), "tok": holder.user.grant.token}
    elif holder is not None:
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

    Cost: one query, none for a guest.
    """
    checked = check_token(token, room=room)
    return checked if isinstance(checked, Identity) else checked.identify()


async def aread_token(token: str, *, room: str) -> Identity:
    """Do the same on an event loop. A guest's token, which needs no query, costs no way through a thread either."""
    checked = check_token(token, room=room)
    return checked if isinstance(checked, Identity) else await _identify(checked)


def check_token(token: str, *, room: str) -> "Identity | Unproven":
    """Do the part of `read_token` that needs no query. For a guest that is all of it. Raises the same."""
    claims = _check(token, room)
    if "room" not in claims or "sid" in claims or "tok" in claims:
        return Unproven(token, claims)
    return Identity(str(claims["sub"]), "guest", None, "", float(claims["exp"]), str(claims["jti"]))


def from_access_token(token: str) -> SignedIn | None:
    """
    Return who signed in over the API with this access token, or None when it does not hold (any more).

    Cost: two queries, the second of which reads all of the user.
    """
    holder = _api_holder(token)
    user = holder and User.objects.filter(pk=holder.user.pk).first()
    return SignedIn(user, holder.session_key) if holder and user else None


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


def _ticket_holder(claims: Claims) -> SignedIn | None:
    """Return who got a room token: in a session, or with an API token that still holds."""
    token_id, sub = claims.get("tok"), claims["sub"]
    if token_id is None:
        return _holder(claims)
    user = api_tokens.owner_by_id(token_id, int(sub)) if isinstance(token_id, int) and sub.isdecimal() else None
    return None if user is None else SignedIn(user, "")


def _api_holder(token: str) -> SignedIn | None:
    claims = decode_token(token, "access") if len(token) <= MAX_TOKEN_BYTES else None
    return claims and _holder(claims)


def _holder(claims: Claims) -> SignedIn | None:
    """
    Return whose session a token comes from, None when it has ended. A new password ends every session but one.

    What Django and allauth ask of a session, asked in one query (tests/integration/accounts/test_sessions.py compares
    the answers). Unlike them, it leaves a session that does not hold where it is.
    """
    sid, sub = claims.get("sid"), claims["sub"]
    key = session_key_from_sid(sid) if isinstance(sid, str) else None
    if not key or not sub.isdecimal():
        return None
    with connection.cursor() as cursor:
        cursor.execute(_SESSION, [int(sub), key, connection.ops.adapt_datetimefield_value(timezone.now())])
        row = cursor.fetchone()
    if row is None:
        return None
    user, session = User.from_db(connection.alias, _USER_FIELDS, row[1:]), SessionStore().decode(row[0])
    holds = (
        user.is_active
        and session.get(SESSION_KEY) == sub
        and session.get(BACKEND_SESSION_KEY) in settings.AUTHENTICATION_BACKENDS
        and _is_hash_of(user, session.get(HASH_SESSION_KEY))
    )
    return SignedIn(user, key) if holds else None


def _is_hash_of(user: User, given: str | None) -> bool:
    """Return whether a session was made with the user's present password, by this secret key or the ones before it."""
    hashes = (user.get_session_auth_hash(), *user.get_session_auth_fallback_hash())
    return given is not None and any(constant_time_compare(given, right) for right in hashes)


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
