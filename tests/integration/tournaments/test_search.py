"""What the search finds, whom it tells of what, and that it always knows the names that things have now."""

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.management import call_command
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from apps.tournaments.models import Entry, SearchWord, Team, Tournament
from apps.tournaments.selectors import search
from apps.tournaments.services import Actor, entries, entry_imports, teams, tournaments
from apps.tournaments.services.searching import names_of
from apps.tournaments.text import words_of
from tests.factories import (
    draw,
    drawn,
    enter,
    enter_team,
    make_team,
    make_tournament,
    make_user,
    open_registration,
    publish,
)

NOBODY = AnonymousUser()
ALL = slice(0, 100)


class TestWords:
    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("World Cup 2022", ["world", "cup", "2022"]),
            ("Zoë Ångström-Müller", ["zoe", "angstrom", "muller"]),
            ("STRASSE Straße", ["strasse"]),
            ("Øresund Łódź Ærø", ["oresund", "lodz", "aero"]),
            ("  ★ !! ", []),
            ("İstanbul \u0131s\u0131", ["istanbul", "isi"]),
            ("Ёлка", ["елка"]),
        ],
    )
    def test_are_in_lower_case_and_without_accents(self, text, words):
        assert words_of(text) == words

    def test_of_scripts_without_spaces_are_found_inside(self):
        assert words_of("漢字チーム") == ["漢字チーム", "字チーム", "チーム", "ーム", "ム"]
        assert search.asked("チーム") == ["チーム"]

    @given(st.text(max_size=60))
    def test_a_name_is_found_by_itself_whatever_it_is(self, name):
        known = words_of(name)
        assert all(any(word.startswith(one) for word in known) for one in search.asked(name))


def names(found) -> list[str]:
    return [row.name for row in found]


@pytest.mark.django_db
class TestFinding:
    def test_every_word_begins_one_of_the_name_or_game(self):
        cup = publish(make_tournament(name="World Cup of Zoë", game="Rocket League"))
        for query in ("world", "Cup WORLD", "zoe", "ZOË", "rock wor", "w c o z"):
            assert names(search.tournaments(NOBODY, search.asked(query), ALL)) == [cup.name], query
        for query in ("orld", "world x", "zoet", "%", "_", "w%"):
            found = search.asked(query)
            assert not found or query == "w%" or not names(search.tournaments(NOBODY, found, ALL)), query

    def test_a_draft_is_found_by_its_staff_alone(self):
        draft = make_tournament(name="Secret Cup")
        enter_name = Actor(draft.created_by)
        entries.add(enter_name, draft.pk, name="Hidden Hero")
        assert names(search.tournaments(NOBODY, ["secret"], ALL)) == []
        assert names(search.tournaments(draft.created_by, ["secret"], ALL)) == ["Secret Cup"]
        assert names(search.entrants(["hidden"], ALL)) == []
        publish(draft)
        assert names(search.entrants(["hidden"], ALL)) == ["Hidden Hero"]

    def test_an_entrant_is_found_by_name_and_by_its_players_and_not_by_who_acts_for_it(self):
        cup = open_registration(make_tournament(participation="team"))
        enter_team(cup, make_team("captain", "zora", name="The Owls"))
        assert names(search.entrants(["zora"], ALL)) == ["The Owls"]
        solo = open_registration(make_tournament())
        enter(solo, make_user("quentin"), name="Masked")
        assert names(search.entrants(["masked"], ALL)) == ["Masked"]
        assert names(search.entrants(["quentin"], ALL)) == []

    def test_whoever_left_before_play_is_not_among_those_who_played(self):
        cup = open_registration(make_tournament())
        entry = enter(cup, make_user(), name="Quitter")
        assert names(search.entrants(["quitter"], ALL)) == ["Quitter"]
        entries.withdraw(Actor(entry.user), entry.pk)
        assert names(search.entrants(["quitter"], ALL)) == []

    def test_by_time_and_those_in_play_first(self):
        over, upcoming = publish(make_tournament(name="Cup A")), publish(make_tournament(name="Cup B"))
        tournaments.cancel(Actor(over.created_by), over.pk)
        live = drawn(2, name="Cup C")
        Tournament.objects.filter(pk=live.pk).update(status="live")
        assert names(search.tournaments(NOBODY, ["cup"], ALL)) == ["Cup C", "Cup B", "Cup A"]
        expected = {"live": ["Cup C"], "upcoming": ["Cup B"], "finished": ["Cup A"]}
        for when, found in expected.items():
            assert names(search.tournaments(NOBODY, ["cup"], ALL, when=when)) == found
        assert len(search.entrants(["user"], ALL, when="live")) == 2
        assert upcoming.name == "Cup B"

    def test_the_index_is_what_the_database_asks(self):
        if connection.vendor == "sqlite":  # the other one reads a table this small as a whole
            plan = search.entrants_found(["zo"]).explain()
            assert "search_entry" in plan
            assert "SCAN tournaments_searchword" not in plan


def indexed() -> dict[tuple[str, int], set[str]]:
    found: dict[tuple[str, int], set[str]] = {}
    for word, *keys in SearchWord.objects.values_list("word", "tournament", "team", "entry"):
        [(kind, key)] = [(kind, key) for kind, key in zip("tne", keys, strict=True) if key]
        found.setdefault((kind, key), set()).add(word)
    return found


def expected() -> dict[tuple[str, int], set[str]]:
    rows = (
        (kind, row) for kind, model in (("t", Tournament), ("n", Team), ("e", Entry)) for row in model.objects.all()
    )
    words = (((kind, row.pk), set(words_of(" ".join(names_of(row))))) for kind, row in rows)
    return {key: found for key, found in words if found}


@pytest.mark.django_db
def test_whatever_is_named_anew_is_found_by_its_new_name_alone():
    owner = Actor(make_user())
    cup = open_registration(make_tournament(owner.user, name="First Name", participation="team"))
    tournaments.edit(owner, cup.pk, name="Second Name", game="Chess")
    team = make_team("ann", "ben", "cem", name="Old Owls")
    entry = enter_team(cup, team, "ann", "ben")
    entries.update(owner, entry.pk, name="Renamed Owls")
    teams.edit(Actor(team.captain), team.pk, name="New Owls", tag="NEW")
    gone = make_team("dee", name="Short-lived")
    teams.disband(Actor(gone.captain), gone.pk)
    solo = open_registration(make_tournament(owner.user))
    entry_imports.import_entries(owner, solo.pk, b"name,seed\nZoe,1\nYan,2\n")
    draw(solo)
    assert indexed() == expected()
    assert ("n", gone.pk) not in indexed()


@pytest.mark.django_db
def test_the_index_can_be_made_anew(capsys):
    drawn(4)
    before = indexed()
    SearchWord.objects.all().delete()
    call_command("reindex")
    assert indexed() == before == expected()
