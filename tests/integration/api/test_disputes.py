"""Disputes over the API: who opens one, who sees it, what counts as evidence and who gets it, and the ruling."""

import hashlib
import io
import json
import zipfile
from random import Random
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart
from PIL import Image

from apps.tournaments.images import MAX_BYTES
from apps.tournaments.models import Evidence, Match, Role
from apps.tournaments.services import Actor, disputes, matches, tournaments
from engine.match_flow import Score
from tests.factories import PASSWORD, drawn, make_user
from tests.integration.api.client import Person, ok, refused, sign_in
from tests.pictures import picture, png

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("media")]


class Scene:
    """A match whose sides have reported different results."""

    def __init__(self):
        self.cup = drawn(4)
        self.match = self.cup.matches.select_related("home__user", "away__user").get(number=1)
        self.path = f"/matches/{self.match.pk}"
        self.home, self.away = Person(self.match.home.user), Person(self.match.away.user)
        self.organizer = Person(self.cup.created_by)
        matches.report(Actor(self.match.home.user), self.match.pk, Score(2, 1))
        matches.report(Actor(self.match.away.user), self.match.pk, Score(1, 2))

    def add(self, person, content=None, **options):
        return person.upload(f"{self.path}/evidence", png() if content is None else content, **options)


@pytest.fixture
def scene():
    return Scene()


class TestDispute:
    def test_two_different_reports_open_one_and_a_ruling_resolves_it(self, scene):
        match = ok(Person().get(scene.path))
        assert (match["state"], match["reported_by"]) == ("disputed", "home")
        assert (match["report"]["home_score"], match["counter_report"]["home_score"]) == (2, 1)
        dispute = ok(scene.home.get(f"{scene.path}/dispute"))
        assert (dispute["match"], dispute["opened_by"], dispute["cause"]) == (scene.match.pk, None, "score")
        body = {"home_score": 1, "away_score": 2, "ruling": "The screenshot shows it."}
        done = ok(scene.organizer.post(f"{scene.path}/complete", body))["match"]
        assert (done["state"], done["winner"]) == ("completed", scene.match.away_id)
        resolved = ok(scene.home.get(f"{scene.path}/dispute"))
        assert (resolved["ruling"], resolved["resolved_by"]) == (body["ruling"], scene.cup.created_by.username)
        assert resolved["resolved_at"]

    def test_a_side_opens_one_with_a_cause_once(self):
        match = drawn(2).matches.get()
        home, referee = Person(match.home.user), Person(match.tournament.created_by)
        ok(referee.post(f"/matches/{match.pk}/start"))
        body = {"cause": "no_show", "text": " They left.\n"}
        first = ok(home.post(f"/matches/{match.pk}/dispute", body, key="k"))
        assert first["match"]["state"] == "disputed"
        assert ok(home.post(f"/matches/{match.pk}/dispute", body, key="k")) == first
        dispute = ok(referee.get(f"/matches/{match.pk}/dispute"))
        assert (dispute["opened_by"], dispute["cause"], dispute["text"]) == ("home", "no_show", "They left.")
        refused(home.post(f"/matches/{match.pk}/dispute", body), 409, "conflict")
        both = ok(referee.post(f"/matches/{match.pk}/forfeit", {"loser": "both", "ruling": "Neither played."}))["match"]
        assert (both["state"], both["winner"]) == ("forfeit", None)
        assert ok(home.get(f"/matches/{match.pk}/dispute"))["ruling"] == "Neither played."

    @pytest.mark.parametrize("body", [{}, {"text": ""}, {"text": "x" * 2001}, {"text": "a\0"}, {"cause": "weather"}])
    def test_without_a_reason_it_is_refused(self, body):
        match = drawn(2).matches.get()
        refused(Person(match.home.user).post(f"/matches/{match.pk}/dispute", body), 422, "invalid_schema")

    def test_it_is_for_both_sides_and_the_staff(self, scene):
        other = scene.cup.matches.get(number=2)
        referee = make_user()
        tournaments.add_member(Actor(scene.cup.created_by), scene.cup.pk, username=referee.username, role=Role.REFEREE)
        admin = make_user(is_superuser=True)
        for person in (scene.home, scene.away, scene.organizer, Person(referee), Person(admin)):
            ok(person.get(f"{scene.path}/dispute"))
        for person in (Person(make_user()), Person(other.home.user), Person(drawn(2).created_by)):
            refused(person.get(f"{scene.path}/dispute"), 403, "permission_denied")
        refused(Person().get(f"{scene.path}/dispute"), 401, "authentication_required")
        refused(scene.organizer.get(f"/matches/{other.pk}/dispute"), 404, "not_found")

    def test_nothing_of_it_is_public(self, scene):
        before = ok(Person().get(f"/tournaments/{scene.cup.pk}/snapshot"))
        added = ok(scene.add(scene.home), 201)
        assert added["seq"] == before["seq"]
        assert ok(Person().get(f"/tournaments/{scene.cup.pk}/snapshot")) == before
        assert "evidence" not in Person().get(f"/tournaments/{scene.cup.pk}/events").content.decode()


class TestEvidence:
    @pytest.mark.parametrize(
        ("content", "content_type"),
        [
            (picture("PNG"), "image/png"),
            (picture("JPEG"), "image/jpeg"),
            (picture("WEBP"), "image/jpeg"),
            (picture("PNG", mode="L", colour="white"), "image/png"),
        ],
    )
    def test_a_picture_is_kept_under_the_hash_of_its_content_and_shown_as_it_is(self, scene, content, content_type):
        added = ok(scene.add(scene.home, content, name="../../photo.svg"), 201)["evidence"]
        assert (added["content_type"], added["uploaded_by"]) == (content_type, scene.match.home.user.username)
        row = Evidence.objects.get()
        answer = scene.away.get(f"/evidence/{added['id']}")
        assert answer.status_code == 200
        assert answer["Content-Type"] == content_type
        assert Image.open(io.BytesIO(answer.content)).size == (8, 8)
        assert len(answer.content) == added["size"]
        assert row.file.partition(".")[0] == hashlib.sha256(answer.content).hexdigest()
        assert default_storage.listdir("evidence")[1] == [row.file]
        [told] = ok(scene.organizer.get(f"{scene.path}/dispute"))["evidence"]
        assert told == added

    def test_a_browser_takes_it_for_nothing_but_a_picture_and_asks_each_time(self, scene):
        added = ok(scene.add(scene.home), 201)["evidence"]
        answer = scene.home.get(f"/evidence/{added['id']}")
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["Content-Disposition"].startswith('inline; filename="')
        assert answer["Content-Security-Policy"] == "default-src 'none'; sandbox"
        assert answer["Cross-Origin-Resource-Policy"] == "same-origin"
        assert answer["Cache-Control"] == "private, no-cache"
        assert {"Cookie", "Authorization"} <= set(answer["Vary"].split(", "))
        path, headers = f"/api/v1/evidence/{added['id']}", {"If-None-Match": answer["ETag"]}
        unchanged = scene.home.client.get(path, headers=headers)
        assert (unchanged.status_code, unchanged.content) == (304, b"")
        tournaments.add_member(
            Actor(scene.cup.created_by), scene.cup.pk, username=scene.match.home.user.username, role=Role.REFEREE
        )
        stranger = Person(make_user())
        refused(stranger.client.get(path, headers=headers), 404, "not_found")

    def test_there_is_no_other_way_to_it(self, scene):
        ok(scene.add(scene.home), 201)
        path = Evidence.objects.get().path
        for address in (default_storage.url(path), f"/media/{path}", f"/static/{path}", f"/static/../media/{path}"):
            assert scene.organizer.client.get(address).status_code == 404

    def test_it_is_for_both_sides_and_the_staff_and_does_not_exist_for_others(self, scene):
        path = f"/evidence/{ok(scene.add(scene.home), 201)['evidence']['id']}"
        for person in (scene.home, scene.away, scene.organizer, Person(make_user(is_superuser=True))):
            assert person.get(path).status_code == 200
        other = scene.cup.matches.get(number=2)
        for person in (Person(make_user()), Person(other.home.user), Person(drawn(2).created_by)):
            assert refused(person.get(path), 404, "not_found") == refused(person.get("/evidence/9"), 404, "not_found")
        refused(Person().get(path), 401, "authentication_required")

    def test_both_sides_and_the_staff_add_it_and_nobody_else_has_it_looked_at(self, scene, monkeypatch):
        for person, colour in ((scene.home, "red"), (scene.away, "green"), (scene.organizer, "blue")):
            ok(scene.add(person, png(colour)), 201)
        monkeypatch.setattr(disputes, "checked_image", lambda data: pytest.fail("decoded"))
        other = scene.cup.matches.get(number=2)
        for person in (Person(make_user()), Person(other.home.user), Person(drawn(2).created_by)):
            refused(scene.add(person), 403, "permission_denied")
        refused(scene.add(Person()), 401, "authentication_required")
        refused(scene.organizer.upload(f"/matches/{other.pk}/evidence", png()), 409, "conflict")
        refused(scene.organizer.upload("/matches/999999/evidence", png()), 404, "not_found")
        assert Evidence.objects.count() == 3

    def test_the_same_picture_twice_is_one(self, scene):
        first = ok(scene.add(scene.home), 201)
        assert ok(scene.add(scene.away), 201) == first
        assert Evidence.objects.count() == 1
        elsewhere = Scene()
        again = ok(elsewhere.add(elsewhere.home), 201)["evidence"]
        assert again["id"] != first["evidence"]["id"], "another dispute has its own"
        assert len(default_storage.listdir("evidence")[1]) == 1

    def test_a_dispute_holds_ten(self, scene):
        for level in range(10):
            ok(scene.add(scene.home, png(f"rgb({level}, 0, 0)")), 201)
        assert refused(scene.add(scene.away, png("white")), 409, "conflict")["data"] == {"images": 10}
        assert Evidence.objects.count() == 10

    def test_a_dispute_that_is_resolved_takes_no_more(self, scene):
        ok(scene.organizer.post(f"{scene.path}/forfeit", {"loser": "home"}))
        refused(scene.add(scene.home), 409, "conflict")

    def test_a_retry_gets_the_first_answer_also_after_the_ruling(self, scene):
        first = ok(scene.add(scene.home, key="k"), 201)
        ok(scene.organizer.post(f"{scene.path}/forfeit", {"loser": "home"}))
        assert ok(scene.add(scene.home, key="k"), 201) == first
        refused(scene.add(scene.home, png("blue"), key="k"), 409, "conflict")
        assert Evidence.objects.count() == 1

    def test_a_form_of_another_site_is_refused(self, scene):
        client = Client(enforce_csrf_checks=True)
        client.force_login(scene.match.home.user)
        answer = client.post(f"/api/v1{scene.path}/evidence", {"file": io.BytesIO(png())})
        refused(answer, 403, "forbidden")
        assert not Evidence.objects.exists()


class TestRealServer:
    pytestmark = pytest.mark.django_db(transaction=True)

    def test_a_large_picture_comes_in_and_goes_out_as_it_is(self, address):
        scene = Scene()
        noise = Image.frombytes("RGB", (1200, 1200), Random(1).randbytes(3 * 1200 * 1200))
        out = io.BytesIO()
        noise.save(out, "PNG")
        user = scene.match.home.user
        user.set_password(PASSWORD)
        user.save()
        headers = {"Authorization": f"Bearer {sign_in(user)['access_token']}", "Content-Type": MULTIPART_CONTENT}

        def ask(path, content=None):
            form = content and encode_multipart(BOUNDARY, {"file": SimpleUploadedFile("photo.png", content)})
            with urlopen(Request(f"http://{address}/api/v1{path}", form, headers)) as answer:
                return answer.read()

        assert 4 * 2**20 < out.tell() < MAX_BYTES
        added = json.loads(ask(f"{scene.path}/evidence", out.getvalue()))["evidence"]
        shown = ask(f"/evidence/{added['id']}")
        assert Image.open(io.BytesIO(shown)).tobytes() == noise.tobytes()
        with pytest.raises(HTTPError, match="413") as refusal:
            ask(f"{scene.path}/evidence", out.getvalue() + bytes(MAX_BYTES))
        refusal.value.close()


def zipped():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("index.html", "<script>alert(1)</script>")
    return out.getvalue()


def moving(format_):
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    out = io.BytesIO()
    frames[0].save(out, format_, save_all=True, append_images=frames[1:])
    return out.getvalue()


BAD_FILES = {
    "empty": b"",
    "text": b"hello",
    "zeros": b"\0" * 1000,
    "html": b"<!DOCTYPE html><script>alert(1)</script>",
    "svg": b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
    "pdf": b"%PDF-1.7",
    "zip": zipped(),
    "gif": picture("GIF"),
    "bmp": picture("BMP"),
    "tiff": picture("TIFF"),
    "moving gif": moving("GIF"),
    "moving png": moving("PNG"),
    "moving webp": moving("WEBP"),
    "half a png": png()[:45],
    "the head of a png": png()[:30],
    "the name of a png": b"\x89PNG\r\n\x1a\n",
    "the name of a jpeg": b"\xff\xd8\xff",
    "a size that is a lie": png()[:16] + b"\xff\xff\xff\xff" * 2 + png()[24:],
    "41 megapixels": picture("PNG", size=(6400, 6400), mode="1", colour="white"),
}


class TestRefusedFiles:
    @pytest.mark.parametrize("kind", BAD_FILES)
    def test_what_is_no_still_picture_is_refused_and_not_kept(self, scene, media, kind):
        answer = scene.add(scene.home, BAD_FILES[kind])
        assert refused(answer, 400, "bad_request")["data"] == {"field": "file"}
        assert not Evidence.objects.exists()
        assert not media.exists()

    def test_a_picture_that_is_too_large_is_not_kept(self, scene, media):
        refused(scene.add(scene.home, png() + b"\0" * (MAX_BYTES + 1 - len(png()))), 413, "payload_too_large")
        ok(scene.add(scene.home, png() + b"\0" * (MAX_BYTES - len(png()))), 201)
        assert [path.stat().st_size < 1000 for path in media.rglob("*.png")] == [True]

    def test_nothing_of_what_is_announced_as_too_large_is_read(self, scene):
        class Endless:
            taken = 0

            def read(self, size=-1):
                self.taken += size
                return b"x" * size

            readline = read

        body = Endless()
        boundary = {"CONTENT_TYPE": "multipart/form-data; boundary=b", "CONTENT_LENGTH": str(10**9)}
        scene.home.client.cookies["csrftoken"] = "c" * 32  # with it the form is read for the other half
        for client in (scene.home.client, Client(enforce_csrf_checks=True)):
            client.cookies = scene.home.client.cookies
            answer = client.generic("POST", f"/api/v1{scene.path}/evidence", **boundary, **{"wsgi.input": body})
            refused(answer, 413, "payload_too_large")
        assert body.taken == 0

    def test_a_request_without_a_file_is_refused(self, scene):
        path = f"/api/v1{scene.path}/evidence"
        refused(scene.home.client.post(path, {"note": "x"}), 422, "invalid_schema")
        refused(scene.home.client.post(path, {"file": "not a file"}), 422, "invalid_schema")
        refused(scene.home.post(f"{scene.path}/evidence", {"file": "x"}), 415, "bad_request")
        refused(scene.home.client.post(path, b"x", content_type="image/png"), 415, "bad_request")
        refused(scene.home.client.post(path, b"x", content_type="multipart/form-data"), 400, "bad_request")
        many = {f"f{number}": io.BytesIO(b"x") for number in range(101)}
        refused(scene.home.client.post(path, many), 400, "bad_request")
        assert Match.objects.get(pk=scene.match.pk).state == "disputed"
