"""Sessions end, and guessing is slowed, by a clock that the tests turn."""

import pytest

from chatbot.users import Users
from chatbot.web.sessions import (
    FORGOTTEN,
    FREE,
    IDLE,
    LASTS,
    REMEMBERED,
    SESSIONS,
    SLOWEST,
    Guesses,
    Sessions,
    neighbourhood,
)
from tests.people import AUTH, cheap


class Clock:
    now = 1_000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def test_a_session_is_its_users_until_it_is_ended(clock):
    sessions = Sessions(Users(AUTH), clock)
    ann, bob = sessions.begin("ann"), sessions.begin("bob")
    assert (sessions.user(ann), sessions.user(bob)) == ("ann", "bob")
    sessions.end(ann)
    assert (sessions.user(ann), sessions.user(bob)) == (None, "bob")
    assert sessions.user("") is None
    assert sessions.user("x" * 10_000) is None


def test_a_session_that_nobody_uses_ends(clock):
    sessions = Sessions(Users(AUTH), clock)
    token = sessions.begin("ann")
    clock.now += IDLE
    assert sessions.user(token) == "ann"
    clock.now += IDLE + 1
    assert sessions.user(token) is None


def test_every_session_ends(clock):
    sessions = Sessions(Users(AUTH), clock)
    token = sessions.begin("ann")
    for _ in range(int(LASTS // IDLE)):
        clock.now += IDLE
        assert sessions.user(token) == "ann"
    clock.now += 1
    assert sessions.user(token) is None


def test_a_changed_password_and_a_removed_user_end_a_session_at_once(tmp_path, clock):
    path = tmp_path / "users"
    path.write_text(f"ann:{cheap('first words')}\nbob:{cheap('bob words')}\n")
    sessions = Sessions(Users(f"@{path}"), clock)
    ann, bob = sessions.begin("ann"), sessions.begin("bob")
    path.write_text(f"ann:{cheap('other words')}\ncid:{cheap('cid words')}\n")
    assert (sessions.user(ann), sessions.user(bob)) == (None, None)
    path.write_text(f"ann:{cheap('first words')}\nbob:{cheap('bob words')}\n")
    assert (sessions.user(ann), sessions.user(bob)) == (None, None)


def test_sessions_are_bounded(clock):
    sessions = Sessions(Users(AUTH), clock)
    first = sessions.begin("ann")
    kept = sessions.begin("ann")
    for _ in range(SESSIONS - 2):
        sessions.begin("bob")
    assert sessions.user(kept) == "ann"
    sessions.begin("bob")
    sessions.begin("bob")
    assert sessions.user(first) is None
    assert sessions.user(kept) == "ann"


def test_tries_are_slowed_down_and_never_shut_out(clock):
    guesses = Guesses(clock)
    assert [guesses.wait("ann") for _ in range(FREE)] == [0] * FREE
    waits = []
    for _ in range(10):
        waits.append(guesses.wait("ann"))
        clock.now += waits[-1]
        assert guesses.wait("ann") == 0
    assert waits == [1, 2, 4, 8, 16, 32, SLOWEST, SLOWEST, SLOWEST, SLOWEST]
    assert guesses.wait("bob") == 0
    clock.now += FORGOTTEN + 1
    assert [guesses.wait("ann") for _ in range(FREE)] == [0] * FREE


def test_a_try_that_comes_too_early_does_not_prolong_the_wait(clock):
    guesses = Guesses(clock)
    for _ in range(FREE):
        guesses.wait("ann")
    for _ in range(1_000):
        assert guesses.wait("ann") == 1
    clock.now += 1
    assert guesses.wait("ann") == 0


def test_the_slowest_of_several_counts(clock):
    guesses = Guesses(clock)
    for n in range(FREE):
        guesses.wait(("address", "1"), ("name", n))
    assert guesses.wait(("address", "1"), ("name", "new")) == 1
    assert guesses.wait(("address", "2"), ("name", "new")) == 0


def test_ones_own_right_password_does_not_free_an_address_for_guessing_at_others(clock):
    guesses = Guesses(clock)
    for n in range(FREE - 1):
        guesses.wait("address", ("name", n))
    for _ in range(5):
        assert guesses.wait("address", "own") == 0
        guesses.forget("own")
        guesses.take_back("address")
    assert guesses.wait("address", "another") == 0
    assert guesses.wait("address", "another") == 1


def test_what_is_counted_is_bounded(clock):
    guesses = Guesses(clock)
    for n in range(REMEMBERED + 1_000):
        guesses.wait(n)
    assert len(guesses._failed) == REMEMBERED


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("testclient", "testclient"),
        ("", ""),
    ],
)
def test_an_address_is_counted_with_its_neighbours(address, counted):
    assert neighbourhood(address) == counted
