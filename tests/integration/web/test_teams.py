"""Teams with the forms of the pages: made, joined, entered, led by somebody else, ended."""

import pytest

from apps.tournaments.models import Entry, Team
from apps.tournaments.services import Actor, entries, teams
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def cleo(visitor):
    return visitor(factories.make_user("cleo"))


@pytest.fixture
def mia(visitor):
    return visitor(factories.make_user("mia"))


@pytest.fixture
def team(cleo, mia):
    made = teams.create(Actor(cleo.user), name="Reds", tag="RED").ids["team_id"]
    teams.invite(Actor(cleo.user), made, username="mia")
    teams.accept(Actor(mia.user), made)
    return Team.objects.get(pk=made)


@pytest.fixture
def cup():
    return factories.open_registration(factories.make_tournament(participation="team", roster_min=1, roster_max=2))


def test_from_a_name_to_a_match(cleo, mia, visitor, cup):
    cleo.open("/teams/").send("/teams/create/", name="Reds", tag="RED")
    team = Team.objects.get(name="Reds")
    assert "The team is yours. Invite its players." in cleo.text
    path = f"/teams/{team.pk}"
    cleo.send(f"{path}/invite/", username="Mia")
    assert "mia" in cleo.text
    mia.open("/me/").send(f"{path}/accept/")
    assert "You are in the team." in mia.text

    cleo.open(f"/t/{cup.pk}/")
    fields = cleo.form(f"/t/{cup.pk}/register/")
    assert fields["team"] == str(team.pk)
    cleo.post(f"/t/{cup.pk}/register/", fields | {"player": [cleo.user.pk, mia.user.pk]})
    assert "You are registered." in cleo.text
    assert "cleo, mia" in visitor().open(f"/t/{cup.pk}/entrants/").text

    entry = Entry.objects.get(team=team)
    page = f"/t/{cup.pk}/entries/{entry.pk}/"
    fields = cleo.open(page).form(f"{page}roster/")
    cleo.post(f"{page}roster/", fields | {"player": [mia.user.pk]})
    assert "The roster is saved." in cleo.text
    assert [player["name"] for player in Entry.objects.get(pk=entry.pk).roster] == ["mia"]

    factories.enter_team(cup, factories.make_team())
    factories.draw(cup)
    match = factories.match_number(cup, 1)
    assert cleo.open("/me/").has_form(f"/m/{match.pk}/report/")
    player = mia.open("/me/")
    assert "Your team plays" in player.text
    assert not player.has_form(f"/m/{match.pk}/report/")
    assert "Your team plays this match; its captain reports the result." in mia.open(f"/m/{match.pk}/").text
    assert "Your team plays" in mia.open(f"/t/{cup.pk}/").text
    assert not mia.has_form(f"/m/{match.pk}/report/")

    cleo.open(f"{path}/").send(f"{path}/people/{mia.user.pk}/captain/")
    assert "The team has a new captain." in cleo.text
    assert mia.open("/me/").has_form(f"/m/{match.pk}/report/")


def test_refusals_are_shown_where_the_form_stands(cleo, mia, team, cup):
    path = f"/teams/{team.pk}"
    cleo.open(f"{path}/").send(f"{path}/invite/", username="nobody-at-all")
    assert cleo.status == 404
    assert "Nobody has this user name" in cleo.sentence
    assert cleo.form(f"{path}/invite/")["username"] == "nobody-at-all"
    cleo.send(f"{path}/invite/", username=" ")
    assert "Write the user name" in cleo.sentence
    cleo.open("/teams/").send("/teams/create/", name="reds")
    assert "There is a team named reds already." in cleo.sentence

    fields = cleo.open(f"/t/{cup.pk}/").form(f"/t/{cup.pk}/register/")
    fields.pop("player")
    cleo.post(f"/t/{cup.pk}/register/", fields)
    assert cleo.sentence == "Choose who plays."
    factories.enter_team(cup, team)
    cleo.open(f"{path}/").send(f"{path}/disband/")
    assert f"Reds takes part in {cup.name}. Withdraw it there first." in cleo.sentence


def test_what_one_can_do_on_a_teams_page(cleo, mia, visitor, team):
    path = f"/teams/{team.pk}"
    captains = [f"{path}/invite/", f"{path}/edit/", f"{path}/disband/", f"{path}/people/{mia.user.pk}/remove/"]
    ina = visitor(factories.make_user("ina"))
    teams.invite(Actor(cleo.user), team.pk, username="ina")
    for person, may in (
        (cleo, captains),
        (mia, [f"{path}/leave/"]),
        (ina, [f"{path}/accept/", f"{path}/decline/"]),
        (visitor(factories.make_user()), []),
        (visitor(), []),
    ):
        person.open(f"{path}/")
        assert "Reds" in person.text
        assert [
            form
            for form in (*captains, f"{path}/leave/", f"{path}/accept/", f"{path}/decline/")
            if person.has_form(form)
        ] == may
        assert ("ina" in person.text) == (person in (cleo, mia, ina))


def test_joining_leaving_and_ending(cleo, mia, visitor, team):
    path = f"/teams/{team.pk}"
    ina = visitor(factories.make_user("ina"))
    cleo.open(f"{path}/").send(f"{path}/invite/", username="ina")
    ina.open("/teams/").send(f"{path}/decline/")
    assert not team.members.filter(user=ina.user).exists()
    mia.open(f"{path}/").send(f"{path}/leave/")
    assert not team.members.filter(user=mia.user).exists()
    cleo.open(f"{path}/").send(f"{path}/edit/", name="Blues", tag="")
    assert "Blues" in cleo.text
    cleo.send(f"{path}/disband/")
    assert "This team was disbanded" in cleo.text
    assert "Blues" not in visitor().open("/teams/").text


def test_where_teams_take_part_somebody_without_one_is_sent_to_make_it(visitor, cup):
    page = visitor(factories.make_user()).open(f"/t/{cup.pk}/")
    assert "Make a team first" in page.text
    assert not page.has_form(f"/t/{cup.pk}/register/")


def test_a_team_that_waits_is_seen_by_its_players_and_led_by_its_captain(cleo, mia, team, cup):
    entry = factories.enter_team(cup, team)
    assert "Your captain acts for the team." in mia.open(f"/t/{cup.pk}/").text
    assert not mia.has_form(f"/t/{cup.pk}/entries/{entry.pk}/withdraw/")
    assert cleo.open(f"/t/{cup.pk}/").has_form(f"/t/{cup.pk}/entries/{entry.pk}/withdraw/")
    assert "Reds" in mia.open("/me/").text
    entries.withdraw(Actor(cleo.user), entry.pk)
    assert "You withdrew." in cleo.open(f"/t/{cup.pk}/").text


@pytest.mark.parametrize("number", [1, 40])
def test_pages_cost_the_same_however_many_there_are(cleo, visitor, team, number, django_assert_max_num_queries):
    for _ in range(number):
        teams.create(Actor(cleo.user), name=factories.make_name())
        teams.invite(Actor(cleo.user), team.pk, username=factories.make_user().username)
    for path in ("/teams/", f"/teams/{team.pk}/"):
        with django_assert_max_num_queries(9):
            assert cleo.open(path).response.status_code == 200


def test_what_people_wrote_is_text(cleo, visitor):
    name = "<b>&'\"{{ x }}"
    made = teams.create(Actor(cleo.user), name=name, tag="<i>").ids["team_id"]
    for path in ("/teams/", f"/teams/{made}/", "/me/"):
        assert name not in cleo.open(path).html
        assert "<i>" not in cleo.html
    assert visitor().open(f"/teams/{10**9}/").response.status_code == 404
