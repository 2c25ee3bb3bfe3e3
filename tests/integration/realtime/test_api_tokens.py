"""A program in a room: what its token lets it see and do there, and its end when the token ends."""

import pytest
from asgiref.sync import sync_to_async

from apps.accounts import api_tokens
from apps.accounts.models import ApiToken, User
from apps.accounts.tokens import SignedIn, issue_room_token
from apps.tournaments.models import Match, Role
from apps.tournaments.services import Actor, tournaments
from tests import factories
from tests.rooms import open_room, token_for
from tests.server import client

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def match(transactional_db) -> Match:
    return factories.match_number(factories.drawn(2), 1)


@pytest.fixture
def referee(match) -> User:
    user = factories.make_user()
    by = Actor(match.tournament.created_by)
    tournaments.add_member(by, match.tournament_id, username=user.username, role=Role.REFEREE)
    return user


def program(user: User, *scopes: str, tournament: int | None = None) -> SignedIn:
    """Return a user as an API token of theirs lets in."""
    _, token = api_tokens.create(user, name="Bot", scopes=scopes, tournament=tournament)
    owner = api_tokens.owner_of(token)
    assert owner
    return SignedIn(owner, "")


def path(room: str, holder: SignedIn) -> str:
    return f"/ws/{room.replace(':', '/')}/?token={issue_room_token(room, holder)[0]}"


async def answer(socket, action: str, **data) -> dict:
    await socket.send(action, "a1", **data)
    while (frame := await socket.receive())["type"] not in ("ack", "error"):
        pass
    return frame


async def test_it_sees_and_does_what_its_scopes_say(address, match, referee):
    room = match.tournament.stream
    for scopes, role, members, result in (
        ((), "spectator", 0, "permission_denied"),
        (("play",), "player", 0, "permission_denied"),
        (("referee",), "referee", 2, None),
    ):
        holder = await sync_to_async(program)(referee, *scopes)
        async with client(address, path(room, holder)) as socket:
            welcome, snapshot = await open_room(socket)
            assert welcome["user_id"] == f"user:{referee.pk}"
            assert welcome["role"] == role
            assert len(snapshot["data"]["staff"]) == members
            frame = await answer(socket, "start_match", match_id=match.pk)
            assert frame.get("code") == result


async def test_one_for_another_tournament_only_watches(address, match, referee):
    other = await sync_to_async(factories.make_tournament)(referee)
    holder = await sync_to_async(program)(referee, "referee", "organise", tournament=other.pk)
    async with client(address, path(match.subject, holder)) as socket:
        welcome, _ = await open_room(socket)
        assert welcome["role"] == "spectator"
        frame = await answer(socket, "start_match")
        assert (frame["code"], "another" in frame["message"]) == ("permission_denied", True)


async def test_who_only_reads_is_not_the_player(address, match):
    for scopes, is_player in (((), False), (("play",), True)):
        holder = await sync_to_async(program)(match.home.user, *scopes)
        async with client(address, path(match.subject, holder)) as socket:
            welcome, _ = await open_room(socket)
            assert welcome["is_participant"] is is_player
            frame = await answer(socket, "report_score", home_score=1, away_score=0)
            assert (frame["type"] == "ack") is is_player


async def test_revoking_it_closes_its_rooms_and_no_others(address, match, referee):
    gone, stays = [await sync_to_async(program)(referee, "referee") for _ in range(2)]
    async with (
        client(address, path(match.subject, gone)) as here,
        client(address, path(match.subject, stays)) as there,
        client(address, f"/ws/match/{match.pk}/?token={await sync_to_async(token_for)(match.subject, referee)}") as own,
    ):
        for socket in (here, there, own):
            await open_room(socket)
        await sync_to_async(api_tokens.revoke)(referee, gone.user.grant.token)
        assert await here.closed() == 4001
        for socket in (there, own):
            await socket.send("ping", "p")
            await socket.until("pong")


async def test_what_is_done_with_one_that_has_just_ended_is_refused(address, match, referee):
    holder = await sync_to_async(program)(referee, "referee")
    async with client(address, path(match.subject, holder)) as socket:
        await open_room(socket)
        await sync_to_async(ApiToken.objects.all().delete)()  # and nobody has told this process yet
        assert (await answer(socket, "start_match"))["code"] == "authentication_required"


async def test_a_room_cannot_be_kept_open_with_other_rights(address, match, referee):
    weak, strong = [await sync_to_async(program)(referee, *scopes) for scopes in ((), ("referee",))]
    own = await sync_to_async(token_for)(match.subject, referee)
    for holder, renewed in ((weak, issue_room_token(match.subject, strong)[0]), (weak, own)):
        async with client(address, path(match.subject, holder)) as socket:
            await open_room(socket)
            await socket.send("authenticate", "a", token=renewed)
            assert await socket.closed() == 4003
    async with client(address, path(match.subject, weak)) as socket:
        await open_room(socket)
        await socket.send("authenticate", "a", token=issue_room_token(match.subject, weak)[0])
        assert (await socket.until("ack"))["data"]["expires_in_ms"] > 0
