"""The page of an entrant: everybody sees the way through the tournament, only those concerned what can be done."""

import re

import pytest
from django.test import Client

from apps.tournaments.models import Entry
from apps.tournaments.selectors.snapshots import tournament_snapshot
from apps.tournaments.services import Actor, entries, matches
from apps.web.present.names import names_of
from apps.web.present.way import way_of
from engine.match_flow import Score
from engine.stages import Format
from tests.factories import draw, drawn, enter, make_tournament, match_number, open_registration, play

pytestmark = pytest.mark.django_db


def page(client: Client, entry: Entry) -> str:
    answer = client.get(f"/t/{entry.tournament_id}/entries/{entry.pk}/")
    assert answer.status_code == 200
    return answer.content.decode()


def way(entry: Entry):
    state = tournament_snapshot(entry.tournament_id, audience="public").data
    return way_of(state, names_of(state), entry.pk)


def test_the_ways_of_all_entrants_agree_with_one_another_and_with_the_result():
    cup = drawn(8)
    play(cup)
    ways = {entry: way(entry) for entry in cup.entries.all()}
    assert sum(found.won for found in ways.values()) == sum(found.lost for found in ways.values()) == 8  # third place
    assert sorted(found.ended for found in ways.values() if found.ended) == ["Champion", "Second", "Third"]
    champion = next(found for found in ways.values() if found.ended == "Champion")
    assert [step.place for step in champion.played] == ["Final", "Semi-finals", "Quarter-finals"]
    assert (champion.won, champion.lost, champion.following) == (3, 0, ())
    assert [(place.rank, place.of) for place in champion.places] == [(1, 8)]
    for entry, found in ways.items():
        for step in found.played:
            other = next(one for one in ways if one.pk == step.other.entry)
            [mirrored] = [one for one in ways[other].played if one.match.id == step.match.id]
            assert mirrored.other.entry == entry.pk
            assert {step.me.outcome, mirrored.me.outcome} == {"won", "lost"}


def test_in_a_league_it_says_where_somebody_stands_and_why():
    cup = drawn(4, format=Format.ROUND_ROBIN)
    play(cup, matches_at_most=3)
    leader = min((way(entry) for entry in cup.entries.all()), key=lambda found: found.places[0].rank)
    [place] = leader.places
    assert (place.rank, place.of) == (1, 4)
    assert place.record.startswith(str(leader.won))
    assert leader.following


def test_what_comes_next_is_what_is_being_played(client):
    cup = drawn(4)
    match = match_number(cup, 1)
    matches.start(Actor(cup.created_by), match.pk)
    matches.update_score(Actor(cup.created_by), match.pk, Score(2, 1))
    found = way(match.home)
    assert (found.next.match.id, found.next.other.entry, found.played) == (match.pk, match.away_id, ())
    text = page(client, match.home)
    assert re.search(rf'data-match="{match.pk}" data-state="live"', text)
    assert re.search(r'class="side__score"[^>]*>2<', text)


def test_a_guest_sees_the_way_and_nothing_to_do(client, django_assert_max_num_queries):
    cup = drawn(8)
    play(cup, matches_at_most=4)
    entry = match_number(cup, 1).home
    with django_assert_max_num_queries(12):
        text = page(client, entry)
    assert "1 won, 0 lost" in text
    assert "Withdraw" not in text
    assert "Disqualify" not in text
    client.force_login(entry.user)
    with django_assert_max_num_queries(12):
        assert "Withdraw" in page(client, entry)
    client.force_login(cup.created_by)
    with django_assert_max_num_queries(12):
        assert "Disqualify" in page(client, entry)


def test_before_and_without_any_match(client):
    cup = open_registration(make_tournament())
    entry = enter(cup, cup.created_by, name="Ann & Ben")
    assert "No match yet" in page(client, entry)
    assert "Ann &amp; Ben" in page(client, entry)
    entries.withdraw(Actor(cup.created_by), entry.pk)
    assert "withdrew" in page(client, entry)
    other = enter(cup, make_tournament().created_by)
    enter(cup, make_tournament().created_by)
    draw(cup)
    assert way(entry).places == ()
    assert way(other).places[0].rank == 0


def test_of_a_draft_it_is_as_unknown_as_the_draft(client):
    draft = make_tournament()
    entries.add(Actor(draft.created_by), draft.pk, name="Ann")
    entry = draft.entries.get()
    assert client.get(f"/t/{draft.pk}/entries/{entry.pk}/").status_code == 404
    other = open_registration(make_tournament())
    assert client.get(f"/t/{other.pk}/entries/{entry.pk}/").status_code == 404


def test_lists_lead_to_it(client):
    cup = drawn(4)
    entry = match_number(cup, 1).home
    address = f'href="/t/{cup.pk}/entries/{entry.pk}/"'
    assert address in client.get(f"/t/{cup.pk}/entrants/").content.decode()
    assert address in client.get(f"/m/{match_number(cup, 1).pk}/").content.decode()
