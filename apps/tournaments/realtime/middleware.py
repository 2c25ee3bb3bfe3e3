"""
Before a room opens: which room, from which origin, and who is there.

A refusal that a page must act on is given so that a browser can read it: accept, one `error` frame, close with the
code. Outermost in deltacrown/asgi.py, so that no token is left in the scope when anything else sees it.
"""

from collections.abc import Iterable
from functools import partial
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from django.conf import settings
from django.contrib.auth.models import AnonymousUser

from apps.accounts.tokens import Identity, TokenError, Unproven, aread_token, check_token
from apps.tournaments.realtime.farewell import farewell, refuse_in_http
from apps.tournaments.realtime.hub import hub
from apps.tournaments.realtime.protocol import SUBPROTOCOL, TOKEN_SUBPROTOCOL, CloseCode
from apps.tournaments.realtime.rooms import BadRoomId, Opened, RoomName, room_of_path
from apps.tournaments.realtime.together import Together

Scope = dict[str, Any]
App = Any  # an ASGI application, or a part of the channels stack
Origin = tuple[str, str, int]  # scheme, host, port


def accepted_subprotocol(scope: Scope) -> str | None:
    return SUBPROTOCOL if SUBPROTOCOL in scope.get("subprotocols", ()) else None


async def refuse(scope: Scope, receive: Any, send: Any, code: CloseCode) -> None:
    """Refuse a connection so that a browser can read why."""
    await receive()  # websocket.connect
    await send({"type": "websocket.accept", "subprotocol": accepted_subprotocol(scope)})
    await send({"type": "websocket.send", "text": farewell(code)})
    await send({"type": "websocket.close", "code": int(code)})


class RoomMiddleware:
    """scope["room"] from the path. An address without a room is refused in HTTP with 404."""

    def __init__(self, app: App) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        try:
            room = room_of_path(scope["path"])
        except BadRoomId:
            await refuse(scope, receive, send, CloseCode.BAD_REQUEST)
            return
        if room is None:
            await refuse_in_http(scope, receive, send, HTTPStatus.NOT_FOUND)
            return
        scope["record"].room = room
        await self.app({**scope, "room": room}, receive, send)


class OriginMiddleware:
    """
    Exact origins only: WS_ALLOWED_ORIGINS, or the site's own when that is empty.

    A request without an Origin comes from no browser; its token counts, but not one in the URL, which is where a token
    that leaked would be found.
    """

    def __init__(self, app: App) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        if not origin_allowed(scope):
            await refuse(scope, receive, send, CloseCode.FORBIDDEN)
            return
        await self.app(scope, receive, send)


class JWTAuthMiddleware:
    """
    scope["identity"] and scope["user"] from the token in the query (`token`) or the subprotocol (`bearer.<JWT>`).

    scope["opened"] is what a member sees of a room that is open already, asked on the same way to the database; None
    when that is to be found out.
    scope["read_token"] reads it again, for whoever finds that hub.changes is not scope["changes"] any more.
    Takes the token out of the scope, in place: the server logs the query of this very dict.
    """

    def __init__(self, app: App) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        tokens = take_tokens(scope)
        if len(tokens) != 1:
            code = CloseCode.BAD_REQUEST if tokens else CloseCode.AUTHENTICATION_REQUIRED
            await refuse(scope, receive, send, code)
            return
        room: RoomName = scope["room"]
        changes, opened = hub.changes, None
        try:
            identity = check_token(tokens[0], room=str(room))
            if isinstance(identity, Unproven):
                identity, opened = await _identify(identity, room)
        except TokenError as error:
            await refuse(scope, receive, send, CloseCode.TOKEN_EXPIRED if error.expired else CloseCode.FORBIDDEN)
            return
        scope["record"].user = identity.id
        user = identity.user or AnonymousUser()
        found = {"identity": identity, "user": user, "opened": opened, "changes": changes}
        read = partial(aread_token, tokens[0], room=str(room))
        await self.app({**scope, **found, "read_token": read}, receive, send)


def _look_up(token: Unproven, room: RoomName) -> tuple[Identity, Opened | None]:
    identity, known = token.identify(), hub.public.get(room)
    return identity, known and known.seen_by(identity.user or AnonymousUser())


_identify = Together(_look_up)


class ScrubMiddleware:
    """Outermost: see that whatever logs the scope finds no token in it, while the stack below still gets it."""

    def __init__(self, app: App) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        inner = dict(scope)
        take_tokens(scope)
        await self.app(inner, receive, send)


def take_tokens(scope: Scope) -> list[str]:
    """Remove every token from the scope, in place, and return them."""
    pairs = parse_qsl(scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True)
    tokens = [value for name, value in pairs if name == "token"]
    if tokens:
        scope["query_string"] = urlencode([pair for pair in pairs if pair[0] != "token"]).encode()
    offered: Iterable[str] = scope.get("subprotocols", ())
    bearers = [name for name in offered if name.startswith(TOKEN_SUBPROTOCOL)]
    if bearers:
        scope["subprotocols"] = [name for name in offered if name not in bearers]
    return tokens + [name.removeprefix(TOKEN_SUBPROTOCOL) for name in bearers]


def get_origin(scope: Scope) -> str | None:
    """Return what the connection says of where it comes from, None when it says nothing. Two answers are "null"."""
    origins = [value.decode("latin-1") for name, value in scope["headers"] if name == b"origin"]
    return ("null" if len(origins) > 1 else origins[0]) if origins else None


def get_allowed_origins(scope: Scope) -> set[Origin]:
    """Return the origins from which a connection may come: those in the settings, else the site's own."""
    listed = settings.WS_ALLOWED_ORIGINS or ([settings.SITE_URL] if settings.SITE_URL else [])
    if not listed:
        hosts = [value.decode("latin-1") for name, value in scope["headers"] if name == b"host"]
        listed = [f"{scheme}://{hosts[0]}" for scheme in ("http", "https")] if len(hosts) == 1 else []
    return {origin for site in listed if (origin := _normal(site)) is not None}


def origin_allowed(scope: Scope) -> bool:
    """Return whether the connection may come from where its Origin header says it comes from."""
    origin = get_origin(scope)
    if origin is None:
        return any(name.startswith(TOKEN_SUBPROTOCOL) for name in scope.get("subprotocols", ()))
    return _normal(origin) in get_allowed_origins(scope)


def _normal(origin: str) -> Origin | None:
    """Return an origin in the form in which they are compared, or None when it is not one."""
    try:
        parts = urlsplit(origin)
        port = parts.port
    except ValueError:
        return None
    default = {"http": 80, "https": 443}.get(parts.scheme)
    bare = not (parts.path or parts.query or parts.fragment or parts.username is not None or "@" in parts.netloc)
    if default is None or not parts.hostname or not bare:
        return None
    return parts.scheme, parts.hostname, default if port is None else port
