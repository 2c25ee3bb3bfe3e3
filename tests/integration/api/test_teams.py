"""Teams over the API."""

import pytest

from apps.tournaments.services import Actor, teams
from tests.factories import enter_team, make_name, make_team, make_tournament, make_user, open_registration, publish
from tests.integration.api.client import Person, ok, refused
from tests.integration.api.test_reading import queries

pytestmark = pytest.mark.django_db


def test_made_joined_handed_over_left_and_ended():
    cleo, mia, ina = (Person(make_user(name)) for name in ("cleo", "mia", "ina"))
    created = cleo.post("/teams", {"name": "Reds", "tag": "RED"})
    team = ok(created, 201)["team"]
    path = f"/teams/{team['id']}"
    assert created["Location"] == f"/api/v1{path}"
    assert (team["name"], team["tag"], team["role"], team["members"]) == ("Reds", "RED", "captain", 1)

    for name in ("mia", "ina"):
        team = ok(cleo.post(f"{path}/invitations", {"username": name}), 201)["team"]
    assert [person["username"] for person in team["invited"]] == ["mia", "ina"]
    refused(cleo.post(f"{path}/invitations", {"username": "mia"}), 409, "conflict")
    refused(cleo.post(f"{path}/invitations", {"username": "nobody-at-all"}), 404, "not_found")
    [mine] = ok(mia.get("/me/teams"))["items"]
    assert (mine["id"], mine["role"]) == (team["id"], "invited")
    ok(mia.post(f"{path}/accept"))
    ok(ina.post(f"{path}/decline"))
    refused(ina.post(f"{path}/accept"), 403, "permission_denied")

    shown = ok(mia.get(path))
    assert [person["username"] for person in shown["people"]] == ["cleo", "mia"]
    refused(mia.put(f"{path}/captain", {"user": shown["people"][1]["id"]}), 403, "permission_denied")
    handed = ok(cleo.put(f"{path}/captain", {"user": shown["people"][1]["id"]}))["team"]
    assert (handed["captain"], handed["role"]) == (shown["people"][1]["id"], "member")
    ok(cleo.post(f"{path}/leave"))
    assert ok(mia.patch(path, {"name": "Blues"}))["team"]["name"] == "Blues"
    assert ok(mia.delete(path))["team"]["disbanded"] is True
    assert ok(Person().get("/teams")) == {"items": [], "count": 0}
    assert ok(Person().get(path))["people"] == []
    refused(mia.patch(path, {"tag": "X"}), 404, "not_found")


def test_who_is_invited_is_for_the_teams_members():
    team = make_team("cleo", "mia")
    teams.invite(Actor(team.captain), team.pk, username=make_user("ina").username)
    mia = team.members.get(user__username="mia").user
    for user, invited in ((team.captain, 1), (mia, 1), (make_user(), 0), (None, 0)):
        assert len(ok(Person(user).get(f"/teams/{team.pk}"))["invited"]) == invited


def test_members_are_removed_by_user_name():
    team = make_team("cleo", "mia")
    captain = Person(team.captain)
    refused(captain.delete(f"/teams/{team.pk}/members/nobody-at-all"), 404, "not_found")
    refused(Person(make_user()).delete(f"/teams/{team.pk}/members/mia"), 403, "permission_denied")
    assert ok(captain.delete(f"/teams/{team.pk}/members/MIA"))["team"]["members"] == 1
    refused(captain.delete(f"/teams/{team.pk}/members/cleo"), 409, "conflict")


def test_where_a_team_plays_leaves_out_drafts():
    team = make_team()
    shown = open_registration(make_tournament(participation="team"))
    enter_team(shown, team)
    draft = open_registration(make_tournament(participation="team"))
    enter_team(draft, team)
    draft.status = "draft"
    draft.save()
    publish(make_tournament())
    [entry] = ok(Person().get(f"/teams/{team.pk}/entries"))["items"]
    assert entry["tournament"]["id"] == shown.pk


@pytest.mark.parametrize(
    "body",
    [{}, {"name": ""}, {"name": "x" * 61}, {"name": "Reds", "tag": "x" * 9}, {"name": 5}, {"name": "a", "captain": 1}],
)
def test_a_team_without_a_proper_name_is_refused(body):
    refused(Person(make_user()).post("/teams", body), 422, "invalid_schema")


def test_lists_cost_the_same_however_many_teams_there_are():
    user = make_user()
    person = Person(user)
    costs = []
    for _ in range(2):
        for _ in range(5):
            made = teams.create(Actor(user), name=make_name()).ids["team_id"]
            teams.invite(Actor(user), made, username=make_user().username)
        costs.append([queries(lambda p=path: person.get(p)) for path in ("/teams", "/me/teams", f"/teams/{made}")])
    assert costs[0] == costs[1]
