"""What can be done from a room, and on what: each action becomes one service call within the room's own tournament."""

from uuid import uuid4

import pytest
from asgiref.sync import sync_to_async

from apps.tournaments.models import Dispute, Entry, EntryStatus, Match, Role, Tournament
from apps.tournaments.services import Actor, matches, tournaments
from tests import factories
from tests.rooms import open_room, path
from tests.server import client

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def open_cup(transactional_db: None) -> Tournament:
    """A tournament that checks its two entrants in."""
    return factories.open_with_entries(2, check_in=True)


@pytest.fixture
def entries(open_cup: Tournament) -> list[Entry]:
    return list(Entry.objects.select_related("user").filter(tournament=open_cup).order_by("pk"))


@pytest.fixture
def cup(transactional_db: None) -> Tournament:
    return factories.drawn(2)


@pytest.fixture
def live(cup: Tournament) -> Match:
    match = factories.match_number(cup, 1)
    matches.start(Actor(cup.created_by), match.pk)
    return factories.match_number(cup, 1)


async def act(address: str, room: str, user, type_: str, **data) -> dict:
    """Return the answer to one action, sent to a room."""
    async with client(address, await path(room, user)) as socket:
        await open_room(socket)
        command = uuid4().hex
        await socket.send(type_, command, **data)
        while (frame := await socket.receive())["type"] not in ("ack", "error"):
            pass
        assert frame["id"] == command
        return frame


async def test_an_entrant_checks_in_and_withdraws_without_naming_the_entry(address, open_cup, entries):
    mine = entries[0]
    for action in ("check_in", "withdraw"):
        assert (await act(address, open_cup.stream, mine.user, action))["data"] == {"entry_id": mine.pk}
    await mine.arefresh_from_db()
    assert mine.checked_in_at is not None
    assert mine.status == EntryStatus.WITHDRAWN


async def test_who_waits_claims_the_place_that_is_held_without_naming_the_entry(address, transactional_db):
    cup = await sync_to_async(factories.open_with_entries)(3, capacity=2, claim_minutes=5)
    first, *_, waiting = [entry async for entry in cup.entries.select_related("user").order_by("pk")]
    refusal = await act(address, cup.stream, waiting.user, "claim_place")
    assert (refusal["code"], refusal["data"]) == ("conflict", {"status": "waitlisted"})
    await act(address, cup.stream, first.user, "withdraw")
    assert (await act(address, cup.stream, waiting.user, "claim_place"))["data"] == {"entry_id": waiting.pk}
    await waiting.arefresh_from_db()
    assert waiting.status == EntryStatus.CONFIRMED


async def test_the_staff_names_the_entry(address, open_cup, entries):
    done = await act(address, open_cup.stream, open_cup.created_by, "check_in", entry_id=entries[1].pk)
    assert done["data"] == {"entry_id": entries[1].pk}


async def test_an_entrant_does_not_act_for_another(address, open_cup, entries):
    refusal = await act(address, open_cup.stream, entries[0].user, "withdraw", entry_id=entries[1].pk)
    assert refusal["code"] == "permission_denied"
    assert (await Entry.objects.aget(pk=entries[1].pk)).status == EntryStatus.CONFIRMED


async def test_an_entry_of_another_tournament_does_not_exist_here(address, open_cup, cup):
    stranger = await cup.entries.afirst()
    refusal = await act(address, open_cup.stream, open_cup.created_by, "withdraw", entry_id=stranger.pk)
    assert refusal["code"] == "not_found"
    await stranger.arefresh_from_db()
    assert stranger.status == EntryStatus.CONFIRMED


async def test_who_is_registered_in_another_tournament_only_has_no_entry_here(address, open_cup, cup):
    elsewhere = await cup.entries.select_related("user").afirst()
    refusal = await act(address, open_cup.stream, elsewhere.user, "check_in")
    assert (refusal["code"], refusal["message"]) == ("conflict", "You are not registered in this tournament.")


async def test_a_score_for_one_side_completes_nothing(address, cup, live):
    refusal = await act(address, live.subject, cup.created_by, "complete_match", home_score=1)
    assert (refusal["code"], refusal["message"]) == ("bad_request", "A score needs a number for both sides.")
    assert (await Match.objects.aget(pk=live.pk)).state == "live"


async def test_a_match_ends_with_the_score_that_is_sent(address, cup, live):
    await act(address, live.subject, cup.created_by, "complete_match", home_score=1, away_score=3)
    match = await Match.objects.aget(pk=live.pk)
    assert (match.state, match.home_score, match.away_score, match.winner_id) == ("completed", 1, 3, live.away_id)


async def test_without_a_score_the_one_that_stands_counts(address, cup, live):
    await act(address, live.subject, cup.created_by, "update_score", home_score=2, away_score=0)
    await act(address, live.subject, cup.created_by, "complete_match")
    match = await Match.objects.aget(pk=live.pk)
    assert (match.state, match.home_score, match.away_score, match.winner_id) == ("completed", 2, 0, live.home_id)


@pytest.mark.parametrize(
    ("action", "data", "reason"),
    [("award_walkover", {"winner": "away"}, "walkover"), ("forfeit_match", {"loser": "home"}, "forfeit")],
)
async def test_a_referee_ends_a_match_that_is_not_played(address, cup, action, data, reason):
    match = await sync_to_async(factories.match_number)(cup, 1)
    await act(address, cup.stream, cup.created_by, action, match_id=match.pk, **data)
    decided = await Match.objects.aget(pk=match.pk)
    assert (decided.state, decided.reason, decided.winner_id) == ("forfeit", reason, match.away_id)


async def test_both_sides_can_lose(address, cup, live):
    await act(address, live.subject, cup.created_by, "forfeit_match", loser="both", ruling="Neither came back.")
    decided = await Match.objects.aget(pk=live.pk)
    assert (decided.state, decided.reason, decided.winner_id) == ("forfeit", "forfeit", None)


async def test_games_are_scores_of_a_best_of_and_of_nothing_else(address, transactional_db, cup, live):
    best_of_3 = await sync_to_async(factories.drawn)(2, stage={"best_of": 3})
    match = await sync_to_async(factories.match_number)(best_of_3, 1)
    referee = best_of_3.created_by
    games = [{"home": 13, "away": 7}, {"home": 9, "away": 13}]
    await act(address, match.subject, referee, "start_match")
    await act(address, match.subject, referee, "update_score", games=games[:1])
    assert (await act(address, match.subject, referee, "complete_match", games=games))["code"] == "bad_request"
    reported = await act(address, match.subject, match.home.user, "report_score", games=[*games, games[0]])
    assert reported["data"] == {"match_id": match.pk}
    await act(address, match.subject, match.away.user, "report_score", games=[*games, games[0]])
    decided = await Match.objects.aget(pk=match.pk)
    assert (decided.state, decided.home_score, decided.away_score) == ("completed", 2, 1)
    assert decided.games == [*games, games[0]]
    refusal = await act(address, live.subject, cup.created_by, "update_score", games=games)
    assert "single game" in refusal["message"]


async def test_a_side_checks_in_and_the_staff_says_for_whom(address, cup):
    match = await sync_to_async(factories.match_number)(cup, 1)
    await Match.objects.filter(pk=match.pk).aupdate(state="check_in")
    refusal = await act(address, match.subject, cup.created_by, "check_in_match")
    assert (refusal["code"], refusal["message"]) == ("bad_request", "Say which side is here: home or away.")
    # A player acts for their own side, whatever they say.
    await act(address, match.subject, match.home.user, "check_in_match", side="away")
    here = await Match.objects.aget(pk=match.pk)
    assert (here.state, here.home_checked_in, here.away_checked_in) == ("check_in", True, False)
    await act(address, cup.stream, cup.created_by, "check_in_match", match_id=match.pk, side="away")
    assert (await Match.objects.aget(pk=match.pk)).state == "ready"


async def test_a_player_disputes_and_the_ruling_resolves_it(address, cup, live):
    stranger = await sync_to_async(factories.make_user)()
    for person in (stranger, cup.created_by):
        refusal = await act(address, live.subject, person, "dispute_result", text="They left.")
        assert refusal["code"] == "permission_denied"
    opened = await act(address, live.subject, live.home.user, "dispute_result", text="They left.", cause="no_show")
    dispute = await Dispute.objects.aget(pk=opened["data"]["dispute_id"])
    assert (dispute.match_id, dispute.opened_by, dispute.cause, dispute.text) == (
        live.pk,
        "home",
        "no_show",
        "They left.",
    )
    await act(address, live.subject, cup.created_by, "complete_match", home_score=1, away_score=0, ruling="As filmed.")
    await dispute.arefresh_from_db()
    assert (dispute.ruling, dispute.resolved_by_id) == ("As filmed.", cup.created_by.pk)
    assert (await Match.objects.aget(pk=live.pk)).winner_id == live.home_id


async def test_rights_are_those_of_the_moment_also_in_an_open_room(address, cup, live):
    referee = await sync_to_async(factories.make_user)()
    await sync_to_async(tournaments.add_member)(
        Actor(cup.created_by), cup.pk, username=referee.username, role=Role.REFEREE
    )
    async with client(address, await path(live.subject, referee)) as socket:
        await open_room(socket)
        await sync_to_async(tournaments.remove_member)(Actor(cup.created_by), cup.pk, referee.pk)
        await socket.send("forfeit_match", "f1", loser="home")
        assert (await socket.until("error"))["code"] == "permission_denied"
    assert (await Match.objects.aget(pk=live.pk)).state == "live"


async def test_an_organiser_draws_the_bracket(address, transactional_db):
    cup = await sync_to_async(factories.open_with_entries)(4)
    assert (await act(address, cup.stream, cup.created_by, "generate_bracket"))["code"] == "conflict"
    await sync_to_async(tournaments.close_registration)(Actor(cup.created_by), cup.pk)
    done = await act(address, cup.stream, cup.created_by, "generate_bracket")
    assert done["data"]["tournament_id"] == cup.pk
    assert await cup.matches.acount() == 4  # with the one for the third place
