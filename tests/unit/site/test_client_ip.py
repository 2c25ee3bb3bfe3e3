import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.client_ip import UNKNOWN, client_ip

PROXY = "10.0.0.1"


def ip(peer, *forwarded):
    return client_ip(peer, [(b"host", b"x"), *((b"x-forwarded-for", value.encode("latin-1")) for value in forwarded)])


@pytest.fixture(autouse=True)
def proxies(settings):
    settings.TRUSTED_PROXIES = ["10.0.0.0/8", "fd00::/8"]


@given(st.lists(st.text(st.characters(max_codepoint=255), max_size=40), max_size=4))
def test_without_a_proxy_of_ours_what_the_header_says_changes_nothing(forged):
    assert ip("203.0.113.9", *forged) == "203.0.113.9"


@pytest.mark.parametrize(
    ("forwarded", "client"),
    [
        (("198.51.100.7",), "198.51.100.7"),
        (("1.1.1.1, 2.2.2.2, 198.51.100.7",), "198.51.100.7"),
        (("1.1.1.1", "198.51.100.7"), "198.51.100.7"),
        (("198.51.100.7, 10.2.3.4",), "198.51.100.7"),
        (("nonsense, 198.51.100.7",), "198.51.100.7"),
        (("198.51.100.7, nonsense",), UNKNOWN),
        (("",), PROXY),
        ((), PROXY),
        (("10.9.9.9",), "10.9.9.9"),
        (("2001:db8:1:2:3::4",), "2001:db8:1:2::/64"),
        (("[2001:db8:1:2:ffff::]",), "2001:db8:1:2::/64"),
        (("::ffff:198.51.100.7",), "198.51.100.7"),
    ],
)
def test_behind_a_proxy_the_address_that_it_appended_counts(forwarded, client):
    assert ip(PROXY, *forwarded) == client


def test_a_whole_ipv6_network_of_64_bits_counts_as_one():
    assert ip("2001:db8::1") == ip("2001:db8::ffff:ffff:ffff:ffff") != ip("2001:db8:0:1::1")


@pytest.mark.parametrize("peer", [None, "", "not an address"])
def test_an_unknown_peer_has_one_bucket_for_all(peer):
    assert ip(peer, "198.51.100.7") == UNKNOWN


@pytest.mark.parametrize("peer", [None, ""])
def test_a_proxy_at_the_unix_socket_is_believed_where_the_settings_say_so(peer, settings):
    settings.TRUSTED_PROXIES = ["unix"]
    assert ip(peer, "1.1.1.1, 198.51.100.7") == "198.51.100.7"
    assert ip(peer) == UNKNOWN
    assert ip("203.0.113.9", "198.51.100.7") == "203.0.113.9"
    assert ip("not an address", "198.51.100.7") == UNKNOWN
