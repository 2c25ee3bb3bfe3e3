"""A token is worth what its session is worth now. What ends a session for Django and allauth ends it for rooms too."""

from collections.abc import Callable
from datetime import timedelta

import jwt
import pytest
from allauth.headless.tokens.strategies.jwt.internal import (
    create_access_token,
    get_token_session,
    session_key_to_sid,
    validate_token_user,
)
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.core import signing
from django.utils import timezone

from apps.accounts.models import User
from apps.accounts.revocation import session_name
from apps.accounts.tokens import SignedIn, TokenError, _room_key, from_access_token, issue_room_token, read_token
from tests.factories import PASSWORD, make_user, signed_in

pytestmark = pytest.mark.django_db

ROOM = "tournament:7"


@pytest.fixture
def holder() -> SignedIn:
    return signed_in(make_user("ann", password=PASSWORD, is_superuser=True))


def room_token(holder: SignedIn) -> str:
    return issue_room_token(ROOM, holder)[0]


def access_token(holder: SignedIn) -> str:
    return create_access_token(holder.user, SessionStore(holder.session_key), {})


def holds(token: str) -> bool:
    """Return whether a token is accepted, or refused as one that has expired, which none here is."""
    try:
        read_token(token, room=ROOM)
    except TokenError as error:
        return error.expired
    return True


def allauth_accepts(token: str) -> bool:
    claims = jwt.decode(token, options={"verify_signature": False})
    session = get_token_session(claims)
    return session is not None and validate_token_user(claims, session) is not None


def rewrite(holder: SignedIn, **changed: str | None) -> None:
    """Change values in a session; what is changed to None is left out."""
    store = SessionStore(holder.session_key)
    for name, value in changed.items():
        if value is None:
            del store[name]
        else:
            store[name] = value
    store.save()


def row(holder: SignedIn):
    return Session.objects.filter(session_key=holder.session_key)


def user(holder: SignedIn):
    return User.objects.filter(pk=holder.user.pk)


def new_password(holder: SignedIn) -> None:
    holder.user.set_password("another long passphrase")
    holder.user.save()


def signed_for_something_else(holder: SignedIn) -> None:
    data = signing.dumps(dict(SessionStore(holder.session_key).items()), salt="something.else", compress=True)
    row(holder).update(session_data=data)


def somebody_elses(holder: SignedIn) -> None:
    other = signed_in(make_user("bob"))
    row(holder).update(session_data=row(other).get().session_data)


ENDINGS: dict[str, Callable[[SignedIn], object]] = {
    "signed out": lambda holder: row(holder).delete(),
    "expired": lambda holder: row(holder).update(expire_date=timezone.now()),
    "a new password": new_password,
    "blocked": lambda holder: user(holder).update(is_active=False),
    "deleted": lambda holder: user(holder).delete(),
    "of another user now": somebody_elses,
    "of another user, by the number alone": lambda holder: rewrite(holder, **{SESSION_KEY: str(make_user("bob").pk)}),
    "of nobody": lambda holder: rewrite(holder, **{SESSION_KEY: None}),
    "by a backend that is not in use": lambda holder: rewrite(
        holder, **{BACKEND_SESSION_KEY: "django.contrib.auth.backends.ModelBackend"}
    ),
    "by no backend": lambda holder: rewrite(holder, **{BACKEND_SESSION_KEY: None}),
    "with another hash": lambda holder: rewrite(holder, **{HASH_SESSION_KEY: "0" * 64}),
    "with an empty hash": lambda holder: rewrite(holder, **{HASH_SESSION_KEY: ""}),
    "without a hash": lambda holder: rewrite(holder, **{HASH_SESSION_KEY: None}),
    "empty": lambda holder: row(holder).update(session_data=SessionStore().encode({})),
    "signed for something else": signed_for_something_else,
    "tampered with": lambda holder: row(holder).update(session_data="x" + row(holder).get().session_data),
    "no session data at all": lambda holder: row(holder).update(session_data=""),
}


@pytest.mark.parametrize("kind", [room_token, access_token])
@pytest.mark.parametrize("ending", ENDINGS)
def test_a_token_ends_with_its_session(holder, kind, ending):
    token = kind(holder)
    assert holds(token)
    assert allauth_accepts(token)
    ENDINGS[ending](holder)
    assert not holds(token)
    if kind is access_token:
        assert from_access_token(token) is None
    assert not allauth_accepts(token)  # last: it deletes a session that does not hold


@pytest.mark.parametrize("kind", [room_token, access_token])
def test_a_change_elsewhere_does_not_end_it(holder, kind):
    token, elsewhere = kind(holder), signed_in(holder.user)
    row(elsewhere).delete()
    user(holder).update(first_name="Ann", email="other@example.test", last_login=timezone.now())
    rewrite(holder, something="else")
    row(holder).update(expire_date=timezone.now() + timedelta(seconds=60))
    assert holds(token)
    assert allauth_accepts(token)


def test_who_holds_a_room_token(holder, django_assert_num_queries):
    with django_assert_num_queries(1):
        identity = read_token(room_token(holder), room=ROOM)
    stored = user(holder).get()
    assert (identity.id, identity.username, identity.user) == (f"user:{stored.pk}", "ann", stored)
    assert identity.session == session_name(holder.session_key)
    assert identity.ticket
    for field in User._meta.concrete_fields:
        assert getattr(identity.user, field.attname) == getattr(stored, field.attname), field.attname


def test_who_holds_an_access_token(holder, django_assert_num_queries):
    token = access_token(holder)
    with django_assert_num_queries(1):
        assert read_token(token, room=ROOM).ticket == ""
    with django_assert_num_queries(2):
        signed = from_access_token(token)
        assert (signed.user, signed.user.email) == (holder.user, "ann@example.test")
    assert signed.session_key == holder.session_key


@pytest.mark.parametrize("sub", ["", "0", "-1", "+{}", "0{}", " {}", "{} ", "{}.0", "{}x", "guest:{}", "１"])  # noqa: RUF001
def test_a_user_has_one_spelling(holder, sub):
    assert not holds(altered(holder, sub=sub.format(holder.user.pk)))


@pytest.mark.parametrize("sid", ["", "A", "%%%", "AAAA", "A" * 22 + "==", "A" * 64, 7, None, ["x"]])
def test_what_names_no_session_opens_nothing(holder, sid):
    assert not holds(altered(holder, sid=sid))


def test_a_session_key_itself_names_none(holder):
    assert not holds(altered(holder, sid=holder.session_key))


def test_the_session_of_somebody_else_opens_nothing(holder):
    other = signed_in(make_user("bob"))
    assert not holds(altered(holder, sid=session_key_to_sid(other.session_key)))


def altered(holder: SignedIn, **claims: object) -> str:
    """Return a room token of ours that says something that we never say."""
    good = jwt.decode(room_token(holder), options={"verify_signature": False})
    return jwt.encode(good | claims, _room_key(settings.SECRET_KEY), algorithm="HS256")


def test_a_session_from_before_a_new_secret_key_goes_on(holder, settings):
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "n" * 50
    token = room_token(holder)
    assert holds(token)
    settings.SECRET_KEY_FALLBACKS = []
    assert not holds(token)
    assert row(holder).exists()
