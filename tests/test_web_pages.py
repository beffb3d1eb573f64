"""Web pages and feeds as sources: fetched, refreshed, followed, refused."""

from __future__ import annotations

import time

import pytest

from ingest import Failure, ReadError, ingest
from ingest.__main__ import main
from ingest.readers import read
from store import Library
from store.records import Validators
from tests.web import redirect, reply, serving

PAGE = b"<title>Zoo</title><p>The zebra is called Martha.</p>"
RSS = """<?xml version="1.0"?><rss version="2.0"><channel><title>Zoo news</title>
<item><title>Martha</title><link>/martha</link><pubDate>Mon, 1 Jul 2024</pubDate>
<description>&lt;p&gt;The &lt;b&gt;zebra&lt;/b&gt; AT&amp;amp;T&lt;/p&gt;</description></item>
<item><title>Closed</title><description>The zoo is closed on Friday.</description></item>
</channel></rss>"""
ATOM = """<feed xmlns="http://www.w3.org/2005/Atom"><title>Zoo news</title><entry>
<title type="html">Li &amp;amp; Martha</title><link rel="self" href="/self"/>
<link href="http://example.org/li"/><updated>2024-07-01T00:00:00Z</updated>
<content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>Li came.</p><p>He left.</p>
</div></content></entry></feed>"""


@pytest.fixture
def server():
    with serving() as opened:
        yield opened


def bring(library, *sources, **options):
    return ingest([*sources], library=library, allow_private=True, **options)


def test_a_web_page_is_a_document(library, server):
    server.pages["/zoo?a=b"] = reply(PAGE)
    report = bring(library, f"{server.url}/zoo?a=b#part", f"{server.url}/zoo?a=b")
    assert report.added == [f"{server.url}/zoo?a=b"]
    assert len(server.requests) == 1
    (document,) = library.documents()
    assert (document.title, document.format) == ("Zoo", "html")
    assert library.text(document.source) == "The zebra is called Martha."


def test_a_page_that_has_not_changed_is_not_sent_again(library, server, tmp_path):
    url = f"{server.url}/zoo"
    server.pages["/zoo"] = reply(PAGE, ETag='W/"1"', Last_Modified="Mon, 01 Jul 2024 00:00:00 GMT")
    bring(library, url)
    given = Validators(url, 'W/"1"', "Mon, 01 Jul 2024 00:00:00 GMT")
    assert library.validators(url) == given
    server.pages["/zoo"] = reply(status="304 Not Modified")
    assert bring(library, url).unchanged == [url]
    assert 'If-None-Match: W/"1"' in server.requests[1]
    assert library.check().problems == ()
    library.export(tmp_path / "all.db")
    other = Library.open(tmp_path / "other")
    other.import_(tmp_path / "all.db")
    assert other.validators(url) == given
    other.close()


def test_a_page_that_has_changed_replaces_the_old(library, server):
    url = f"{server.url}/zoo"
    server.pages["/zoo"] = reply(PAGE, ETag='"1"')
    bring(library, url)
    server.pages["/zoo"] = reply(PAGE.replace(b"Martha", b"Berta"))
    assert bring(library, url).changed == [url]
    assert library.text(url) == "The zebra is called Berta."
    assert library.validators(url) is None
    assert bring(library, url).unchanged == [url]
    library.remove(url)
    assert library.content_hash(url) is None


def test_validators_that_were_damaged_are_not_sent(library, server):
    server.pages["/zoo"] = reply(PAGE, ETag='"1"')
    bring(library, f"{server.url}/zoo")
    with library.database.writing() as connection:
        connection.exec_driver_sql("UPDATE fetched SET etag = '2'")
    assert library.validators(f"{server.url}/zoo") is None
    assert "is not as it was stored" in " ".join(library.check().problems)


def test_private_pages_are_refused_unless_they_are_allowed(library, server):
    url = f"{server.url}/zoo"
    server.pages["/zoo"] = reply(PAGE)
    (failure,) = ingest(url, library=library).failed
    assert failure.source == url
    assert "address not allowed" in failure.reason
    assert server.requests == []


def test_a_failed_page_does_not_stop_the_others_nor_show_a_password(library, server):
    server.pages["/zoo"] = reply(PAGE)
    report = bring(
        library, "http://me:s3cret@example.org/", "ftp://example.org/", f"{server.url}/none",
        f"{server.url}/zoo",
    )  # fmt: skip
    assert report.added == [f"{server.url}/zoo"]
    assert [failure.source for failure in report.failed] == [
        "http://…@example.org/",
        "ftp://example.org/",
        f"{server.url}/none",
    ]
    assert "s3cret" not in str(report)


def test_the_command_fetches_private_pages_only_when_told(home, server, capsys):
    url = f"{server.url}/zoo"
    server.pages["/zoo"] = reply(PAGE)
    assert main(["--home", str(home), url]) == 1
    assert "run `ingest --allow-private`" in capsys.readouterr().err
    assert main(["--home", str(home), "--allow-private", url]) == 0
    assert main(["--home", str(home), "--remove", url]) == 0
    assert main(["--home", str(home), "--watch", url]) == 1
    assert "cannot be watched" in capsys.readouterr().err


# --- feeds -------------------------------------------------------------------------


def test_the_pages_of_a_feed_come_in_with_it(library, server):
    server.pages |= {"/feed": reply(RSS.encode(), kind="application/rss+xml", ETag='"1"')}
    server.pages["/martha"] = reply(PAGE)
    feed, page = f"{server.url}/feed", f"{server.url}/martha"
    seen = []
    report = bring(library, feed, on_progress=lambda at: seen.append((at.done, at.total)))
    assert report.added == [feed, page]
    assert seen == [(1, 2), (2, 2)]
    assert library.text(feed) == (
        "## Martha\n\nPublished: Mon, 1 Jul 2024\n\nThe zebra AT&T\n\n/martha\n\n"
        "## Closed\n\nThe zoo is closed on Friday."
    )
    server.pages["/martha"] = reply(PAGE.replace(b"Martha", b"Berta"))
    report = bring(library, feed)
    assert (report.unchanged, report.changed) == ([feed], [page])


def test_a_feed_leads_to_no_inner_address_and_to_fifty_pages(library, server):
    links = ["file:///etc/passwd", "http://169.254.169.254/", "javascript:alert(1)"]
    links += [f"/{n}" for n in range(60)]
    items = "".join(f"<item><title>T</title><link>{link}</link></item>" for link in links)
    server.pages["/feed"] = reply(
        f"<rss><channel>{items}</channel></rss>".encode(), kind="text/xml"
    )
    server.pages |= {f"/{n}": reply(b"<p>Page %d.</p>" % n) for n in range(60)}
    report = bring(library, f"{server.url}/feed")
    assert [failure.source for failure in report.failed] == [links[0], links[2], links[1]]
    assert len(report.added) == 1 + 47


def test_a_feed_that_lists_itself_ends(library, server):
    feed = "<rss><channel><item><title>T</title><link>/feed</link></item><item><title>U</title>"
    feed += "<link>/feed2</link></item></channel></rss>"
    server.pages |= {path: reply(feed.encode(), kind="text/xml") for path in ("/feed", "/feed2")}
    assert len(bring(library, f"{server.url}/feed").added) == 2


def test_an_atom_feed_is_read():
    reading = read(ATOM.encode(), "a.atom")
    assert reading.text == (
        "## Li & Martha\n\nPublished: 2024-07-01T00:00:00Z\n\n"
        "Li came.\n\nHe left.\n\nhttp://example.org/li"
    )
    assert (reading.title, reading.links) == ("Zoo news", ("http://example.org/li",))
    assert reading.sections[-1].label == "section ‘Li & Martha’"


JSON_FEED = r"""{"title": "Zoo <news>", "version": "https:\/\/jsonfeed.org\/version\/1.1",
"items": [{"id": "1", "url": "/martha", "title": "Martha", "content_html": "<p>A <b>zebra</b>.</p>",
"date_published": "2024-07-01"}, {"content_text": "1 < 2 & so on.", "summary": 3}, 7]}"""


def test_a_json_feed_is_read(library, server):
    server.pages["/feed"] = reply(JSON_FEED.encode(), kind="application/feed+json")
    server.pages["/martha"] = reply(PAGE)
    report = bring(library, f"{server.url}/feed")
    assert report.added == [f"{server.url}/feed", f"{server.url}/martha"]
    reading = read(JSON_FEED.encode(), "a.json")
    assert (reading.title, reading.format) == ("Zoo <news>", "feed")
    assert reading.text == (
        "## Martha\n\nPublished: 2024-07-01\n\nA zebra.\n\n/martha\n\n## Untitled\n\n1 < 2 & so on."
    )


@pytest.mark.parametrize(
    ("feed", "reason"),
    [
        ('<!DOCTYPE rss [<!ENTITY a "b">]><rss>&a;</rss>', "defines entities"),
        ("<rss><channel></channel></rss>", "is empty"),
        ("<rss>" + "<a>" * 100_000, "nested too deeply"),
        ("<rss>" + "<item>" * 50_000, "nested too deeply"),
        ('{"version": "https://jsonfeed.org/version/1", "items": ' + "[" * 5_000, "too deeply"),
        ('{"version": "https://jsonfeed.org/version/1", "items": 7}', "lists no items"),
        ('{"version": "https://jsonfeed.org/version/1"', "is not a feed"),
    ],
)
def test_a_hostile_feed_is_refused(feed, reason):
    with pytest.raises(ReadError, match=reason):
        read(feed.encode(), "a.rss" if feed[0] == "<" else "a.json")


# --- web pages ---------------------------------------------------------------------

WORDS = "<p>Shoigu came to Pyongyang on Tuesday, and stayed for the parade of the guard.</p>" * 6


def html(head: str, body: str = WORDS) -> str:
    return read(f"<html><head>{head}</head><body>{body}</body></html>".encode(), "a.html").text


@pytest.mark.parametrize(
    ("head", "first"),
    [
        ('<meta property="article:published_time" content="2023-07-27T09:00:00Z">', "2023-07-27"),
        ('<meta name="dc.date" content="2023/07/27">', "2023-07-27"),
        (
            '<script type="application/ld+json">{"datePublished": "2023-07-27"}</script>',
            "2023-07-27",
        ),
    ],
)
def test_the_day_of_a_page_stands_first(head, first):
    assert html(head).startswith(f"Published: {first}\n\n")


def test_the_author_of_a_page_stands_first():
    page = html('<meta name="author" content="Jo Doe"><meta name="date" content="2023-07-27">')
    assert page.startswith("Author: Jo Doe\nPublished: 2023-07-27\n\nShoigu came")


def test_days_that_contradict_each_other_are_left_out():
    data = '{"datePublished": "2023-07-27"}, {"datePublished": "2022-01-01"}'
    assert html(f'<script type="application/ld+json">[{data}]</script>').startswith("Shoigu")


TABLE = """<table><caption>Guests</caption><tr><th>Name<th>From<tr><td>Li<td>China<tr>
<td>Sho<br>igu<td></table><table><tr><td>a<td>b</table>"""


def test_rows_of_a_table_have_their_headings():
    assert html("", TABLE) == "Guests\nName: Li | From: China\nName: Sho igu\n\na | b"


def test_lists_and_headings_are_kept_on_a_page_that_is_no_article():
    page = html("", "<h2>Rules</h2><ul><li>One<li>Two</ul><pre>a\n  b</pre>")
    assert page == "## Rules\n\n- One\n- Two\n\na\n  b"


def test_what_a_page_hides_is_not_read():
    hidden = (
        '<p hidden>Secret.</p><p style="display: none">Secret.</p><div role=dialog>Secret.</div>'
    )
    assert html("", f"<p>Seen.</p>{hidden}") == "Seen."


@pytest.mark.parametrize(
    ("encoding", "declared"),
    [("utf-16", ""), ("utf-16", "utf-8"), ("shift_jis", "Shift_JIS"), ("euc_jp", "euc-jp")],
)
def test_japanese_pages_are_read(encoding, declared):
    meta = f'<meta charset="{declared}">' if declared else ""
    page = f"<html><head>{meta}</head><body><p>鋼材の寸法は日本工業規格による。</p></body></html>"
    assert read(page.encode(encoding), "a.html").text == "鋼材の寸法は日本工業規格による。"


def test_an_undeclared_western_page_is_windows_1252():
    page = "<html><body><p>El niño comió paella: “¡Qué rico!” 25,75 €</p></body></html>"
    text = read(page.encode("cp1252"), "a.html").text
    assert text == "El niño comió paella: “¡Qué rico!” 25,75 €"


@pytest.mark.parametrize("charset", ["idna", "punycode", "utf-7", "rot13", "hex", "none"])
def test_a_charset_that_is_none_is_not_believed(charset):
    page = f"<html><meta charset={charset}><p>Grüße +AGE- aus Köln.</p></html>"
    assert read(page.encode(), "a.html").text == "Grüße +AGE- aus Köln."


def test_a_redirect_to_another_page_keeps_the_source(library, server):
    server.pages |= {"/old": redirect("/new"), "/new": reply(PAGE, ETag='"1"')}
    assert bring(library, f"{server.url}/old").added == [f"{server.url}/old"]
    assert library.validators(f"{server.url}/old") == Validators(f"{server.url}/new", '"1"')


def test_a_failure_is_data(library):
    report = ingest("http://127.0.0.1/", library=library)
    assert [type(failure) for failure in report.failed] == [Failure]


ROWS = 30_000
SLOW = {
    "tables": "<table><tr><td>a</td><td>b</td></tr></table>" * ROWS,
    "spans": f"<table>{'<tr><td colspan=9000000000000000 rowspan=9000>a</td></tr>' * ROWS}</table>",
    "cells": f"<table><tr>{'<td>a' * ROWS}</table>",
    "rows": f"<table>{'<tr><td>' * ROWS}</table><p>words",
}


@pytest.mark.parametrize(
    "name", ["spans", *(pytest.param(n, marks=pytest.mark.slow) for n in SLOW if n != "spans")]
)
def test_no_page_takes_quadratic_time(name):
    started = time.process_time()
    assert html("", SLOW[name])
    assert time.process_time() - started < 20  # minutes, if it did


def test_what_frames_a_page_is_left_out_where_it_is_no_article():
    frame = "<nav>Menu.</nav><div role=search>Find.</div><form>Join.</form><footer>Foot.</footer>"
    assert html("", f"{frame}<p>Seen.<p>Too.") == "Seen.\n\nToo."
