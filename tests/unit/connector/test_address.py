"""Addresses as people type them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alyx_connector import ConfigurationError, parse_address
from alyx_connector.address import last_part


@pytest.mark.parametrize(
    ("typed", "url", "api_root"),
    [
        ("alyx.lab.org", "https://alyx.lab.org", None),
        ("  ALYX.Lab.Org. ", "https://alyx.lab.org", None),
        ("https://alyx.lab.org/", "https://alyx.lab.org", None),
        ("HTTPS://alyx.lab.org:443", "https://alyx.lab.org", None),
        ("http://alyx.lab.org", "http://alyx.lab.org", None),
        ("http://alyx.lab.org:80//", "http://alyx.lab.org", None),
        ("https://alyx.lab.org:80", "https://alyx.lab.org:80", None),
        ("alyx.lab.org:8443", "https://alyx.lab.org:8443", None),
        ("127.0.0.1", "http://127.0.0.1", None),
        ("127.9.0.1", "http://127.9.0.1", None),
        ("localhost:8000", "http://localhost:8000", None),
        ("https://localhost:8000", "https://localhost:8000", None),
        ("alyx.localhost", "http://alyx.localhost", None),
        ("192.168.1.4", "https://192.168.1.4", None),
        ("[::1]:8000", "http://[::1]:8000", None),
        ("::1", "http://[::1]", None),
        ("[2001:DB8:0::1]", "https://[2001:db8::1]", None),
        ("https://lab.org/alyx", "https://lab.org/alyx", None),
        ("lab.org/alyx/", "https://lab.org/alyx", None),
        ("lab.org/a~b/é", "https://lab.org/a~b/%C3%A9", None),
        ("lab.org/a%20b", "https://lab.org/a%20b", None),
        ("http://127.0.0.1:8000/api", "http://127.0.0.1:8000", "/api/"),
        ("lab.org/alyx/api/", "https://lab.org/alyx", "/api/"),
        ("https://alyx.lab.org/admin/", "https://alyx.lab.org", None),
        ("https://lab.org/alyx/admin/subjects/subject/0f1e/change/?_filters=alive%3D1#w", "https://lab.org/alyx", None),
        ("alyx.lab.org/admin-actions/water-history/0f1e", "https://alyx.lab.org", None),
        ("lab.org/administration", "https://lab.org/administration", None),
        ("büro.example", "https://xn--bro-hoa.example", None),
        ("my_alyx", "https://my_alyx", None),
    ],
)
def test_an_address_is_understood(typed, url, api_root):
    address = parse_address(typed)
    assert address.url == url
    assert address.api_root == api_root
    assert parse_address(address.url) == address


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("", "empty"),
        ("   ", "empty"),
        (None, "must be text"),
        (8000, "must be text"),
        ("alyx lab.org", "space"),
        ("alyx.lab.org\nX: y", "space"),
        ("alyx\x00.org", "control"),
        ("http:\\\\alyx.lab.org", "backslash"),
        ("ftp://alyx.lab.org", "ftp://"),
        ("file:///etc/passwd", "file://"),
        ("http:alyx.lab.org", "does not begin"),
        ("https:/alyx.lab.org", "does not begin"),
        ("//alyx.lab.org", "does not begin"),
        ("https://", "names no host"),
        ("https:///alyx", "names no host"),
        (":8000", "names no host"),
        ("alyx.lab.org:", "port"),
        ("alyx.lab.org:0", "port"),
        ("alyx.lab.org:65536", "port"),
        ("alyx.lab.org:80a", "port"),
        ("alyx.lab.org:٣", "port"),
        ("mailto:jose", "port"),
        ("alyx.lab.org?x=1", "query"),
        ("alyx.lab.org/#top", "query"),
        ("alyx..org", "valid host name"),
        ("-alyx.org", "valid host name"),
        ("a" * 64 + ".org", "valid host name"),
        (".".join(["abcdefgh"] * 30), "valid host name"),
        ("alyx_lab!.org", "valid host name"),
        ("\u2603\u200d.org", "valid host name"),
        ("999.1.1.1", "IPv4"),
        ("127.1", "IPv4"),
        ("²", "IPv4"),
        ("[::1", "brackets"),
        ("[::1]x", "brackets"),
        ("[alyx]", "brackets"),
        ("1:2:3", "IPv6"),
        ("lab.org/../alyx", "'..'"),
        ("lab.org/%2e%2E/alyx", "'..'"),
    ],
)
def test_an_unusable_address_is_refused_with_its_reason(typed, why):
    with pytest.raises(ConfigurationError, match=why.replace(".", r"\.").replace("[", r"\[")) as caught:
        parse_address(typed)
    assert caught.value.setting == "address"
    assert caught.value.hint


@pytest.mark.parametrize(
    "typed",
    [
        "https://jose:s3cret@lab.org",
        "jose:s3cret@lab.org:8000",
        "https://jose:s3/cret@lab.org",
        "lab.org/s3cret@",
        "s3cret@",
    ],
)
def test_a_password_in_an_address_is_refused_and_not_repeated(typed):
    with pytest.raises(ConfigurationError, match="password") as caught:
        parse_address(typed)
    assert "s3" not in f"{caught.value!r} {caught.value.hint} {caught.value.__context__!r}"


def test_digits_of_another_script_are_those_of_an_address():
    assert parse_address("\uff11\uff12\uff17.0.0.1").host == "127.0.0.1"


def test_loopback():
    assert all(parse_address(text).is_loopback for text in ["localhost", "127.0.0.1", "[::1]:80", "x.localhost"])
    assert not any(parse_address(text).is_loopback for text in ["localhost.org", "10.0.0.1", "alyx"])


def test_what_was_typed_does_not_make_addresses_differ():
    assert parse_address("lab.org") == parse_address("https://LAB.org:443/")
    assert hash(parse_address("localhost")) == hash(parse_address("http://localhost/api/"))
    assert not parse_address("lab.org").port_typed
    assert parse_address("lab.org:443").port_typed


@given(st.text(max_size=40) | st.from_regex(r"(https?://)?[a-z0-9.:\[\]-]{1,20}(/[a-z%0-9.]*){0,3}", fullmatch=True))
def test_any_text_is_an_address_or_refused(text):
    try:
        address = parse_address(text)
    except ConfigurationError:
        return
    assert parse_address(address.url) == address
    assert address.url.isascii()


@pytest.mark.parametrize(("url", "name"), [("https://lab.org/subjects/m%C3%BCs/", "müs"), ("http://[", ""), ("", "")])
def test_the_name_that_an_address_ends_with(url, name):
    assert last_part(url) == name
