"""What opens an account or a room is never written down, whatever goes wrong and however much is logged."""

import io
import logging

import pytest
from django.conf import settings as django_settings
from django.test import Client

from apps.tournaments.selectors import lists
from deltacrown.logging import configure
from tests.factories import PASSWORD, drawn, make_user
from tests.integration.accounts.client import call, sign_in, tokens, who

pytestmark = pytest.mark.django_db


@pytest.fixture(params=[False, True], ids=["terminal", "json"])
def written(request):
    """Everything that is logged, as it is written, at the most talkative level."""
    configure({"level": "DEBUG", "json": request.param})
    [handler] = [h for h in logging.getLogger().handlers if type(h) is logging.StreamHandler]
    output = io.StringIO()
    handler.setStream(output)
    yield output
    configure(django_settings.LOGGING)


def test_no_token_and_no_password_reaches_the_log(written, monkeypatch, settings):
    settings.DEBUG = True  # where Django and ninja say more
    make_user("ann", password=PASSWORD)
    room = f"tournament:{drawn(2).pk}"
    access, refresh = tokens(sign_in())
    api_token, hook = "dct_" + "a-B_9" * 8, "https://discord.com/api/webhooks/123456789/" + "c-D_8" * 14
    signing = "whsec_" + "e+F/7" * 8 + "=="
    client = Client(headers={"Authorization": f"Bearer {access}"})
    answer = client.post("/api/v1/realtime/token", {"room": room}, content_type="application/json")
    room_token = answer.json()["token"]

    assert who(access) == "ann"
    sign_in("wrong password of ann")
    call("POST", "/tokens/refresh", {"refresh_token": refresh})
    for header in (f"Token {access}", f"bearer  {access}", f"Bearer {access}x", f"Basic {access}"):
        Client(headers={"Authorization": header}).get("/api/v1/me")
    for path in ("/api/v1/nothing", f"/ws/tournament/{room}/", "/api/v1/tournaments"):
        client.get(path, {"token": room_token})
    monkeypatch.setattr(lists, "visible_tournaments", lambda *_, **__: 1 / 0)
    client.get("/api/v1/tournaments", {"token": room_token})
    logging.getLogger("anything").warning("%s and %s", f"?token={room_token}", {"bearer": access})
    logging.getLogger("anything").warning("%s %s %s", {"Authorization": f"Bearer {api_token}"}, [hook], signing)
    logging.getLogger("anything").warning("%s", (api_token, signing))
    logging.getLogger("anything").error("sec-websocket-protocol: deltacrown.v1, bearer.%s", room_token)

    text = written.getvalue()
    assert "ZeroDivisionError" in text, "the log was not looked at"
    for secret in (access, refresh, room_token):
        signature = secret.rpartition(".")[2]
        assert secret not in text
        assert signature not in text
    for secret in (api_token[4:], hook.rpartition("/")[2], signing[6:-2]):
        assert secret not in text
    for password in (PASSWORD, "wrong password of ann"):
        assert password not in text
