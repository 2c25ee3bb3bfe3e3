"""A cup of two players, a clock that stands, and a push service that can read what a browser could read."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from secrets import token_bytes

import http_ece
import jwt
import pytest
from allauth.account.models import EmailAddress
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.utils import timezone

from apps.notifications import services
from apps.notifications.sending import Notifier
from apps.tournaments.services import Actor, tournaments
from tests import factories
from tests.receiver import Receiver

ORIGIN = "https://cup.example.org/"


class Device:
    """A browser: its keys, its address at the push service, and what it reads of what came there."""

    def __init__(self, service: Receiver) -> None:
        self.service = service
        self.path = f"/push/{token_bytes(8).hex()}"
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._secret = token_bytes(16)

    @property
    def subscription(self) -> dict[str, str]:
        point = self._key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        endpoint = f"http://127.0.0.1:{self.service.port}{self.path}"
        return {"endpoint": endpoint, "p256dh": _text(point), "auth": _text(self._secret)}

    def add(self, user) -> services.Channel:
        return services.add_device(user, **self.subscription, name="Chrome on Android", origin=ORIGIN)

    @property
    def requests(self):
        return [request for request in self.service.requests if request.path == self.path]

    def read(self) -> list[dict[str, str]]:
        """Decrypt what came, as the browser does, after having checked who sent it, as the push service does."""
        return [self._opened(request) for request in self.requests]

    def _opened(self, request) -> dict[str, str]:
        scheme, _, fields = request.headers["authorization"].partition(" ")
        said = dict(field.strip().split("=", 1) for field in fields.split(","))
        assert scheme == "vapid"
        point = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), _bytes(said["k"]))
        audience = f"http://127.0.0.1:{self.service.port}"
        claims = jwt.decode(said["t"], point, ["ES256"], audience=audience, options={"verify_exp": False})
        assert claims["sub"] == "mailto:webmaster@localhost"
        assert request.headers["content-encoding"] == "aes128gcm"
        opened = http_ece.decrypt(request.body, private_key=self._key, auth_secret=self._secret, version="aes128gcm")
        message: dict[str, str] = json.loads(opened)
        return message


def _text(data: bytes) -> str:
    return urlsafe_b64encode(data).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Clock:
    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return timezone.now() + self.ahead

    def pass_(self, **time: float) -> None:
        self.ahead += timedelta(**time)


@pytest.fixture(autouse=True)
def _loopback(settings) -> None:
    settings.WEBHOOK_ALLOWED_NETWORKS = [ip_network("127.0.0.0/8")]
    settings.SITE_URL = ""
    settings.VAPID_CONTACT = "mailto:webmaster@localhost"


@pytest.fixture
def service():
    with Receiver() as service:
        yield service


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def notify(clock):
    """Read everything and send what is due, once; return how many attempts there were."""
    notifier = Notifier(clock=clock, chance=lambda: 0.0)

    def run() -> int:
        notifier._clock_at = datetime.min.replace(tzinfo=UTC)
        now = clock()
        return sum(notifier.serve(pk) for pk, at in notifier.upcoming(now, 1000) if at <= now)

    return run


@pytest.fixture
def cup(db):
    """Registration is open, and ada and bob are in."""
    cup = factories.open_registration(factories.make_tournament(name="Open Cup", capacity=2))
    for name in ("ada", "bob"):
        factories.enter(cup, factories.make_user(name))
    return cup


@pytest.fixture
def organizer(cup) -> Actor:
    return Actor(cup.created_by)


@pytest.fixture
def ada(cup):
    return cup.entries.get(name="ada").user


@pytest.fixture
def bob(cup):
    return cup.entries.get(name="bob").user


@pytest.fixture
def device(service) -> Device:
    return Device(service)


@pytest.fixture
def edit(cup, organizer):
    return lambda **settings: tournaments.edit(organizer, cup.pk, **settings)


def confirm_address(user) -> None:
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
