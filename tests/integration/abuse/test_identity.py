"""Tokens that are missing, forged, borrowed, used up, too long, or in the wrong place."""

import asyncio
import base64
import hmac
import json
import logging
import socket
import time
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import Request, urlopen

import jwt
import pytest
from allauth.headless.tokens.strategies.jwt.internal import create_refresh_token
from asgiref.sync import sync_to_async
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import settings as django_settings
from django.contrib.sessions.backends.db import SessionStore
from prometheus_client import generate_latest

from apps.accounts.tokens import _room_key, issue_room_token
from tests import factories
from tests.integration.realtime.door import path, with_token
from tests.integration.server.wire import Wire, upgrade
from tests.rooms import refusal, refused, token_for
from tests.server import client, wait_for

pytestmark = pytest.mark.django_db(transaction=True)

NOT_ALLOWED = (
    '{"type":"error","code":"forbidden","message":"This connection is not allowed. Get a token for this room; '
    'a program offers it as subprotocol bearer.<token>.","close_code":4003}'
)


def claims_of(cup, **changed) -> dict:
    """Return the claims of a good guest's token; one that is changed to None is left out."""
    claims = jwt.decode(token_for(cup.stream), options={"verify_signature": False}) | changed
    return {name: value for name, value in claims.items() if value is not None}


def signed(claims: dict, key: bytes | str | None = None, **header) -> str:
    """Return a token with our own signature, unless `key` is another one."""
    return jwt.encode(claims, key or _room_key(django_settings.SECRET_KEY), algorithm="HS256", headers=header)


def forged(claims: dict, key: bytes, digest: str = "sha256", **header) -> str:
    """Return a token that a library would refuse to make; one without a key is not signed."""
    parts = [json.dumps({"typ": "JWT", "alg": "HS256"} | header), json.dumps(claims)]
    body = b".".join(base64.urlsafe_b64encode(part.encode()).rstrip(b"=") for part in parts)
    signature = hmac.digest(key, body, digest) if digest else b""
    return (body + b"." + base64.urlsafe_b64encode(signature).rstrip(b"=")).decode()


async def assert_not_ours(address, cup, tokens) -> None:
    """See that each token is refused, and that nothing tells why."""
    for name, token in tokens.items():
        assert await refusal(address, with_token(cup, token)) == (4003, NOT_ALLOWED), name


async def test_abuse_01_no_token_4001_and_nothing_else(address, cup):
    for options in ({}, {"subprotocols": ["deltacrown.v1"]}):
        assert await refused(address, f"/ws/tournament/{cup.pk}/", **options) == (4001, "authentication_required")


async def test_abuse_02_an_unsigned_token_4003(address, cup):
    names = ("none", "None", "NONE", "nOnE", "")
    await assert_not_ours(address, cup, {alg: forged(claims_of(cup), b"", "", alg=alg) for alg in names})


async def test_abuse_03_another_algorithm_or_a_public_key_as_secret_4003(address, cup):
    own = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public = own.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    ours, claims = _room_key(django_settings.SECRET_KEY), claims_of(cup)
    await assert_not_ours(
        address,
        cup,
        {
            "public key as secret": forged(claims, public),
            "RS256 with a key of their own": jwt.encode(claims, own, algorithm="RS256"),
            "our key, HS512": forged(claims, ours, "sha512", alg="HS512"),
            "our key, HS512 under the name HS256": forged(claims, ours, "sha512"),
            "an empty key": forged(claims, b""),
            "the name of the key": forged(claims, b"deltacrown.room-token"),
        },
    )


async def test_abuse_04_kid_jku_and_embedded_keys_are_never_looked_up(address, cup, tmp_path):
    file = tmp_path / "key"
    file.write_bytes(b"theirs")
    embedded = {"kty": "oct", "k": base64.urlsafe_b64encode(b"theirs").decode()}
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/keys"
        claims = claims_of(cup)
        await assert_not_ours(
            address,
            cup,
            {
                "an empty file": forged(claims, b"", kid="../../../../../../dev/null"),
                "a file": forged(claims, b"theirs", kid=str(file)),
                "SQL": forged(claims, b"theirs", kid="x' UNION SELECT 'theirs' --"),
                "jku": forged(claims, b"theirs", jku=url, kid="1"),
                "x5u": forged(claims, b"theirs", x5u=url),
                "jwk": forged(claims, b"theirs", jwk=embedded),
            },
        )
        with pytest.raises(BlockingIOError):
            listener.accept()


async def test_abuse_05_a_critical_header_that_nobody_knows_4003(address, cup):
    tokens = {name: signed(claims_of(cup), crit=[name], **{name: 1}) for name in ("x", "b64x")}
    await assert_not_ours(address, cup, tokens)


async def test_abuse_06_a_token_for_something_else_4003(address, cup, holder):
    def refresh_token() -> str:
        session = SessionStore(holder.session_key)
        token = create_refresh_token(holder.user, session)
        session.save()
        return token

    room_token = issue_room_token(cup.stream, holder)[0]
    member = jwt.decode(room_token, options={"verify_signature": False})
    await assert_not_ours(
        address,
        cup,
        {
            "another audience": signed(claims_of(cup, aud="deltacrown:other")),
            "no audience": signed(claims_of(cup, aud=None)),
            "another tournament": token_for(f"tournament:{cup.pk + 1}"),
            "a match": token_for(f"match:{cup.pk}"),
            "no room": signed(claims_of(cup, room=None)),
            "no end": signed(claims_of(cup, exp=None)),
            "no beginning": signed(claims_of(cup, iat=None)),
            "nobody": signed(claims_of(cup, sub=None)),
            "no name of its own": signed(claims_of(cup, jti=None)),
            "somebody else": signed(member | {"sub": str(holder.user.pk + 1)}),
            "a refresh token": await sync_to_async(refresh_token)(),
            "signed with the site's other key": signed(claims_of(cup), django_settings.SECRET_KEY),
            "that key, an access token without a session": signed(
                claims_of(cup, aud=None, room=None, token_use="access"), django_settings.SECRET_KEY
            ),
        },
    )
    request = Request(f"http://{address}/api/v1/me", headers={"Authorization": f"Bearer {room_token}"})
    with pytest.raises(HTTPError, match="401"):
        await asyncio.to_thread(urlopen, request)


async def test_abuse_07_tokens_out_of_their_time(address, cup, settings):
    assert settings.JWT_LEEWAY_SECONDS == 30
    now = int(time.time())
    within = claims_of(cup, exp=now - 10)
    async with client(address, with_token(cup, signed(within))) as socket_:
        assert (await socket_.receive())["type"] == "connection_established"
    ended = claims_of(cup, exp=now - 31)
    assert await refused(address, with_token(cup, signed(ended))) == (4002, "token_expired")
    later = {"nbf": now + 3600, "iat": now + 3600}
    await assert_not_ours(address, cup, {name: signed(claims_of(cup, **{name: at})) for name, at in later.items()})


async def test_abuse_08_a_room_token_is_good_for_one_connection(address, cup):
    """Fifty at once, then once more: one is let in. What stands in an address may have been read by others."""
    room = path(cup)

    async def first_frame() -> dict:
        async with client(address, room) as socket_:
            return await socket_.receive()

    frames = await asyncio.gather(*(first_frame() for _ in range(50)))
    assert sorted(frame["type"] for frame in frames) == ["connection_established"] + ["error"] * 49
    assert {(f["code"], f["close_code"]) for f in frames if f["type"] == "error"} == {("forbidden", 4003)}
    assert await refused(address, room) == (4003, "forbidden")


async def test_abuse_09_a_huge_or_broken_token_is_refused_unparsed_and_writes_no_line(
    address, cup, monkeypatch, caplog
):
    good, parsed, decode = token_for(cup.stream), [], jwt.decode
    monkeypatch.setattr(
        jwt, "decode", lambda token, *args, **options: parsed.append(token) or decode(token, *args, **options)
    )
    caplog.set_level(logging.INFO)
    await assert_not_ours(address, cup, {"4,097 bytes": good.ljust(4097, "A"), "not ASCII": good + "%C3%A9"})
    assert parsed == []

    broken = ["\0", "\n", "\r\n2026-01-01 admin signed in", "\x1b[2J"]
    await assert_not_ours(address, cup, {repr(text): good + quote(text) for text in broken})
    wait_for(lambda: caplog.text.count("connection_closed") == 6)
    assert "admin signed in" not in caplog.text
    assert "\x1b" not in caplog.text

    for request, status in {
        upgrade(with_token(cup, "A" * 64 * 1024)): 431,
        upgrade(f"/ws/tournament/{cup.pk}/", "Sec-WebSocket-Protocol: deltacrown.v1, bearer.a\0b\r\n"): 400,
        upgrade(f"/ws/tournament/{cup.pk}/", "Sec-WebSocket-Protocol: deltacrown.v1, bearer.a\nX: y\r\n"): 400,
    }.items():
        with Wire(address) as wire:
            wire.send(request)
            assert wire.head().startswith(b"HTTP/1.1 %d " % status)
    assert len(parsed) == 2 * len(broken)  # once with each key


async def test_abuse_10_two_tokens_4000(address, cup):
    token = token_for(cup.stream)
    twice = f"{with_token(cup, token)}&token={token}"
    assert await refused(address, twice) == (4000, "bad_request")
    offers = ["deltacrown.v1", f"bearer.{token}"]
    assert await refused(address, with_token(cup, token), subprotocols=offers) == (4000, "bad_request")
    offers.append("bearer.other")
    assert await refused(address, f"/ws/tournament/{cup.pk}/", subprotocols=offers) == (4000, "bad_request")


async def test_abuse_11_a_token_appears_in_no_log_page_or_figure(address, cup, caplog, capfd):
    canaries = [token_for(cup.stream) for _ in range(3)]
    caplog.set_level(logging.DEBUG)
    async with client(address, with_token(cup, canaries[0])) as socket_:
        await socket_.until("snapshot")
    await refused(address, with_token(cup, f"eyJcanary.canary.{canaries[0][-20:]}"))
    offer = ["deltacrown.v1", f"bearer.{canaries[1]}"]
    async with client(address, f"/ws/tournament/{cup.pk}/", subprotocols=offer) as socket_:
        await socket_.until("snapshot")
    for page in (with_token(cup, canaries[2]), f"/api/v1/nothing?token={canaries[2]}"):
        with pytest.raises(HTTPError) as missing:
            await asyncio.to_thread(urlopen, f"http://{address}{page}")
        assert canaries[2] not in missing.value.read().decode()

    def of_the_server():
        return [r.getMessage() for r in caplog.records if not r.name.startswith("websockets.client")]

    wait_for(lambda: sum("connection_closed" in line for line in of_the_server()) == 3)
    server, written = of_the_server(), capfd.readouterr()
    for text in ("\n".join(server), written.out, written.err, generate_latest().decode()):
        for canary in canaries:
            assert canary not in text
            assert canary[-20:] not in text


async def test_abuse_65_nobody_learns_from_a_refusal_what_was_wrong(address, cup):
    def tokens() -> dict[str, str]:
        deleted, blocked, gone = (factories.signed_in(factories.make_user()) for _ in range(3))
        found = {
            name: issue_room_token(cup.stream, h)[0]
            for name, h in (("deleted", deleted), ("blocked", blocked), ("signed out", gone))
        }
        deleted.user.delete()
        type(blocked.user).objects.filter(pk=blocked.user.pk).update(is_active=False)
        SessionStore(gone.session_key).delete()
        return found

    used = token_for(cup.stream)
    async with client(address, with_token(cup, used)) as socket_:
        await socket_.until("snapshot")
    good = token_for(cup.stream)
    changed = good[:-1] + ("A" if good[-1] != "A" else "Q")
    others = {"used": used, "changed": changed, "nonsense": "nonsense", "empty": "", "no dots": "eyJ"}
    await assert_not_ours(address, cup, await sync_to_async(tokens)() | others)
