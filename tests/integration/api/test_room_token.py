"""Tokens for rooms: for whom, for what, and what they say."""

import jwt
import pytest
from django.test import Client

from apps.accounts.tokens import TokenError, read_token
from tests.factories import PASSWORD, drawn, make_user
from tests.integration.api.client import Person, ok, refused, sign_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def cup():
    return drawn(2)


def test_a_guest_watches_as_somebody_without_an_account(cup):
    room = f"tournament:{cup.pk}"
    answer = ok(Person().post("/realtime/token", {"room": room}))
    holder = read_token(answer["token"], room=room)
    assert (holder.user, holder.username, answer["room"]) == (None, "guest", room)
    assert holder.id.startswith("guest:")
    claims = jwt.decode(answer["token"], options={"verify_signature": False})
    assert claims["exp"] - claims["iat"] == answer["expires_in"]


def test_a_user_is_named(cup):
    user, room = make_user(), f"match:{cup.matches.get().pk}"
    holder = read_token(ok(Person(user).post("/realtime/token", {"room": room}))["token"], room=room)
    assert (holder.user, holder.id) == (user, f"user:{user.pk}")


def test_an_access_token_gets_one_too(cup):
    user, room = make_user(password=PASSWORD), f"tournament:{cup.pk}"
    person = Person(token=sign_in(user)["access_token"])
    assert read_token(ok(person.post("/realtime/token", {"room": room}))["token"], room=room).user == user


def test_opens_no_other_room(cup):
    token = ok(Person().post("/realtime/token", {"room": f"tournament:{cup.pk}"}))["token"]
    with pytest.raises(TokenError):
        read_token(token, room=f"tournament:{cup.pk + 1}")


@pytest.mark.parametrize("signed_in", [False, True])
def test_a_page_needs_no_csrf_token_for_it(cup, signed_in):
    client = Client(enforce_csrf_checks=True)
    if signed_in:
        client.force_login(make_user())
    body = {"room": f"tournament:{cup.pk}"}
    assert client.post("/api/v1/realtime/token", body, content_type="application/json").status_code == 200


def test_a_room_that_is_not_there_has_none():
    refused(Person().post("/realtime/token", {"room": "tournament:999"}), 404, "not_found")
    refused(Person().post("/realtime/token", {"room": f"match:{10**18 - 1}"}), 404, "not_found")


@pytest.mark.parametrize(
    "room",
    ["tournament:0", "tournament:007", "tournament:٣", "tournament:1\n", "tournament: 1", "match:-1", "match:",
     "stage:1", "TOURNAMENT:1", "tournament:1" + "0" * 18, "", 7, None, ["tournament:1"]],
)  # fmt: skip
def test_a_misspelt_room_is_refused(room):
    refused(Person().post("/realtime/token", {"room": room}), 422, "invalid_schema")
