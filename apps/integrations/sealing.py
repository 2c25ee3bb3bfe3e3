"""
What has to be read again and must not lie open in the database: secrets that sign, addresses that are secrets.

Encrypted and authenticated with a key that is derived from SECRET_KEY, so a stolen copy of the database is of no use
without the settings. Keys in SECRET_KEY_FALLBACKS can still be read with.
"""

from base64 import urlsafe_b64encode
from functools import cache

import msgspec
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.utils.crypto import salted_hmac


class Secrets(msgspec.Struct, frozen=True):
    """What is secret of an endpoint. `key` signs; "" where nothing is signed."""

    url: str
    key: str = ""


class Unreadable(Exception):
    """Raised when something was sealed with another SECRET_KEY."""


def seal(secrets: Secrets) -> str:
    return seal_bytes(msgspec.json.encode(secrets))


def unseal(sealed: str) -> Secrets:
    """Return what was sealed. Raises Unreadable."""
    return msgspec.json.decode(unseal_bytes(sealed), type=Secrets)


def seal_bytes(secret: bytes) -> str:
    return _box(_keys()).encrypt(secret).decode()


def unseal_bytes(sealed: str) -> bytes:
    """Return what was sealed. Raises Unreadable."""
    try:
        return _box(_keys()).decrypt(sealed.encode())
    except InvalidToken:
        raise Unreadable from None


def _keys() -> tuple[str | bytes, ...]:
    return (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)


@cache
def _box(keys: tuple[str | bytes, ...]) -> MultiFernet:
    return MultiFernet([Fernet(urlsafe_b64encode(_derived(key))) for key in keys])


def _derived(key: str | bytes) -> bytes:
    return salted_hmac("deltacrown.integrations", "sealing", secret=key, algorithm="sha256").digest()
