"""A tournament whose events go to a real receiver, and a clock that stands until it is told to move."""

import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address, ip_network
from typing import NamedTuple

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from apps.integrations import services
from apps.integrations.delivery import Courier, upcoming
from apps.integrations.models import Endpoint
from apps.integrations.sending import Answer, Line
from apps.tournaments.models import Tournament
from apps.tournaments.services import Actor, tournaments
from tests import factories
from tests.receiver import Receiver


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 11, 25, 18, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_(self, **time: float) -> None:
        self.now += timedelta(**time)


class Cup:
    """A tournament, its organiser, and what happens in it."""

    def __init__(self) -> None:
        self.row: Tournament = factories.open_registration(factories.make_tournament())
        self.organizer = Actor(self.row.created_by)

    def rename(self, times: int = 1) -> list[int]:
        """Make events that everybody may see; return their seqs."""
        return [tournaments.edit(self.organizer, self.row.pk, name=f"Cup {number}").seq for number in range(times)]

    def appoint(self) -> int:
        """Make an event that only the staff may see."""
        user = factories.make_user()
        return tournaments.add_member(self.organizer, self.row.pk, username=user.username, role=2).seq

    def webhook(self, url: str, **options) -> services.Made:
        return services.add(self.organizer, self.row.pk, url=url, **options)


@pytest.fixture(autouse=True)
def _loopback(settings) -> None:
    settings.WEBHOOK_ALLOWED_NETWORKS = [ip_network("127.0.0.0/8")]


@pytest.fixture
def receiver():
    with Receiver() as receiver:
        yield receiver


@pytest.fixture
def clock(monkeypatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("apps.integrations.services.present", clock)
    return clock


@pytest.fixture
def cup(db) -> Cup:
    return Cup()


@pytest.fixture
def hook(cup, receiver, clock) -> Endpoint:
    """An endpoint at the receiver."""
    return cup.webhook(receiver.url).endpoint


@pytest.fixture
def meanwhile() -> list[Callable[[], object]]:
    """What happens while something is being sent: the first of these during the first attempt, and so on."""
    return []


@pytest.fixture
def courier(clock, meanwhile) -> Courier:
    """A worker whose pauses are as long as they can be."""

    class Busy(Line):
        def post(self, body, headers) -> Answer:
            answer = super().post(body, headers)
            if meanwhile:
                meanwhile.pop(0)()
            return answer

    return Courier(clock=clock, chance=lambda: 0.0, open_line=Busy)


@pytest.fixture
def deliver(clock, courier):
    """Serve everybody who is due, once; return how many there were."""

    def run() -> int:
        due = [endpoint for endpoint, at in upcoming(clock.now, 100) if at <= clock.now]
        return sum(courier.serve(endpoint) for endpoint in due)

    return run


@pytest.fixture
def fresh():
    def read(endpoint: Endpoint) -> Endpoint:
        return Endpoint.objects.get(pk=endpoint.pk)

    return read


class Tls(NamedTuple):
    """What a receiver at 127.0.0.1 and discord.com serves with, and a context that trusts it."""

    server: ssl.SSLContext
    client: ssl.SSLContext


@pytest.fixture(scope="session")
def tls(tmp_path_factory) -> Tls:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "receiver")])
    names: list[x509.GeneralName] = [x509.IPAddress(ip_address("127.0.0.1")), x509.DNSName("discord.com")]
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    folder = tmp_path_factory.mktemp("tls")
    chain, secret = folder / "chain.pem", folder / "key.pem"
    chain.write_bytes(certificate.public_bytes(Encoding.PEM))
    secret.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(chain, secret)
    return Tls(server, ssl.create_default_context(cafile=str(chain)))
