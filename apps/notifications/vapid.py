"""
The key by which push services know this site (VAPID, RFC 8292): from the settings, or made at its first use and kept.

A subscription belongs to the key it was made with; with another key, every browser has to be switched on again.
"""

from functools import cache

import structlog
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import settings
from py_vapid import Vapid02

from apps.integrations.sealing import Unreadable, seal_bytes, unseal_bytes
from apps.notifications.base64url import decoded, encoded
from apps.notifications.models import SiteKey

logger = structlog.get_logger(__name__)

_NAME = "vapid"
_BYTES = 32
LIFETIME = 12 * 3600  # seconds of a token; RFC 8292 allows 24 hours


def public_key() -> str:
    """Return what a browser subscribes with: the point on P-256, uncompressed, in base64url."""
    point = _private_key(_raw()).public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return encoded(point)


def authorization(audience: str, now: int) -> str:
    """Return the header `Authorization` for a push service. `audience`: its origin; `now`: seconds since 1970."""
    signer = Vapid02.from_raw(encoded(_raw()).encode())
    claims = {"aud": audience, "sub": settings.VAPID_CONTACT, "exp": now + LIFETIME}
    return str(signer.sign(claims)["Authorization"])


def _raw() -> bytes:
    if settings.VAPID_PRIVATE_KEY:
        return decoded(settings.VAPID_PRIVATE_KEY)
    row, _ = SiteKey.objects.get_or_create(name=_NAME, defaults={"sealed": _made()})
    try:
        return unseal_bytes(row.sealed)
    except Unreadable:
        # SECRET_KEY is another one. Whoever replaces the key first has; everybody reads that one.
        logger.warning("vapid_key_replaced")
        SiteKey.objects.filter(pk=row.pk, sealed=row.sealed).update(sealed=_made())
        return unseal_bytes(SiteKey.objects.get(pk=row.pk).sealed)


def _made() -> str:
    number = ec.generate_private_key(ec.SECP256R1()).private_numbers().private_value
    return seal_bytes(number.to_bytes(_BYTES, "big"))


@cache
def _private_key(raw: bytes) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(int.from_bytes(raw, "big"), ec.SECP256R1())
