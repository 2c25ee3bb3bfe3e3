"""What an administrator takes away ends at once, wherever it is in use: sessions, tokens, open connections."""

import pytest
from allauth.usersessions.models import UserSession
from asgiref.sync import sync_to_async
from django.test import Client

from apps.accounts.models import User
from apps.accounts.tokens import issue_room_token
from tests import factories
from tests.rooms import open_room
from tests.server import client

pytestmark = pytest.mark.django_db(transaction=True)

PEOPLE, SESSIONS = "/admin/accounts/user/", "/admin/usersessions/usersession/"


def by_action(root: Client, user: User, session: UserSession) -> None:
    root.post(PEOPLE, {"action": "block", "_selected_action": [user.pk]})


def by_form(root: Client, user: User, session: UserSession) -> None:
    root.post(f"{PEOPLE}{user.pk}/change/", {"first_name": "", "last_name": ""})  # is_active is not ticked


def by_password(root: Client, user: User, session: UserSession) -> None:
    new = {"password1": "another long passphrase", "password2": "another long passphrase", "usable_password": "true"}
    assert root.post(f"{PEOPLE}{user.pk}/password/", new).status_code == 302


def by_session(root: Client, user: User, session: UserSession) -> None:
    root.post(SESSIONS, {"action": "end", "_selected_action": [session.pk]})


@pytest.mark.parametrize("end", [by_action, by_form, by_password, by_session])
async def test_open_connections_close_and_the_session_is_of_no_use(address, end, settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    user, cup, root, browser, token = await sync_to_async(_scene)()
    session = await UserSession.objects.aget(user=user)
    async with client(address, f"/ws/tournament/{cup.pk}/?token={token}") as socket:
        await open_room(socket)
        await sync_to_async(end)(root, user, session)
        assert await socket.closed() == 4001
    assert (await sync_to_async(browser.get)("/me/")).status_code == 302
    assert await sync_to_async(lambda: root.get("/admin/").status_code)() == 200


def _scene():
    user, cup = factories.make_user("ann", password=factories.PASSWORD), factories.drawn(2)
    holder = factories.signed_in(user)
    UserSession.objects.create(user=user, ip="203.0.113.7", user_agent="Browser", session_key=holder.session_key)
    root, browser = Client(), Client()
    root.force_login(factories.make_user("root", is_superuser=True))
    browser.cookies["sessionid"] = holder.session_key
    assert browser.get("/me/").status_code == 200
    return user, cup, root, browser, issue_room_token(cup.stream, holder)[0]


@pytest.mark.django_db
def test_who_was_blocked_has_to_sign_in_again_when_let_in():
    user, _, root, browser, _ = _scene()
    root.post(PEOPLE, {"action": "block", "_selected_action": [user.pk]})
    root.post(PEOPLE, {"action": "unblock", "_selected_action": [user.pk]})
    user.refresh_from_db()
    assert user.is_active
    assert browser.get("/me/").status_code == 302


@pytest.mark.django_db
def test_nobody_locks_themselves_out_by_ticking_everybody():
    _, _, root, _, _ = _scene()
    root.post(PEOPLE, {"action": "block", "_selected_action": list(User.objects.values_list("pk", flat=True))})
    assert list(User.objects.filter(is_active=True).values_list("username", flat=True)) == ["root"]
