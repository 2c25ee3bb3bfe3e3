"""Files on the pages: what the console gives and takes, and a new tournament from a file."""

import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from apps.tournaments.exchange.decoding import MAX_BYTES
from apps.tournaments.exchange.document import write_document
from apps.tournaments.models import Rating, Role, Status, Tournament
from apps.tournaments.selectors.export import export
from apps.tournaments.services import Actor, stages, teams, tournaments
from engine.stages import Format
from tests import factories

pytestmark = pytest.mark.django_db


def send_file(person, action, content, **fields):
    """Choose a file in the form of the page that is open, and send it."""
    file = SimpleUploadedFile("chosen.txt", content)
    return person.post(action, person.form(action) | fields | {"file": file})


@pytest.fixture
def league():
    cup = factories.open_with_entries(4, format=Format.SWISS, stage={"rounds": 2})
    stages.add(Actor(cup.created_by), cup.pk, format=Format.SINGLE_ELIMINATION, name="Playoffs")
    return cup


def links(html):
    return re.findall(r'<a class="button" href="([^"]+)" download>', html)


class TestTheConsole:
    def test_everything_on_it_can_be_downloaded(self, visitor, league):
        organizer = visitor(league.created_by).open(f"/t/{league.pk}/manage/files/")
        assert [link.rpartition("/")[2] for link in links(organizer.html)] == ["export", "entrants.csv", "results.csv"]
        factories.play(factories.draw(league))
        found = links(organizer.open(f"/t/{league.pk}/manage/files/").html)
        assert [link.rpartition("/")[2] for link in found[3:]] == ["report.trf", "standings.csv", "standings.csv"]
        for link in found:
            answer = organizer.client.get(link)
            assert answer.status_code == 200
            assert answer["Content-Disposition"].startswith("attachment")

    def test_a_referee_takes_files_away_and_brings_none(self, visitor, league):
        referee = factories.make_user()
        tournaments.add_member(Actor(league.created_by), league.pk, username=referee.username, role=Role.REFEREE)
        page = visitor(referee).open(f"/t/{league.pk}/manage/files/")
        assert len(links(page.html)) == 3
        assert not page.has_form(f"/t/{league.pk}/manage/entrants/import/")
        assert visitor(factories.make_user()).open(f"/t/{league.pk}/manage/files/").response.status_code == 403


class TestEntrants:
    @pytest.fixture
    def cup(self):
        return factories.make_tournament(capacity=3)

    def import_(self, visitor, cup, content):
        page = visitor(cup.created_by).open(f"/t/{cup.pk}/manage/files/")
        return send_file(page, f"/t/{cup.pk}/manage/entrants/import/", content)

    def test_a_list_is_entered_and_shown(self, visitor, cup):
        page = self.import_(visitor, cup, b"name;seed;Phone\nAda;2;1\nBob;1;2\n")
        assert page.status == 302
        assert "2 entrants added. Not read: Phone." in page.text
        assert [e.name for e in cup.entries.order_by("seed")] == ["Bob", "Ada"]
        assert "2 entrants came from a file." in page.open(f"/t/{cup.pk}/activity/").text

    def test_everything_that_is_wrong_stands_on_the_page(self, visitor, cup):
        page = self.import_(visitor, cup, b"name,seed\nAda,x\nada,y\nBob,z\nbob,0\n,1\n")
        assert page.status == 400
        assert "Row 2: The seed “x” is not a whole number" in page.sentence
        assert page.sentence.endswith("And 4 more.")
        assert page.html.count("<li>Row ") == 7
        assert "Row 6: The name is missing." in page.text
        assert cup.entries.count() == 0

    def test_without_a_file_it_asks_for_one(self, visitor, cup):
        action = f"/t/{cup.pk}/manage/entrants/import/"
        page = visitor(cup.created_by).open(f"/t/{cup.pk}/manage/files/").send(action)
        assert (page.status, page.sentence) == (400, "Choose a file first.")

    def test_sent_twice_it_is_entered_once(self, visitor, cup):
        page = visitor(cup.created_by).open(f"/t/{cup.pk}/manage/files/")
        fields = page.form(f"/t/{cup.pk}/manage/entrants/import/")
        for _ in range(2):
            page.post(
                f"/t/{cup.pk}/manage/entrants/import/", fields | {"file": SimpleUploadedFile("a", b"name\nAda\n")}
            )
            assert page.status == 302
        assert cup.entries.count() == 1


class TestANewTournament:
    def test_comes_from_an_exported_one_and_goes_on(self, visitor):
        cup = factories.drawn(4, name="Autumn Cup")
        factories.play(cup, matches_at_most=1)
        person = visitor(factories.make_user()).open("/new/")
        send_file(person, "/new/import/", write_document(export(cup.pk)))
        assert "The tournament is imported, and you are its organiser." in person.text
        copied = Tournament.objects.exclude(pk=cup.pk).get()
        assert (copied.created_by, copied.name, copied.status) == (person.user, "Autumn Cup", Status.LIVE)
        factories.play(copied)
        assert factories.fresh(copied).status == Status.COMPLETED
        assert "The tournament was imported." in person.open(f"/t/{copied.pk}/activity/").text

    def test_a_file_that_is_wrong_is_refused_on_the_page(self, visitor):
        person = visitor(factories.make_user()).open("/new/")
        send_file(person, "/new/import/", b'{"format": "deltacrown/9"}')
        assert person.status == 400
        assert person.sentence.startswith("format: ")
        assert person.has_form("/new/create/")
        assert not Tournament.objects.exists()

    @pytest.mark.parametrize("more", [1, 2**20], ids=["by-its-bytes", "by-its-head"])
    def test_a_file_that_is_too_large_is_refused_on_the_page(self, visitor, more):
        person = visitor(factories.make_user()).open("/new/")
        send_file(person, "/new/import/", b" " * (MAX_BYTES + more))
        assert (person.status, person.sentence) == (413, "The file is too large: at most 8 MiB.")

    def test_a_form_of_another_site_is_refused(self, visitor):
        person = visitor(factories.make_user())
        answer = person.client.post("/new/import/", {"file": SimpleUploadedFile("a", b"{}")})
        assert answer.status_code == 403
        assert person.client.get("/new/import/").status_code == 405


class TestRatings:
    def test_seeds_by_rating_on_the_console(self, visitor):
        cup = factories.open_with_entries(2, game="Chess")
        second = cup.entries.order_by("-pk").first()
        Rating.objects.create(game="Chess", user=second.user, mu=30, sigma=2, matches=4)
        page = visitor(cup.created_by).open(f"/t/{cup.pk}/manage/entrants/")
        page.send(f"/t/{cup.pk}/manage/entrants/seed-by-rating/")
        assert "Seeded by rating." in page.text
        assert "By rating: the strongest first" in page.text
        second.refresh_from_db()
        assert second.seed == 1
        assert "Seeds were given by rating." in page.open(f"/t/{cup.pk}/activity/").text

    def test_ones_own_and_ones_teams_on_ones_page(self, visitor):
        person = factories.make_user()
        team = teams.create(Actor(person), name="Reds").ids["team_id"]
        assert "Ratings" not in visitor(person).open("/me/").text
        Rating.objects.create(game="Chess", user=person, mu=27.44, sigma=3.1, matches=1)
        Rating.objects.create(game="Go", team_id=team, mu=21, sigma=2, matches=9)
        text = visitor(person).open("/me/").text
        assert "Chess 27.4 ± 3.1 1 match" in text
        assert "Go Reds 21.0 ± 2.0 9 matches" in text
