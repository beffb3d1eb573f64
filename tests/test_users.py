"""Names and passwords: how they are written, kept and compared."""

import pytest

import app
from chatbot.users import Users, checked_name, hashed
from store.errors import SettingsError
from tests.people import AUTH, PASSWORDS, cheap


def test_a_password_is_known_again_and_no_other_one():
    users = Users(AUTH)
    for name, password in PASSWORDS.items():
        assert users.check(name, password)
        assert not users.check(name, password + " ")
    assert not users.check("ann", PASSWORDS["bob"])
    assert not users.check("nobody", PASSWORDS["ann"])
    assert not users.check("ann", "")
    assert not users.check("ann", "\ud800" * 3)


def test_two_hashes_of_one_password_differ_and_both_hold():
    one, other = hashed("correct horse"), hashed("correct horse")
    assert str(one) != str(other)
    assert one.is_of("correct horse")
    assert other.is_of("correct horse")
    assert str(one).startswith("scrypt.15.8.3.")
    assert set(str(one)).isdisjoint("$,:# '\"\\")
    assert "correct" not in repr(one)


def test_a_hash_is_read_as_it_was_written():
    secret = cheap("some words")
    assert Users(f"ann:{secret}").secret("ann") == secret


@pytest.mark.parametrize(
    "kept",
    [
        "scrypt.8.1.1.c2FsdHNhbHQ",
        "scrypt.8.1.1.c2FsdHNhbHQ.",
        "scrypt.8.1.1.c2FsdHNhbHQ.AAAA",
        "scrypt.30.8.1.c2FsdHNhbHQ.AAAAAAAAAAAAAAAAAAAAAAAA",
        "scrypt.20.32.1.c2FsdHNhbHQ.AAAAAAAAAAAAAAAAAAAAAAAA",
        "scrypt.x.8.1.c2FsdHNhbHQ.AAAAAAAAAAAAAAAAAAAAAAAA",
        "scrypt.8.1.1.c2Fs!dHNhbHQ.AAAAAAAAAAAAAAAAAAAAAAAA",
    ],
)
def test_a_hash_that_is_not_whole_is_refused_and_not_taken_for_a_password(kept):
    with pytest.raises(SettingsError, match="password of 'ann' in DOCENT_AUTH is not whole"):
        Users(f"ann:{kept}")


def test_plain_passwords_are_taken_and_named():
    users = Users("ann:a:b, bob:c")
    assert users.plain == ("ann", "bob")
    assert users.check("ann", "a:b")
    assert users.check("bob", "c")
    assert Users(AUTH).plain == ()


@pytest.mark.parametrize("given", ["admin:admin", "Ann:ANN"])
def test_a_password_that_is_the_name_is_refused(given):
    with pytest.raises(SettingsError, match="is the name: choose another"):
        Users(given)


def test_a_name_that_stands_twice_is_refused():
    with pytest.raises(SettingsError, match="'ann' stands twice in DOCENT_AUTH"):
        Users("ann:first one,ann:second one")


@pytest.mark.parametrize("name", ["", " ann", "a:b", "a,b", "#ann", "@ann", "a\nb", "a" * 65])
def test_a_name_that_could_not_be_read_again_is_refused(name):
    with pytest.raises(SettingsError, match="No user can be called"):
        checked_name(name)


def test_a_file_of_users_is_followed_when_it_changes(tmp_path):
    path = tmp_path / "users"
    path.write_text(f"# who may enter\n\nann:{cheap('first words')}\n")
    users = Users(f"@{path}")
    assert users.check("ann", "first words")
    path.write_text(f"ann:{cheap('other words')}\nbob:{cheap('bob words')}\n")
    assert users.check("ann", "other words")
    assert not users.check("ann", "first words")
    path.write_text(f"bob:{cheap('bob words')}\n# ann has left\n")
    assert users.secret("ann") is None


@pytest.mark.parametrize("broken", ["", "ann", "ann:scrypt.8.1", b"\xff\xfe"])
def test_a_file_that_is_broken_later_lets_in_whom_it_let_in(tmp_path, broken, caplog):
    path = tmp_path / "users"
    path.write_text(f"ann:{cheap('first words')}\n")
    users = Users(f"@{path}")
    path.write_bytes(broken if isinstance(broken, bytes) else broken.encode())
    assert users.check("ann", "first words")
    assert users
    assert "The users stay as they were" in caplog.text


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "cannot be read: No such file"),
        ("# nobody\n", "There is nobody in the file of users"),
    ],
)
def test_a_file_without_users_is_refused_at_the_start(tmp_path, content, message):
    path = tmp_path / "users"
    if content is not None:
        path.write_text(content)
    with pytest.raises(SettingsError, match=message):
        Users(f"@{path}")


def test_the_command_prints_a_user_that_can_log_in(monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin", _Lines("correct horse\n"))
    assert app.main(["--hash-password", "ann"]) == 0
    line = capsys.readouterr().out
    assert line.startswith("ann:scrypt.15.8.3.")
    assert Users(line.strip()).check("ann", "correct horse")


@pytest.mark.parametrize(
    ("name", "password", "message"),
    [
        ("ann", "short", "A password has 8 to 1,024 characters"),
        ("ann", "", "A password has 8 to 1,024 characters"),
        ("a:b", "long enough", "No user can be called 'a:b'"),
    ],
)
def test_the_command_refuses_in_one_sentence(monkeypatch, capsys, name, password, message):
    monkeypatch.setattr("sys.stdin", _Lines(f"{password}\n"))
    assert app.main(["--hash-password", name]) == 1
    said = capsys.readouterr()
    assert message in said.err
    assert said.out == ""


class _Lines:
    """A standard input that is no terminal."""

    def __init__(self, text):
        self._text = text

    def isatty(self):
        return False

    def readline(self):
        return self._text
