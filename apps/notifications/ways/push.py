"""
Web push (RFC 8030): encrypted for the one browser (RFC 8291), signed so that its service knows the site (RFC 8292).

`Topic` lets a later message about the same thing replace one that waits for the device; the notification's tag does
the same on the screen.
"""

from http import HTTPStatus
from secrets import token_bytes

import http_ece
import msgspec
from cryptography.hazmat.primitives.asymmetric import ec
from django.templatetags.static import static

from apps.errors import BadRequest
from apps.eventlog.log import iso
from apps.integrations.addresses import parse
from apps.integrations.sealing import Unreadable, unseal_bytes
from apps.integrations.sending import Answer
from apps.notifications import vapid
from apps.notifications.base64url import decoded, encoded
from apps.notifications.ways.base import Errand, Fate, Open, Outcome
from engine.text import gettext_noop

POINT_BYTES, AUTH_BYTES = 65, 16  # RFC 8291, 3.1 and 3.2
_TOPIC_CHARACTERS = 32  # RFC 8030, 5.4


class Subscription(msgspec.Struct, frozen=True):
    """What a browser hands over: an address at its push service, its public key, and a secret; base64url."""

    endpoint: str
    p256dh: str
    auth: str


class Message(msgspec.Struct, frozen=True):
    """What the service worker gets (static/web/js/sw.js). `at`: the time for the mark AT in `body`."""

    id: str
    tag: str
    title: str
    body: str
    at: str
    lang: str
    url: str
    icon: str
    badge: str


def checked(endpoint: str, p256dh: str, auth: str) -> Subscription:
    """
    Return a subscription that messages can be encrypted for and sent to.

    Raises:
        BadRequest: the address is none on the public internet, or the keys are none.
    """
    parse(endpoint)
    try:
        point, secret = decoded(p256dh), decoded(auth)
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
        whole = (len(point), len(secret)) == (POINT_BYTES, AUTH_BYTES)
    except ValueError:
        whole = False
    if not whole:
        raise BadRequest("The browser handed over keys that are none. Switch notifications on again.", field="p256dh")
    return Subscription(endpoint, p256dh, auth)


def send(errand: Errand, line_to: Open) -> Outcome:
    try:
        to = msgspec.json.decode(unseal_bytes(errand.channel.sealed), type=Subscription)
        target = parse(to.endpoint)
    except Unreadable:
        return Outcome(Fate.GONE, gettext_noop("The site has another SECRET_KEY than when this device was added."))
    except BadRequest as refusal:  # what may be connected to is decided by settings
        return Outcome(Fate.OFF, refusal.message)
    origin = f"{target.scheme}://{target.authority}"
    left = (errand.notice.expires_at - errand.now).total_seconds()
    headers = {
        "Authorization": vapid.authorization(origin, int(errand.now.timestamp())),
        "Content-Encoding": "aes128gcm",
        "Content-Type": "application/octet-stream",
        "TTL": str(max(int(left), 0)),
        "Topic": _topic(errand.text.tag),
        "Urgency": "high",
    }
    with line_to(target) as line:
        return _judge(line.post(_encrypted(errand, to), headers))


def _encrypted(errand: Errand, to: Subscription) -> bytes:
    text = errand.text
    message = Message(
        id=errand.id,
        tag=text.tag,
        title=text.title,
        body=text.body,
        at=iso(text.at) if text.at else "",
        lang=errand.language,
        url=text.path,
        icon=static("web/img/icon-192.png"),
        badge=static("web/img/badge-96.png"),
    )
    sealed: bytes = http_ece.encrypt(
        msgspec.json.encode(message),
        salt=token_bytes(16),
        private_key=ec.generate_private_key(ec.SECP256R1()),
        dh=decoded(to.p256dh),
        auth_secret=decoded(to.auth),
        version="aes128gcm",
    )
    return sealed


def _topic(tag: str) -> str:
    return encoded(tag.encode())[:_TOPIC_CHARACTERS]


def _judge(answer: Answer) -> Outcome:
    if answer.is_success:
        return Outcome(Fate.SENT)
    match answer.status:
        case HTTPStatus.NOT_FOUND | HTTPStatus.GONE:
            return Outcome(Fate.GONE, answer.error)
        case HTTPStatus.UNAUTHORIZED | HTTPStatus.FORBIDDEN:
            return Outcome(
                Fate.OFF, gettext_noop("Its push service does not know this site’s key. Switch it on again.")
            )
        case HTTPStatus.BAD_REQUEST | HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            return Outcome(Fate.DROPPED, answer.error)
        case _:
            return Outcome(Fate.RETRY, answer.error, answer.retry_after or 0.0)
