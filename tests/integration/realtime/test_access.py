"""An open connection does not outlive the right to it: tokens end, people sign out, are blocked, leave the staff."""

import asyncio
import time

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import AnonymousUser
from django.test import Client as Browser

from apps.accounts.tokens import issue_room_token
from apps.tournaments.management import demo
from apps.tournaments.models import Match, Role, Tournament
from apps.tournaments.realtime.hub import hub
from apps.tournaments.realtime.middleware import JWTAuthMiddleware
from apps.tournaments.realtime.rooms import Opened, Room, RoomName
from apps.tournaments.services import Actor, tournaments
from tests import factories
from tests.rooms import open_room
from tests.server import ServerProcess, client, wait_for
from tests.unit.realtime.asgi import Application, Wire, scope

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def cup(transactional_db: None) -> Tournament:
    return factories.drawn(2)


@pytest.fixture
def holder(transactional_db: None):
    return factories.signed_in(factories.make_user(password=factories.PASSWORD))


def path(room: Tournament | Match, holder=None) -> str:
    name = room.subject if isinstance(room, Match) else room.stream
    return f"/ws/{name.replace(':', '/')}/?token={issue_room_token(name, holder)[0]}"


class TestExpiry:
    @pytest.fixture(autouse=True)
    def short_tokens(self, settings):
        settings.JWT_LEEWAY_SECONDS = 0
        settings.WS_TOKEN_SECONDS = 2

    async def test_abuse_15_a_token_that_ends_gives_a_warning_then_4002(self, address, cup, holder):
        async with client(address, path(cup, holder)) as socket:
            await open_room(socket)
            assert 0 < (await socket.until("token_expiring"))["in_ms"] <= 2000
            assert (await socket.until("error"))["code"] == "token_expired"
            assert await socket.closed() == 4002

    async def test_a_new_token_in_time_keeps_the_connection(self, address, cup, holder, settings):
        async with client(address, path(cup, holder)) as socket:
            await open_room(socket)
            await socket.until("token_expiring")
            settings.WS_TOKEN_SECONDS = 300
            await socket.send("authenticate", "a", token=issue_room_token(cup.stream, holder)[0])
            ack = await socket.until("ack")
            assert 290_000 < ack["data"]["expires_in_ms"] <= 300_000
            assert "seq" not in ack

    async def test_a_new_token_without_an_id_is_taken_without_a_word(self, address, cup, holder, settings):
        async with client(address, path(cup, holder)) as socket:
            await open_room(socket)
            await socket.until("token_expiring")
            settings.WS_TOKEN_SECONDS = 300
            await socket.send("authenticate", token=issue_room_token(cup.stream, holder)[0])
            await socket.send("ping", "next")
            assert (await socket.receive())["id"] == "next"
            (connection,) = hub.connections
            assert connection.expires_at - time.monotonic() > 290

    async def test_a_guest_may_renew_with_any_guests_token(self, address, cup, settings):
        async with client(address, path(cup)) as socket:
            await open_room(socket)
            settings.WS_TOKEN_SECONDS = 300
            await socket.send("authenticate", "a", token=issue_room_token(cup.stream, None)[0])
            assert (await socket.until("ack"))["id"] == "a"

    async def test_abuse_16_a_token_of_somebody_else_ends_the_connection(self, address, cup, holder):
        other = await sync_to_async(lambda: factories.signed_in(factories.make_user()))()
        for stranger in (other, None):
            async with client(address, path(cup, holder)) as socket:
                await open_room(socket)
                await socket.send("authenticate", "a", token=issue_room_token(cup.stream, stranger)[0])
                assert await socket.closed() == 4003

    async def test_a_token_for_another_room_or_an_old_one_renews_nothing(self, address, cup, holder, settings):
        tokens = {4003: issue_room_token("tournament:99999", holder)[0]}
        settings.WS_TOKEN_SECONDS = -1
        tokens[4002] = issue_room_token(cup.stream, holder)[0]
        settings.WS_TOKEN_SECONDS = 2
        for code, token in tokens.items():
            async with client(address, path(cup, holder)) as socket:
                await open_room(socket)
                await socket.send("authenticate", "a", token=token)
                assert await socket.closed() == code


async def test_abuse_14_signing_out_closes_the_connections_of_that_session_alone(address, cup, holder):
    elsewhere = await sync_to_async(factories.signed_in)(holder.user)
    async with client(address, path(cup, holder)) as here, client(address, path(cup, elsewhere)) as there:
        await open_room(here)
        await open_room(there)
        await sync_to_async(sign_out)(holder)
        assert await here.closed() == 4001
        await there.send("ping", "still-open")
        assert (await there.until("pong"))["id"] == "still-open"
    async with client(address, path(cup, holder)) as again:
        assert await again.closed() == 4003


def sign_out(holder) -> None:
    browser = Browser()
    browser.cookies["sessionid"] = holder.session_key
    assert browser.post("/accounts/logout/").status_code == 302


async def test_abuse_13_a_blocked_user_is_out_everywhere(address, cup, holder):
    elsewhere = await sync_to_async(factories.signed_in)(holder.user)
    async with client(address, path(cup, holder)) as here, client(address, path(cup, elsewhere)) as there:
        await open_room(here)
        await open_room(there)
        holder.user.is_active = False
        await holder.user.asave()
        assert await here.closed() == 4001
        assert await there.closed() == 4001


async def test_a_deleted_user_is_out(address, cup, holder):
    async with client(address, path(cup, holder)) as socket:
        await open_room(socket)
        await holder.user.adelete()
        assert await socket.closed() == 4001


async def test_a_new_password_ends_what_the_old_one_opened(address, cup, holder):
    async with client(address, path(cup, holder)) as socket:
        await open_room(socket)
        await sync_to_async(change_password)(holder)
        assert await socket.closed() == 4001
    async with client(address, path(cup, holder)) as again:
        assert await again.closed() == 4003


def change_password(holder) -> None:
    browser = Browser()
    assert browser.login(username=holder.user.username, password=factories.PASSWORD)
    form = {
        "oldpassword": factories.PASSWORD,
        "password1": "another long passphrase",
        "password2": "another long passphrase",
    }
    assert browser.post("/accounts/password/change/", form).status_code == 302


async def test_joining_and_leaving_the_staff_shows_other_things_at_once(address, cup, holder):
    organizer = Actor(cup.created_by)
    async with client(address, path(cup, holder)) as socket:
        welcome, snapshot = await open_room(socket)
        assert (welcome["role"], snapshot["data"]["staff"]) == ("spectator", {})
        await sync_to_async(tournaments.add_member)(organizer, cup.pk, username=holder.user.username, role=2)
        assert (await socket.until("connection_established"))["data"]["role"] == "referee"
        assert str(holder.user.pk) in (await socket.until("snapshot"))["data"]["staff"]
        await sync_to_async(tournaments.remove_member)(organizer, cup.pk, holder.user.pk)
        assert (await socket.until("connection_established"))["data"]["role"] == "spectator"
        assert (await socket.until("snapshot"))["data"]["staff"] == {}
        done = await sync_to_async(tournaments.edit)(organizer, cup.pk, name="Other")
        socket.mine = done.seq - 1
        assert (await socket.next_event())["data"]["tournament"]["name"] == "Other"


async def test_who_sees_the_same_as_before_is_not_shown_it_again(address, cup, holder):
    """A site admin who joins the staff of a tournament stays an admin."""
    holder.user.is_superuser = True
    await holder.user.asave()
    async with client(address, path(cup, holder)) as socket:
        welcome, _ = await open_room(socket)
        assert welcome["role"] == "admin"
        done = await sync_to_async(tournaments.add_member)(
            Actor(cup.created_by), cup.pk, username=holder.user.username, role=2
        )
        assert [event["type"] for event in await socket.events_until(done.seq)] == ["member_added"]
        await socket.send("ping", "next")
        assert (await socket.receive())["id"] == "next"


async def test_who_becomes_an_administrator_and_is_none_any_more_is_shown_so_at_once(address, cup, holder):
    async with client(address, path(cup, holder)) as socket:
        welcome, _ = await open_room(socket)
        assert welcome["role"] == "spectator"
        for is_superuser, role in ((True, "admin"), (False, "spectator")):
            holder.user.is_superuser = is_superuser
            await holder.user.asave()
            assert (await socket.until("connection_established"))["data"]["role"] == role
            assert bool((await socket.until("snapshot"))["data"]["staff"]) == is_superuser


async def test_who_leaves_the_staff_of_a_draft_sees_nothing_any_more(address, holder):
    draft = await sync_to_async(lambda: factories.fresh(factories.make_tournament()))()
    organizer = Actor(draft.created_by)
    await sync_to_async(tournaments.add_member)(organizer, draft.pk, username=holder.user.username, role=2)
    async with client(address, path(draft, holder)) as socket:
        await open_room(socket)
        await sync_to_async(tournaments.remove_member)(organizer, draft.pk, holder.user.pk)
        assert await socket.closed() == 4404


async def test_abuse_14_signing_out_in_one_process_closes_connections_in_another(cup, holder):
    with ServerProcess(REDIS_URL="") as other:
        async with client(other.address, path(cup, holder)) as socket:
            await open_room(socket)
            await sync_to_async(sign_out)(holder)
            assert await socket.closed() == 4001


async def test_a_draft_that_its_staff_has_open_stays_closed_to_everybody_else(address, holder):
    draft = await sync_to_async(lambda: factories.fresh(factories.make_tournament()))()
    organizer = await sync_to_async(factories.signed_in)(draft.created_by)
    async with client(address, path(draft, organizer)) as socket:
        welcome, _ = await open_room(socket)
        assert welcome["role"] == "organizer"
        for stranger in (holder, None):
            async with client(address, path(draft, stranger)) as refused:
                assert await refused.closed() == 4404


async def test_everybody_who_comes_into_an_open_room_is_who_they_are(address, cup, holder):
    people = {"organizer": await sync_to_async(factories.signed_in)(cup.created_by), "spectator": holder}
    player = await sync_to_async(lambda: factories.match_number(cup, 1).home.user)()
    people["player"] = await sync_to_async(factories.signed_in)(player)
    referee = await sync_to_async(factories.make_user)()
    await sync_to_async(tournaments.add_member)(Actor(cup.created_by), cup.pk, username=referee.username, role=2)
    people["referee"] = await sync_to_async(factories.signed_in)(referee)
    admin = await sync_to_async(lambda: factories.make_user(is_superuser=True))()
    people["admin"] = await sync_to_async(factories.signed_in)(admin)
    for first in (None, people["organizer"]):
        async with client(address, path(cup, first)) as opener:
            await open_room(opener)
            for role, person in people.items():
                async with client(address, path(cup, person)) as socket:
                    welcome, snapshot = await open_room(socket)
                    assert welcome["role"] == role
                    assert bool(snapshot["data"]["staff"]) == (role in ("referee", "organizer", "admin"))
            async with client(address, path(cup)) as guest:
                welcome, snapshot = await open_room(guest)
                assert (welcome["role"], snapshot["data"]["staff"]) == ("spectator", {})
        wait_for(lambda: not hub.connections)
        assert not hub.public


async def test_everybody_who_comes_into_an_open_room_of_a_match_is_who_they_are(address, cup):
    match = await sync_to_async(factories.match_number)(cup, 1)
    admin = await sync_to_async(lambda: factories.make_user(is_superuser=True))()
    people = {
        ("spectator", False): await sync_to_async(factories.make_user)(),
        ("player", True): match.home.user,
        ("organizer", False): cup.created_by,
        ("admin", False): admin,
    }
    await sync_to_async(cup.members.create)(user=match.away.user, role=Role.REFEREE)
    people["referee", True] = match.away.user
    holders = {who: await sync_to_async(factories.signed_in)(user) for who, user in people.items()}
    for first in (None, holders["player", True], holders["organizer", False]):
        async with client(address, path(match, first)) as opener:
            await open_room(opener)
            for (role, takes_part), person in (*holders.items(), (("spectator", False), None)):
                async with client(address, path(match, person)) as socket:
                    welcome, snapshot = await open_room(socket)
                    assert (welcome["role"], welcome["is_participant"]) == (role, takes_part)
                    assert (welcome["tournament_id"], welcome["match_id"]) == (cup.pk, match.pk)
                    assert set(snapshot["data"]["matches"]) == {str(match.pk)}
        wait_for(lambda: not hub.connections)


async def come_in(cup: Tournament, holder) -> Opened | None:
    """Show a token at the door of a tournament's room, and return what stands in the scope then."""
    app, wire = Application(), Wire()
    query = f"token={issue_room_token(cup.stream, holder)[0]}".encode()
    await JWTAuthMiddleware(app)(
        scope(room=RoomName("tournament", cup.pk), query_string=query, identity=None), wire.receive, wire.send
    )
    assert app.scope["user"] == (holder.user if holder else AnonymousUser())
    assert app.scope["identity"].user == (holder and holder.user)
    return app.scope["opened"]


async def test_what_a_member_sees_of_an_open_room_is_found_out_with_the_token(cup, holder, monkeypatch):
    assert await come_in(cup, holder) is None
    room = Room(cup.stream, "", "public")
    known = Opened(room, cup.pk, Role.SPECTATOR, is_public=True)
    monkeypatch.setitem(hub.public, RoomName("tournament", cup.pk), known)
    assert await come_in(cup, None) is None
    assert await come_in(cup, holder) == known
    organizer = await sync_to_async(factories.signed_in)(cup.created_by)
    staffed = await come_in(cup, organizer)
    assert (staffed.role, staffed.room) == (Role.ORGANIZER, room._replace(audience="staff"))


async def test_many_who_come_at_once_are_who_they_are(cup, monkeypatch):
    def make_people():
        people = [factories.signed_in(factories.make_user()) for _ in range(20)]
        for person in people[::3]:
            cup.members.create(user=person.user, role=Role.REFEREE)
        return people

    people = await sync_to_async(make_people)()
    known = Opened(Room(cup.stream, "", "public"), cup.pk, Role.SPECTATOR, is_public=True)
    monkeypatch.setitem(hub.public, RoomName("tournament", cup.pk), known)
    seen = await asyncio.gather(*(come_in(cup, person) for person in people))
    assert [opened.role for opened in seen] == [Role.SPECTATOR if n % 3 else Role.REFEREE for n in range(len(people))]


async def test_the_rooms_of_a_deleted_tournament_close(address, cup):
    here, later = path(cup), path(cup)
    async with client(address, here) as socket:
        await open_room(socket)
        await sync_to_async(demo.discard)(cup)
        assert await socket.closed() == 4404
    async with client(address, later) as again:
        assert await again.closed() == 4404
