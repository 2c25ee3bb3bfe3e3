"""Reports and bans on the pages: what can be reported, who sees it where, and what becomes of it."""

import pytest

from apps.tournaments.models import Report, Role
from apps.tournaments.services import Actor, bans, reports, teams, tournaments
from tests import factories
from tests.integration.tournaments.test_permissions import with_image

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("media")]


@pytest.fixture
def cup():
    return factories.open_with_entries(2)


def test_a_name_is_reported_from_the_list_of_entrants(visitor, cup):
    entry = cup.entries.first()
    page, address = (
        visitor(factories.make_user()).open(f"/t/{cup.pk}/entrants/"),
        f"/t/{cup.pk}/entries/{entry.pk}/report/",
    )
    assert address in page.html
    page.open(address)
    assert f"Report the name “{entry.name}”" in page.text
    page.send(address)
    assert (page.status, page.sentence) == (400, "Choose what is wrong with it.")
    page.send(address, reason="offensive", text="Rude")
    assert "Thank you. The staff will look at it." in page.text
    page.open(address).send(address, reason="spam")
    assert (page.status, page.sentence) == (409, "You have reported this already. The staff will look at it.")


def test_guests_are_asked_to_sign_in_and_see_no_way_to_report(visitor, cup):
    assert "/report/" not in visitor().open(f"/t/{cup.pk}/entrants/").html
    response = visitor().open(f"/t/{cup.pk}/entries/{cup.entries.first().pk}/report/").response
    assert response["Location"].startswith("/accounts/login/")


def test_too_many_reports_are_refused_with_a_sentence(visitor):
    cup = factories.open_with_entries(11, capacity=16)
    user = factories.make_user()
    *first, last = cup.entries.order_by("pk")
    for entry in first:
        reports.report_entry(Actor(user), entry.pk, reason="spam")
    address = f"/t/{cup.pk}/entries/{last.pk}/report/"
    page = visitor(user).open(address).send(address, reason="spam")
    assert (page.status, page.sentence[:34]) == (429, "You have sent 10 reports in the la")


def test_the_console_counts_what_waits_and_does_not_say_who_reported(visitor, cup):
    sam = factories.make_user("samuel-the-reporter")
    entry = cup.entries.first()
    report_id = reports.report_entry(Actor(sam), entry.pk, reason="offensive", text="It is <b>rude</b>").ids[
        "report_id"
    ]
    referee = factories.make_user()
    tournaments.add_member(Actor(cup.created_by), cup.pk, username=referee.username, role=Role.REFEREE)
    page = visitor(referee).open(f"/t/{cup.pk}/manage/")
    assert "Reports 1" in page.text
    page.open(f"/t/{cup.pk}/manage/moderation/")
    assert "It is &lt;b&gt;rude&lt;/b&gt;" in page.html
    assert sam.username not in page.html
    assert not page.has_form(f"/t/{cup.pk}/manage/bans/add/"), "referees ban nobody"
    page.send(f"/t/{cup.pk}/manage/reports/{report_id}/resolve/", note="Renamed it.")
    assert "No reports wait" in page.text
    assert "Renamed it." in page.text


def test_nobody_but_the_staff_opens_it(visitor, cup):
    for person in (cup.entries.first().user, factories.make_user()):
        assert visitor(person).open(f"/t/{cup.pk}/manage/moderation/").response.status_code == 403


def test_an_organiser_bans_and_lifts_the_ban(visitor, cup):
    entry = cup.entries.first()
    page = visitor(cup.created_by).open(f"/t/{cup.pk}/manage/moderation/")
    page.send(f"/t/{cup.pk}/manage/bans/add/", username="nobody-at-all")
    assert page.status == 404
    assert page.sentence.startswith("Nobody has this user name")
    page.send(f"/t/{cup.pk}/manage/bans/add/", username=entry.user.username, reason="Cheated")
    assert "Cheated" in page.text
    said = f"{entry.user.username} was banned."
    assert said in visitor(cup.created_by).open(f"/t/{cup.pk}/activity/").text
    assert said not in visitor(entry.user).open(f"/t/{cup.pk}/activity/").text
    page.send(f"/t/{cup.pk}/manage/bans/{entry.user_id}/remove/")
    assert "Nobody is. Who is banned cannot enter" in page.text


def test_an_image_is_hidden_from_the_console_and_shown_again(visitor):
    scene = with_image()
    image = scene.image
    page = visitor(scene.people["referee"]).open(f"/t/{scene.cup.pk}/manage/moderation/")
    assert f"/api/v1/evidence/{image.pk}" in page.html
    page.send(f"/evidence/{image.pk}/hide/")
    assert "No reports wait" in page.text
    assert scene.image.hidden_at
    player = visitor(scene.people["player"])
    assert player.open(f"/evidence/{image.pk}/report/").response.status_code == 404
    page.post(f"/evidence/{image.pk}/show/", {"csrfmiddlewaretoken": page.client.cookies["csrftoken"].value})
    assert scene.image.hidden_at is None
    assert player.open(f"/evidence/{image.pk}/report/").response.status_code == 200


def test_a_team_is_reported_to_the_administrators(visitor):
    team_id = teams.create(Actor(factories.make_user()), name="Rude").ids["team_id"]
    page = visitor(factories.make_user("sam")).open(f"/teams/{team_id}/")
    assert f"/teams/{team_id}/report/" in page.html
    page.open(f"/teams/{team_id}/report/").send(f"/teams/{team_id}/report/", reason="offensive", text="Very")
    assert "Thank you" in page.text
    root = visitor(factories.make_user("root", is_superuser=True))
    waiting, row = "/admin/tournaments/report/?state=open", Report.objects.get()
    assert all(words in root.open(waiting).text for words in ("Rude", "Very", "sam", "A team"))
    token = root.client.cookies["csrftoken"].value
    root.post(waiting, {"action": "resolve", "_selected_action": str(row.pk), "csrfmiddlewaretoken": token})
    row.refresh_from_db()
    assert row.resolved_by == root.user
    assert "Very" not in root.open(waiting).text


def test_who_is_banned_is_told_so(visitor, cup):
    sam = factories.make_user("sam")
    bans.ban(Actor(cup.created_by), cup.pk, username="sam")
    page = visitor(sam).open(f"/t/{cup.pk}/").send(f"/t/{cup.pk}/register/")
    assert page.status == 403
    assert page.sentence == "You are banned from this tournament. Its organisers can lift the ban."
