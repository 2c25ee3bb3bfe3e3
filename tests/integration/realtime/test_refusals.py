"""Who is let in and who is not, and how a bug is told. What attackers try: tests/integration/abuse."""

import json

import pytest
from allauth.headless.tokens.strategies.jwt.internal import create_access_token
from asgiref.sync import sync_to_async
from django.contrib.sessions.backends.db import SessionStore
from websockets.exceptions import InvalidStatus

from apps.tournaments.models import Tournament
from tests import factories
from tests.rooms import refused, token_for
from tests.server import client, running_server

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def cup(transactional_db: None) -> Tournament:
    return factories.drawn(2)


async def test_a_token_in_the_subprotocol_opens_the_room_and_is_not_echoed(address, cup):
    token = token_for(f"tournament:{cup.pk}")
    path = f"/ws/tournament/{cup.pk}/"
    async with client(address, path, subprotocols=["deltacrown.v1", f"bearer.{token}"]) as socket:
        assert (await socket.receive())["type"] == "connection_established"
        assert socket.socket.subprotocol == "deltacrown.v1"


async def test_a_blocked_or_deleted_user_4003(address, cup):
    user = await sync_to_async(factories.make_user)()
    token = await sync_to_async(token_for)(f"tournament:{cup.pk}", user)
    user.is_active = False
    await user.asave()
    assert (await refused(address, f"/ws/tournament/{cup.pk}/?token={token}"))[0] == 4003
    await user.adelete()
    assert (await refused(address, f"/ws/tournament/{cup.pk}/?token={token}"))[0] == 4003


async def test_the_sites_own_origin_is_let_in_by_default(address, cup):
    path = f"/ws/tournament/{cup.pk}/?token={token_for(f'tournament:{cup.pk}')}"
    async with client(address, path, origin=f"http://{address}") as socket:
        assert (await socket.receive())["type"] == "connection_established"
    assert (await refused(address, path, additional_headers={"Origin": "http://127.0.0.1:1"}))[0] == 4003


async def test_an_access_token_is_good_as_long_as_it_lasts(address, cup):
    holder = await sync_to_async(lambda: factories.signed_in(factories.make_user()))()
    token = await sync_to_async(access_token)(holder)
    for _ in range(2):
        async with client(address, f"/ws/tournament/{cup.pk}/?token={token}") as socket:
            assert (await socket.receive())["data"]["username"] == holder.user.username


def access_token(holder) -> str:
    session = SessionStore(holder.session_key)
    return create_access_token(holder.user, session, {})


async def test_a_bug_in_an_action_is_answered_and_the_connection_lives(address, cup, monkeypatch, caplog):
    def broken(*_args):
        raise RuntimeError("secret detail")

    monkeypatch.setattr("apps.tournaments.realtime.consumers.perform", broken)
    match = await sync_to_async(factories.match_number)(cup, 1)
    path = f"/ws/match/{match.pk}/?token={await sync_to_async(token_for)(match.subject, cup.created_by)}"
    async with client(address, path) as socket:
        await socket.send("start_match", "a")
        error = await socket.until("error")
        assert (error["code"], error["id"]) == ("internal_error", "a")
        assert "secret" not in json.dumps(error)
        await socket.send("ping", "b")
        await socket.until("pong")
    assert "action_failed" in caplog.text


async def test_a_bug_in_the_connection_closes_4500(address, cup, monkeypatch, caplog):
    async def broken(*_args):
        raise RuntimeError("secret detail")

    monkeypatch.setattr("apps.tournaments.realtime.history.past", broken)
    code = await refused(address, f"/ws/tournament/{cup.pk}/?token={token_for(f'tournament:{cup.pk}')}")
    assert code == (4500, "internal_error")
    assert "consumer_failed" in caplog.text


@pytest.mark.usefixtures("address")  # loads the application, which sets logging up
async def test_a_refusal_in_http_is_no_error_of_ours(caplog):
    with running_server() as address, pytest.raises(InvalidStatus) as refusal:
        async with client(address, "/ws/nowhere/"):
            pass
    assert refusal.value.response.status_code == 404
    assert not [record for record in caplog.records if record.levelname == "ERROR"]
