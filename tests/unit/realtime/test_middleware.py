"""Before a room opens, without a server: addresses, origins, tokens, and what whoever is refused is told."""

import msgspec
import pytest
from django.contrib.auth.models import AnonymousUser

from apps.accounts.tokens import issue_room_token
from apps.errors import ErrorCode
from apps.tournaments.realtime import middleware
from apps.tournaments.realtime.hub import hub
from apps.tournaments.realtime.middleware import (
    JWTAuthMiddleware,
    OriginMiddleware,
    RoomMiddleware,
    ScrubMiddleware,
    farewell,
    refuse,
    take_tokens,
)
from apps.tournaments.realtime.protocol import CloseCode
from apps.tournaments.realtime.rooms import RoomName
from tests.unit.realtime.asgi import Application, Wire, scope

OFFER = ["deltacrown.v1", "bearer.abc"]


def closing(code: int, error: str, subprotocol: str | None = None) -> list[dict]:
    """What is sent to whoever is refused, but for the sentence."""
    return [
        {"type": "websocket.accept", "subprotocol": subprotocol},
        {"type": "error", "code": error, "close_code": code},
        {"type": "websocket.close", "code": code},
    ]


def sent(wire: Wire) -> list[dict]:
    """What was sent, with the frames read, and without their sentences."""
    messages = []
    for message in wire.sent:
        if message["type"] == "websocket.send":
            frame = msgspec.json.decode(message["text"])
            assert frame.pop("message").endswith(".")
            messages.append(frame)
        else:
            messages.append(message)
    return messages


async def through(layer, wire: Wire | None = None, **fields) -> tuple[Application, Wire, dict]:
    app, wire, given = Application(), wire or Wire(), scope(**fields)
    await layer(app)(given, wire.receive, wire.send)
    return app, wire, given


class TestFarewells:
    @pytest.mark.parametrize(
        ("code", "error"),
        [
            (4000, "bad_request"),
            (4001, "authentication_required"),
            (4002, "token_expired"),
            (4003, "forbidden"),
            (4004, "bad_request"),
            (4008, "rate_limited"),
            (4009, "payload_too_large"),
            (4010, "room_full"),
            (4013, "rate_limited"),
            (4404, "not_found"),
            (4500, "internal_error"),
        ],
    )
    def test_every_close_is_explained(self, code, error):
        frame = msgspec.json.decode(farewell(CloseCode(code)))
        assert frame.pop("message").endswith(".")
        assert frame == {"type": "error", "code": error, "close_code": code}

    def test_it_may_say_more_than_the_code(self):
        text = farewell(CloseCode.RATE_LIMITED, error=ErrorCode.CONNECTION_LIMIT_EXCEEDED, retry_after_ms=7)
        frame = msgspec.json.decode(text)
        assert (frame["code"], frame["close_code"], frame["retry_after_ms"]) == ("connection_limit_exceeded", 4008, 7)

    @pytest.mark.parametrize(
        ("offered", "accepted"), [(OFFER, "deltacrown.v1"), (["other"], None), ([], None), (None, None)]
    )
    async def test_a_refusal_is_an_answer_that_a_browser_can_read(self, offered, accepted):
        wire, given = Wire(), scope(subprotocols=offered)
        if offered is None:
            del given["subprotocols"]
        await refuse(given, wire.receive, wire.send, CloseCode.FORBIDDEN)
        assert sent(wire) == closing(4003, "forbidden", accepted)
        assert wire.coming == []


class TestAddresses:
    async def test_a_room_is_known_to_all_behind(self):
        app, wire, given = await through(RoomMiddleware, path="/ws/match/5/", room=None)
        assert app.scope["room"] == given["record"].room == RoomName("match", 5)
        assert app.scope["path"] == "/ws/match/5/"
        assert wire.sent == [{"type": "websocket.accept"}]

    async def test_an_id_in_another_spelling_is_refused(self):
        app, wire, given = await through(RoomMiddleware, path="/ws/match/05/")
        assert sent(wire) == closing(4000, "bad_request")
        assert app.scope is given["record"].room is None

    @pytest.mark.parametrize(
        ("extensions", "answer"),
        [
            (
                {"websocket.http.response": {}},
                [
                    {"type": "websocket.http.response.start", "status": 404, "headers": []},
                    {"type": "websocket.http.response.body", "body": b""},
                ],
            ),
            ({}, [{"type": "websocket.close"}]),
            (None, [{"type": "websocket.close"}]),
        ],
    )
    async def test_an_address_without_a_room_is_refused_in_http(self, extensions, answer):
        app, wire, given = Application(), Wire(), scope(path="/ws/nothing/", extensions=extensions)
        if extensions is None:
            del given["extensions"]
        await RoomMiddleware(app)(given, wire.receive, wire.send)
        assert wire.sent == answer
        assert wire.coming == []
        assert app.scope is None


def from_origin(*origins: str, host: str = "", **fields) -> dict:
    headers = [(b"origin", origin.encode()) for origin in origins] + ([(b"host", host.encode())] if host else [])
    return {"headers": [(b"x-other", b"https://x.example"), *headers], **fields}


class TestOrigins:
    async def admits(self, **fields) -> bool:
        app, wire, given = await through(OriginMiddleware, **fields)
        assert app.scope is given or sent(wire)[1:] == closing(4003, "forbidden")[1:]
        return app.scope is given

    @pytest.mark.parametrize(
        ("listed", "origin"),
        [
            ("https://a.example", "https://a.example"),
            ("https://a.example", "https://A.EXAMPLE"),
            ("https://a.example", "https://a.example:443"),
            ("https://a.example:443", "https://a.example"),
            ("http://a.example", "http://a.example:80"),
            ("https://a.example:8443", "https://a.example:8443"),
            ("http://[::1]:8000", "http://[::1]:8000"),
        ],
    )
    async def test_one_that_is_listed_is_let_in(self, settings, listed, origin):
        settings.WS_ALLOWED_ORIGINS = ["https://other.example", listed]
        assert await self.admits(**from_origin(origin))

    @pytest.mark.parametrize(
        "origin",
        [
            "http://a.example",
            "https://a.example:80",
            "https://a.example:0",
            "https://b.example",
            "https://a.example/",
            "https://a.example/path",
            "https://a.example?q",
            "https://a.example?q=1",
            "https://a.example#f",
            "https://user@a.example",
            "https://:secret@a.example",
            "https://@a.example",
            "wss://a.example",
            "ftp://a.example",
            "https://",
            "https://:443",
            "//a.example",
            "a.example",
            "null",
            "",
            "http://[",
            "https://a.example:99999",
        ],
    )
    async def test_one_that_differs_in_anything_is_not(self, settings, origin):
        settings.WS_ALLOWED_ORIGINS = ["https://a.example"]
        assert not await self.admits(**from_origin(origin))

    async def test_what_is_no_origin_in_the_settings_lets_nobody_in(self, settings):
        settings.WS_ALLOWED_ORIGINS = ["null", "*", "https://", "ftp://a.example", "http://[", "https://b.example/x"]
        for origin in settings.WS_ALLOWED_ORIGINS:
            assert not await self.admits(**from_origin(origin))
        assert not await self.admits(**from_origin("https://b.example"))

    async def test_two_say_nothing(self, settings):
        settings.WS_ALLOWED_ORIGINS = ["https://a.example"]
        assert not await self.admits(**from_origin("https://a.example", "https://a.example"))
        assert middleware.get_origin(scope(**from_origin("https://a.example", "https://a.example"))) == "null"

    async def test_the_list_goes_before_the_site_and_the_site_before_the_host(self, settings):
        everywhere = {"host": "host.example"}
        settings.WS_ALLOWED_ORIGINS, settings.SITE_URL = ["https://listed.example"], "https://site.example"
        assert [await self.admits(**from_origin(f"https://{name}.example", **everywhere)) for name in NAMES] == FIRST
        settings.WS_ALLOWED_ORIGINS = []
        assert [await self.admits(**from_origin(f"https://{name}.example", **everywhere)) for name in NAMES] == SECOND
        settings.SITE_URL = ""
        assert [await self.admits(**from_origin(f"https://{name}.example", **everywhere)) for name in NAMES] == THIRD

    async def test_a_site_without_an_address_takes_that_of_the_request(self, settings):
        settings.WS_ALLOWED_ORIGINS, settings.SITE_URL = [], ""
        for scheme in ("http", "https"):
            assert await self.admits(**from_origin(f"{scheme}://a.example:8000", host="a.example:8000"))
        assert not await self.admits(**from_origin("http://a.example", host="a.example:8000"))
        assert not await self.admits(**from_origin("http://a.example"))

    async def test_two_hosts_are_none(self, settings):
        settings.WS_ALLOWED_ORIGINS, settings.SITE_URL = [], ""
        headers = [(b"origin", b"http://a.example"), (b"host", b"a.example"), (b"host", b"a.example")]
        assert not await self.admits(headers=headers)

    async def test_headers_of_any_bytes_are_read(self, settings):
        settings.WS_ALLOWED_ORIGINS, settings.SITE_URL = [], ""
        assert not await self.admits(headers=[(b"origin", b"http://\xff"), (b"host", b"\xfe")])

    async def test_a_program_shows_its_token_in_the_offer(self):
        assert await self.admits(subprotocols=OFFER)
        assert not await self.admits(subprotocols=["deltacrown.v1"])
        assert not await self.admits(query_string=b"token=abc")
        without = scope()
        del without["subprotocols"]
        assert not middleware.origin_allowed(without)


NAMES = ("listed", "site", "host")
FIRST, SECOND, THIRD = ([name == wanted for name in NAMES] for wanted in NAMES)


class TestTokens:
    @pytest.mark.parametrize(
        ("query", "offered", "tokens", "query_left", "offer_left"),
        [
            (b"", [], [], b"", []),
            (b"since=e%3A1", ["deltacrown.v1"], [], b"since=e%3A1", ["deltacrown.v1"]),
            (b"token=a", [], ["a"], b"", []),
            (b"since=e:1&token=a&x=", [], ["a"], b"since=e%3A1&x=", []),
            (b"token=a&token=b", [], ["a", "b"], b"", []),
            (b"token=", [], [""], b"", []),
            (b"TOKEN=a&tokens=b", [], [], b"TOKEN=a&tokens=b", []),
            (b"%74oken=a%2Bb", [], ["a+b"], b"", []),
            (b"token=\xff", [], ["\xff"], b"", []),
            (b"", OFFER, ["abc"], b"", ["deltacrown.v1"]),
            (b"token=a", [*OFFER, "bearer.bearer.x"], ["a", "abc", "bearer.x"], b"", ["deltacrown.v1"]),
            (b"", ["xbearer.a", "Bearer.b"], [], b"", ["xbearer.a", "Bearer.b"]),
        ],
    )
    def test_they_are_taken_out_and_the_rest_stays(self, query, offered, tokens, query_left, offer_left):
        given = scope(query_string=query, subprotocols=offered)
        assert take_tokens(given) == tokens
        assert (given["query_string"], given["subprotocols"]) == (query_left, offer_left)

    def test_a_scope_with_neither_has_none_and_stays_as_it_is(self):
        given = {"type": "websocket"}
        assert take_tokens(given) == []
        assert given == {"type": "websocket"}

    async def test_what_logs_the_scope_sees_none_and_what_is_behind_does(self):
        app, wire, given = await through(ScrubMiddleware, query_string=b"token=a&x=1", subprotocols=OFFER)
        assert (given["query_string"], given["subprotocols"]) == (b"x=1", ["deltacrown.v1"])
        assert (app.scope["query_string"], app.scope["subprotocols"]) == (b"token=a&x=1", OFFER)
        assert wire.sent == [{"type": "websocket.accept"}]


def token(room: str = "tournament:7") -> str:
    return issue_room_token(room, None)[0]


class TestIdentity:
    @pytest.mark.parametrize("place", ["query", "offer"])
    async def test_a_guests_token_says_who_is_there(self, place):
        text = token()
        fields = (
            {"query_string": f"token={text}".encode()} if place == "query" else {"subprotocols": [f"bearer.{text}"]}
        )
        app, wire, given = await through(JWTAuthMiddleware, **fields, identity=None)
        identity = app.scope["identity"]
        assert identity.id.startswith("guest:")
        assert given["record"].user == identity.id
        assert isinstance(app.scope["user"], AnonymousUser)
        assert app.scope["changes"] == hub.changes
        assert await app.scope["read_token"]() == identity
        assert (given["query_string"], given["subprotocols"]) == (b"", [])
        assert (app.scope["path"], app.scope["record"]) == (given["path"], given["record"])
        assert wire.sent == [{"type": "websocket.accept"}]

    async def test_none_two_and_one_that_does_not_fit(self, settings):
        good, other = token(), token("match:7")
        settings.WS_TOKEN_SECONDS = -60
        refusals = {
            "": (4001, "authentication_required"),
            f"token={good}&token={good}": (4000, "bad_request"),
            f"token={other}": (4003, "forbidden"),
            "token=": (4003, "forbidden"),
            f"token={token()}": (4002, "token_expired"),
        }
        for query, answer in refusals.items():
            app, wire, given = await through(
                JWTAuthMiddleware, query_string=query.encode(), subprotocols=["deltacrown.v1"]
            )
            assert sent(wire) == closing(*answer, "deltacrown.v1")
            assert app.scope is None
            assert given["record"].user == ""
