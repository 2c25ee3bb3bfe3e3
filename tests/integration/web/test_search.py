"""The page of the search, without a script: what it shows, how it pages, what it costs."""

import pytest
from django.test import Client

from apps.tournaments.services import Actor, entries
from apps.web.views import search
from tests.factories import drawn, make_team, make_tournament, make_user, open_registration, play, publish

pytestmark = pytest.mark.django_db


def page(client: Client, **query: str) -> str:
    answer = client.get("/search/", query)
    assert answer.status_code == 200
    return answer.content.decode()


def test_it_finds_each_kind_and_leads_there(client: Client, django_assert_max_num_queries):
    cup = drawn(2, name="Owl Cup")
    play(cup)
    team = make_team(name="Night Owls")
    other = open_registration(make_tournament(name="Another"))
    entries.add(Actor(other.created_by), other.pk, name="Owlet & Sons")
    client.force_login(make_user())
    with django_assert_max_num_queries(12):
        text = page(client, q="OWL")
    assert f'href="/t/{cup.pk}/"' in text
    assert f'href="/teams/{team.pk}/"' in text
    assert "Owlet &amp; Sons" in text
    assert 'value="OWL"' in text


def test_what_is_typed_is_only_text(client: Client):
    for query in ("<script>alert(1)</script>", "\0", "%", "'; DROP TABLE", "a" * 5000, "é" * 50):
        text = page(client, q=query)
        assert "<script>alert" not in text
        assert "Nothing found" in text or "Find a tournament" in text
    assert client.get("/search/?q=%ed%a0%bc%ff%00").status_code == 200
    for odd in ({"page": "-1"}, {"page": "x"}, {"page": "9" * 30}, {"kind": "users"}, {"when": "never"}):
        page(client, q="a", **odd)


def test_it_goes_on_page_by_page(client: Client, monkeypatch):
    monkeypatch.setattr(search, "_ON_PAGE", 2)
    monkeypatch.setattr(search, "_OF_EACH", 2)
    for number in range(5):
        publish(make_tournament(name=f"Cup {number}"))
    assert "Show all" in page(client, q="cup")
    seen = [
        [
            number
            for number in range(5)
            if f">Cup {number}<" in page(client, q="cup", kind="tournaments", page=str(which))
        ]
        for which in (1, 2, 3, 4)
    ]
    assert seen == [[3, 4], [1, 2], [0], []]


def test_a_time_alone_lists_what_is_then(client: Client):
    publish(make_tournament(name="To come"))
    over = drawn(2, name="Is over")
    play(over)
    assert "To come" in page(client, when="upcoming")
    assert "Is over" not in page(client, when="upcoming")
    assert "Is over" in page(client, when="finished")


def test_entrants_are_sifted_by_the_server_where_there_is_no_script(client: Client):
    cup = open_registration(make_tournament())
    for name in ("Zoë", "Zora", *(f"Other {number}" for number in range(8))):
        entries.add(Actor(cup.created_by), cup.pk, name=name)
    text = client.get(f"/t/{cup.pk}/entrants/", {"q": "zo"}).content.decode()
    rows = text.partition('class="people"')[2].partition("</ol>")[0]
    assert "Zoë" in rows
    assert "Zora" in rows
    assert "Other" not in rows
    assert 'value="zo"' in text
