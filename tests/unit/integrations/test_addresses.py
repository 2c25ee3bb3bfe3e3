"""Where events may be delivered to: however an address is written, and whatever a name is made to mean."""

import socket
from ipaddress import ip_address, ip_network

import pytest

from apps.errors import BadRequest
from apps.integrations.addresses import NotAllowed, addresses_of, is_public, look_up, parse

PUBLIC = ["1.1.1.1", "8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"]
NOT_PUBLIC = [
    "127.0.0.1", "127.255.255.254", "0.0.0.0", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1",
    "169.254.169.254",  # where clouds hand out credentials
    "100.64.0.1", "100.100.100.200", "192.0.0.8", "192.0.0.192", "192.0.2.1", "192.88.99.1", "198.18.0.1",
    "198.51.100.1", "203.0.113.1", "224.0.0.1", "224.0.1.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
    "::", "::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::ffff:a00:1", "::127.0.0.1", "::7f00:1",
    "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "100::1", "2001::7f00:1", "2001:db8::1", "2002:7f00:1::1",
    "2002:a9fe:a9fe::1", "3fff::1", "4000::1", "5f00::1", "fc00::1", "fd00:ec2::254", "fe80::1", "fec0::1", "ff02::1",
    "ff0e::1",
]  # fmt: skip


@pytest.mark.parametrize("address", PUBLIC)
def test_what_is_public(address):
    assert is_public(ip_address(address))


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_what_is_not(address):
    assert not is_public(ip_address(address))


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "127.1", "0", "[::1]", "[::ffff:127.0.0.1]",
     "[::ffff:7f00:1]", "169.254.169.254", "2852039166", "0xa9fea9fe", "10.1", "127.0.0.1.", "[fe80::1]"],
)  # fmt: skip
def test_an_address_that_is_private_is_refused_at_once_however_it_is_written(host):
    with pytest.raises(BadRequest, match="not on the public internet"):
        parse(f"https://{host}/hook")


@pytest.mark.parametrize(
    "url",
    ["http://bot.example.org/", "ftp://bot.example.org/", "//bot.example.org/", "bot.example.org", "https:///hook",
     "https://", "", "https://bot.example.org:0/", "https://bot.example.org:65536/", "https://bot.example.org:x/",
     "https://user@bot.example.org/", "https://user:pass@bot.example.org/", "https://@127.0.0.1/",
     "https://bot.example.org/#part", "https://bot.example.org/a b", "https://bot.example.org/\r\nX-Header: 1",
     "https://bot.example.org\t/", "https://böt.example.org/", "https://bot.example.org/ä", "https://1.1.1.1%25eth0/",
     "https://[fe80::1%25eth0]/", "https://bot.example.org\\@127.0.0.1/", "https://[::1", "javascript:alert(1)",
     "file:///etc/passwd", "https://bot.example.org/" + "x" * 2000],
)  # fmt: skip
def test_what_is_no_address_of_a_bot_is_refused(url):
    with pytest.raises(BadRequest):
        parse(url)


def test_an_address_in_its_parts():
    target = parse("https://Bot.Example.org:8443//hook/%20x?key=a&b=/")
    assert target == ("https", "bot.example.org", 8443, "//hook/%20x?key=a&b=/")
    assert target.authority == "bot.example.org:8443"
    assert parse("https://bot.example.org").authority == "bot.example.org"
    assert parse("https://bot.example.org?x").path == "/?x"
    assert parse("https://[2606:4700::1111]/").authority == "[2606:4700::1111]"


def told(*addresses):
    """Return a resolver that says these addresses, and counts how often it is asked."""

    def resolve(host, port):
        resolve.asked += 1
        return [
            (socket.AF_INET6, (address, port, 0, 0)) if ":" in address else (socket.AF_INET, (address, port))
            for address in addresses
        ]

    resolve.asked = 0
    return resolve


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_a_name_that_leads_to_a_private_address_is_refused(address):
    with pytest.raises(NotAllowed, match="not on the public internet"):
        addresses_of(parse("https://bot.example.org/"), told(address))


def test_one_private_address_among_public_ones_is_enough_to_refuse():
    with pytest.raises(NotAllowed):
        addresses_of(parse("https://bot.example.org/"), told("1.1.1.1", "10.0.0.1"))


def test_a_name_is_looked_up_once_and_what_was_judged_is_what_is_used():
    resolve = told("1.1.1.1", "2606:4700::1111")
    found = addresses_of(parse("https://bot.example.org/"), resolve)
    assert found == [(socket.AF_INET, ("1.1.1.1", 443)), (socket.AF_INET6, ("2606:4700::1111", 443, 0, 0))]
    assert resolve.asked == 1


def test_a_name_without_an_address():
    with pytest.raises(NotAllowed, match="no address"):
        addresses_of(parse("https://bot.example.org/"), told())


class TestNetworksThatTheOperatorAllows:
    @pytest.fixture(autouse=True)
    def _allowed(self, settings):
        settings.WEBHOOK_ALLOWED_NETWORKS = [ip_network("127.0.0.0/8"), ip_network("fd00::/8")]

    def test_are_reached_over_http_too(self):
        assert parse("http://127.0.0.1:8080/hook").port == 8080
        assert addresses_of(parse("http://bot.lan/"), told("127.0.0.2", "fd00::2"))
        assert addresses_of(parse("http://bot.lan/"), told("::ffff:127.0.0.2"))

    def test_and_nothing_else_is(self):
        for url in ("http://10.0.0.1/", "https://10.0.0.1/", "https://[fe80::1]/"):
            with pytest.raises(BadRequest, match="not on the public internet"):
                parse(url)

    def test_the_public_internet_still_needs_https(self):
        with pytest.raises(NotAllowed, match="https"):
            addresses_of(parse("http://bot.example.org/"), told("1.1.1.1"))


def test_the_systems_resolver_says_what_a_socket_takes():
    assert (socket.AF_INET, ("127.0.0.1", 443)) in look_up("127.0.0.1", 443)
