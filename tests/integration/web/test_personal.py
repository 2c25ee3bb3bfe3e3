"""A person's own data on the pages: the file with all of it, and the end of the account."""

import json
import zipfile
from io import BytesIO

import pytest
from allauth.account.internal.flows.login import record_authentication
from django.core.cache import cache
from django.test import RequestFactory

from apps.accounts.models import User
from apps.privacy.held import HELD, NOT_TOLD
from apps.tournaments.services import Actor, tournaments
from tests import factories
from tests.lives import NAME, TRACES, whole_life

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("media", "fresh_limits")]

DELETE, FILE = "/me/delete/", "/me/data/download/"


@pytest.fixture
def life(settings):
    cache.clear()  # wrong passwords are counted there
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    return whole_life()


def downloaded(visitor, user):
    """Return the files of the archive, by name."""
    answer = visitor(user).open(FILE).response
    assert answer["Content-Disposition"].startswith("attachment;")
    assert answer["Cache-Control"] == "no-store"
    with zipfile.ZipFile(BytesIO(b"".join(answer.streaming_content))) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


class TestTheFile:
    def test_has_all_that_tells_who_the_person_is_and_no_secret(self, visitor, life):
        files = downloaded(visitor, life.user)
        text = files["data.json"].decode()
        # A name that was another one before stands in the log of the tournament alone.
        assert [trace for trace in TRACES if trace not in text] == ["Zoë Quist"]
        assert [secret for secret in life.secrets if secret in text or secret in files["log.jsonl"].decode()] == []
        assert files[f"images/{life.image.file}"] == b"image"

    def test_says_how_matches_went_and_what_the_person_did(self, visitor, life):
        files = downloaded(visitor, life.user)
        data, done = json.loads(files["data.json"]), [json.loads(line) for line in files["log.jsonl"].splitlines()]
        won = [match for match in data["matches"] if match["tournament_id"] == life.over.pk]
        assert [(match["score"], match["won"]) for match in won] == [([2, 0], True)] * len(won) != []
        assert {(row["stream__name"], row["type"]) for row in done} >= {
            (life.on.stream, "result_disputed"),
            (life.shared.stream, "member_added"),
        }
        assert [row["team"] for row in data["plays_in_rosters_of"]] == ["Blues", "Whites"]
        assert [row["tournament_id"] for row in data["bans"]] == [life.watched.pk]

    def test_has_nothing_of_somebody_else(self, visitor, life):
        files = downloaded(visitor, life.friend)
        text = "".join(files[name].decode() for name in ("data.json", "log.jsonl"))
        assert [trace for trace in TRACES if trace in text] == []
        assert set(files) == {"data.json", "log.jsonl"}

    def test_is_made_a_few_times_an_hour_and_no_more(self, visitor, life, settings):
        settings.ACCOUNT_RATE_LIMITS = settings.ACCOUNT_RATE_LIMITS | {"data_download": "2/h/user"}
        person = visitor(life.user)
        answers = [person.open(FILE).response for _ in range(3)]
        for answer in answers:
            answer.close()
        assert [answer.status_code for answer in answers] == [200, 200, 429]

    def test_guests_sign_in_first(self, visitor):
        assert visitor().open(FILE).response["Location"] == "/accounts/login/?next=/me/data/"


def test_every_table_that_refers_to_people_is_in_the_file_or_said_not_to_be():
    """Whoever adds one says in `apps.privacy.held` what of it people get."""
    related = [
        field for field in User._meta.get_fields(include_hidden=True) if field.auto_created and field.is_relation
    ]
    theirs = {(field.related_model._meta.label, field.field.name) for field in related if not field.many_to_many}
    assert sorted({(held.model, held.field) for held in HELD} | NOT_TOLD.keys()) == sorted(theirs)


class TestTheEnd:
    def test_the_page_says_what_will_happen_and_the_password_does_it(self, visitor, life):
        page = visitor(life.user).open("/me/").open("/me/data/").open(DELETE)
        for words in ("Blues to captain1", NAME, "Withdrawn, so that opponents walk over", "Former entrant"):
            assert words in page.text
        page.send(DELETE, password=factories.PASSWORD)
        assert page.response.request["PATH_INFO"] == "/"
        assert "Your account is deleted." in page.text
        assert "Sign in" in page.text
        assert not User.objects.filter(username=NAME).exists()
        assert page.open("/me/").response.status_code == 302

    @pytest.mark.parametrize("password", ["", "wrong"])
    def test_another_password_ends_nothing(self, visitor, life, password):
        page = visitor(life.user).open(DELETE).send(DELETE, password=password)
        assert (page.status, page.sentence) == (400, "This is not your password.")
        assert User.objects.filter(username=NAME).exists()
        assert "wrong" not in page.html

    def test_who_guesses_is_stopped(self, visitor, life):
        page = visitor(life.user).open(DELETE)
        for _ in range(5):
            page.send(DELETE, password="wrong")
        page.send(DELETE, password=factories.PASSWORD)
        assert page.status == 429
        assert User.objects.filter(username=NAME).exists()

    def test_the_only_organiser_is_told_where_to_hand_over_and_cannot_go(self, visitor, life):
        page = visitor(life.user).open(DELETE)
        form = page.form(DELETE)
        tournaments.remove_member(Actor(life.user), life.shared.pk, life.friend.pk)
        page.open(DELETE)
        assert f"/t/{life.shared.pk}/manage/staff/" in page.html
        assert not page.has_form(DELETE)
        page.post(DELETE, form | {"password": factories.PASSWORD})
        assert page.status == 409
        assert page.sentence.startswith(f"You are the only organiser of {life.shared.name}. Make somebody else")

    def test_without_a_password_a_sign_in_of_this_moment_is_asked_for(self, visitor):
        user = factories.make_user()
        page = visitor(user).open(DELETE)
        assert "You signed in a while ago." in page.text
        assert not page.has_form(DELETE)
        request = RequestFactory().get("/")
        request.session = page.client.session
        record_authentication(request, user, "socialaccount")
        request.session.save()
        page.open(DELETE).send(DELETE)
        assert not User.objects.filter(pk=user.pk).exists()

    def test_nobody_is_deleted_by_opening_a_page_or_from_elsewhere(self, visitor, life):
        page = visitor(life.user).open(DELETE)
        assert page.client.post(DELETE, {"password": factories.PASSWORD}).status_code == 403
        assert visitor().open(DELETE).response.status_code == 302
        assert User.objects.filter(username=NAME).exists()
