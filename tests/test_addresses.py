"""Web addresses that lead inside are refused however they are written; nothing is dialled."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.addresses import is_public, parse
from ingest.errors import FetchError
from ingest.fetch import fetch
from tests.web import PUBLIC, Web, serving

LOOPBACK = """localhost LOCALHOST localhost. a.localhost localhost.localdomain printer.local
    metadata.google.internal db.internal nas.home.arpa 127.0.0.1 127.0.0.1. 127.1 127.0.1 127.1.2.3
    0 0.0.0.0 0x0 00 0.0 2130706433 0x7f000001 0X7F000001 017700000001 0x7f.1 0x7f.0.0.1 0177.0.0.1
    0177.1 127.0.0.01 127.000.000.001 127.0.0.0x1 0127.0.0.1 127.65535 127.16777215 4294967295
    2852039166 0xa9fea9fe 025177524776 3232235521 167772161 ⑫⑦.⓪.⓪.① １２７.０.０.１ 127。0。0。1
    127．0．0．1 127｡0｡0｡1 ⓛⓞⓒⓐⓛⓗⓞⓢⓣ ｌｏｃａｌｈｏｓｔ
    127.0.0.1%00 127%2e0%2e0%2e1 %31%32%37.0.0.1 loc%61lhost
    1.1.1.1.1 1.1.1 256.1.1.1 0x 08.8.8.8 127.0.0.1.nip.io.local""".split()
IPV4 = """10.0.0.1 10.255.255.255 172.16.0.1 172.31.255.255 192.168.0.1 192.168.255.255 100.64.0.1
    100.127.255.255 100.100.100.200 169.254.169.254 169.254.170.2 169.254.0.1 127.255.255.254
    127.0.0.53 0.0.0.1 192.0.0.1 192.0.0.192 192.0.2.1 198.18.0.1 198.19.255.255 198.51.100.1
    203.0.113.1 192.88.99.1 168.63.129.16 224.0.0.1 239.255.255.255 240.0.0.1
    255.255.255.255""".split()
IPV6 = """:: ::1 0:0:0:0:0:0:0:1 0000:0000:0000:0000:0000:0000:0000:0001 ::0001 ::127.0.0.1 ::7f00:1
    ::ffff:127.0.0.1 ::ffff:7f00:1 ::ffff:7f00:0001 0:0:0:0:0:ffff:127.0.0.1 ::FFFF:10.0.0.1
    ::ffff:0:127.0.0.1 ::ffff:0:0 ::ffff:0.0.0.0 ::ffff:169.254.169.254 ::ffff:a9fe:a9fe
    ::ffff:192.168.1.1 64:ff9b::127.0.0.1 64:ff9b::7f00:1 64:ff9b::10.0.0.1 64:ff9b::a9fe:a9fe
    64:ff9b::192.168.0.1 64:ff9b:1::1 64:ff9b:1::8.8.8.8 100::1 2001::1 2001:0:7f00:1:: 2001:db8::1
    2001:10::1 2001:20::1 2002:7f00:1:: 2002:7f00:1::1 2002:a00:1:: 2002:c0a8:1:: 2002:808:808::
    3fff::1 5f00::1 fc00::1 fd00::1 fd00:ec2::254 fd20:ce::254 fdff:ffff::1 fe80::1 fe80::a9fe:a9fe
    febf::1 fec0::1 ff02::1 ff0e::1 2606:4700::5efe:127.0.0.1 2606:4700::200:5efe:10.0.0.1
    fe80::5efe:10.0.0.1 1::1 4000::1 e000::1 ::1%lo fe80::1%25eth0 v1.x 1.2.3.4 :::1""".split()
WRITTEN = [
    "file:///etc/passwd",
    "file://localhost/etc/passwd",
    "ftp://public.test/",
    "gopher://127.0.0.1:70/_x",
    "dict://127.0.0.1:11211/",
    "jar:http://public.test/a!/b",
    "javascript:alert(1)//http://public.test",
    "data:text/html,http://public.test",
    "unix:///var/run/docker.sock",
    "http+unix://%2fvar%2frun%2fdocker.sock/",
    "ws://public.test/",
    "view-source:http://public.test",
    "blob:http://public.test/1",
    "ldap://127.0.0.1/",
    "tftp://127.0.0.1/x",
    "http://user:password@public.test/",
    "http://user@127.0.0.1/",
    "http://public.test@127.0.0.1/",
    "http://public.test%40127.0.0.1/",
    "http://public.test:80@127.0.0.1/",
    "http://127.0.0.1#@public.test/",
    "http://127.0.0.1?@public.test/",
    "http://127.0.0.1/@public.test/",
    "http://public.test\\@127.0.0.1/",
    "http://127.0.0.1\\@public.test/",
    "http://127.0.0.1:80\\@public.test:80/",
    "http:\\\\127.0.0.1\\",
    "http:/\\127.0.0.1/",
    "http:127.0.0.1://x",
    "http:///127.0.0.1://x",
    "http://",
    "http://?",
    "http:// 127.0.0.1/",
    "http://127.0.0.1 /",
    "http://public.test 127.0.0.1/",
    "http://public.test\t/",
    "http://public.test\r\nHost: 127.0.0.1/",
    "http://public.test\0.127.0.0.1/",
    "http://\u00ad127.0.0.1/",
    "http://127.0.0.1\u200b/",
    "http://local\u200bhost/",
    "http://.../",
    "http://public..test/",
    "http://.public.test/",
    "http://public.test../",
    "http://-a.test/",
    "http://public.test:0/",
    "http://public.test:65536/",
    "http://public.test:99999/",
    "http://public.test:-1/",
    "http://public.test:80:80/",
    "http://public.test:x/",
    "http://public.test:٨٠/",
    "http://[::1]/",
    "http://[::1]:80/",
    "http://[::1]a/",
    "http://[::1/",
    "http://::1/",
    "http://[127.0.0.1]/",
    "http://[]/",
    f"http://{'a' * 64}.test/",
    f"http://{'a.' * 200}test/",
    "http://xn--/",
    "http://a_b!.test/",
    "http://;127.0.0.1/",
    "http://{public}.test/",
    "http://public.test/" + "a" * 5000,
]
REFUSED = [
    *(f"http://{host}/" for host in (*LOOPBACK, *IPV4)),
    *(f"https://{host}:8443/latest/meta-data/" for host in (*LOOPBACK[:12], *IPV4[:12])),
    *(f"http://[{host}]/" for host in IPV6),
    *WRITTEN,
]


def test_there_are_many_forms():
    assert len(set(REFUSED)) >= 150


def test_no_form_of_an_inner_address_is_dialled():
    with serving() as public, serving() as canary:
        for url in REFUSED:
            web = Web(public, canary)
            with pytest.raises(FetchError, match=r"not allowed|longer than"):
                fetch(url, network=web.network())
            assert web.dialled == [], url
        assert canary.requests == public.requests == []


NAMES = [
    [[one] for one in (*IPV4, *(host for host in IPV6[:-4] if "%" not in host))],
    [[PUBLIC, "10.0.0.1"], ["10.0.0.1", PUBLIC], [PUBLIC, "::1"], ["fd00:ec2::254", PUBLIC]],
]


@pytest.mark.parametrize("addresses", [one for group in NAMES for one in group], ids=str)
def test_a_name_with_an_inner_address_is_refused(addresses):
    web = Web(None, None, public_test=addresses)  # type: ignore[arg-type]
    with pytest.raises(FetchError, match="address not allowed"):
        fetch("http://public.test/", network=web.network())
    assert (web.asked, web.dialled) == (["public.test"], [])


NEVER = "169.254.169.254 100.100.100.200 0.0.0.0 224.0.0.1 255.255.255.255 168.63.129.16".split()


@pytest.mark.parametrize("host", [*NEVER, "[fd00:ec2::254]", "[fe80::1]", "[::]"])
def test_metadata_is_refused_even_where_private_is_allowed(host):
    web = Web(None, None)  # type: ignore[arg-type]
    with pytest.raises(FetchError, match="stands for no machine"):
        fetch(f"http://{host}/", allow_private=True, network=web.network())
    assert web.dialled == []


@pytest.mark.parametrize(
    ("url", "plain"),
    [
        ("HTTP://Example.ORG", "http://example.org/"),
        ("https://example.org:443/a?b=c#d", "https://example.org/a?b=c"),
        ("http://example.org:8080", "http://example.org:8080/"),
        ("http://example.org.:/x", "http://example.org/x"),
        ("http://example。org/", "http://example.org/"),
        ("http://bücher.example/ä?ö=ü", "http://xn--bcher-kva.example/%C3%A4?%C3%B6=%C3%BC"),
        ("http://faß.example/", "http://xn--fa-hia.example/"),
        ("http://example.org/a b%20c?d=e f", "http://example.org/a%20b%20c?d=e%20f"),
        ("http://example.org?q=\\", "http://example.org/?q=%5C"),
        ("http://93.184.216.34/", "http://93.184.216.34/"),
        ("http://[2606:4700:0::1111]:80/", "http://[2606:4700::1111]/"),
        (" http://example.org/ ", "http://example.org/"),
    ],
)
def test_a_plain_form_is_found(url, plain):
    assert str(parse(url)) == plain
    assert str(parse(plain)) == plain


def test_a_password_is_not_shown():
    with pytest.raises(FetchError) as caught:
        parse("https://me:s3cret@example.org/")
    assert "s3cret" not in str(caught.value)


@given(st.ip_addresses())
def test_what_is_public_python_finds_global_too(address):
    if is_public(address) and address not in ipaddress.ip_network("64:ff9b::/96"):
        assert address.is_global or "5efe" in address.exploded


@settings(deadline=None)  # the tables of domain names are loaded when first needed
@given(st.text(max_size=60) | st.text("\ud800/:@[]\\.?#a1%", max_size=20))
def test_any_text_is_an_address_or_an_error(text):
    for url in (text, f"http://{text}"):
        try:
            web = parse(url)
        except FetchError:
            continue
        assert str(web).isascii()
        assert str(parse(str(web))) == str(web)
