"""Settings: what is read from the environment, and what is wrong in words."""

from pathlib import Path

import pytest

from store.errors import SettingsError
from store.settings import load_settings


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_defaults_work_without_any_setting():
    settings = load_settings()
    assert (settings.model, settings.embedder) == ("extractive", "wordllama")
    assert (settings.host, settings.port) == ("127.0.0.1", 7860)
    assert settings.home.is_absolute()


def test_the_environment_wins_over_the_file_and_arguments_over_both(tmp_path, monkeypatch):
    (tmp_path / ".env").write_text("DOCENT_PORT=8001\nDOCENT_MODEL_TIMEOUT=5\n")
    assert (load_settings().port, load_settings().model_timeout) == (8001, 5)
    monkeypatch.setenv("DOCENT_PORT", "8002")
    assert load_settings().port == 8002
    assert load_settings(port=8003).port == 8003


def test_a_relative_home_is_made_absolute(tmp_path):
    assert load_settings(home="library").home == tmp_path / "library"
    assert load_settings(home="~/library").home == Path.home() / "library"


def test_an_empty_setting_counts_as_unset(monkeypatch):
    monkeypatch.setenv("DOCENT_PORT", "")
    assert load_settings().port == 7860


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("PORT", "http", "DOCENT_PORT is 'http'"),
        ("PORT", "70000", "DOCENT_PORT is '70000'"),
        ("MODEL_TIMEOUT", "0", "DOCENT_MODEL_TIMEOUT is '0'"),
        ("MAX_UPLOAD_MB", "many", "DOCENT_MAX_UPLOAD_MB is 'many'"),
    ],
)
def test_a_wrong_value_is_named(monkeypatch, name, value, message):
    monkeypatch.setenv(f"DOCENT_{name}", value)
    with pytest.raises(SettingsError, match=message):
        load_settings()


def test_secrets_do_not_show(monkeypatch):
    monkeypatch.setenv("DOCENT_AUTH", "ann:hush")
    monkeypatch.setenv("DOCENT_DATABASE_URL", "sqlite:///hush.db")
    assert "hush" not in repr(load_settings())


def test_an_unknown_setting_is_refused():
    with pytest.raises(SettingsError, match="Unknown setting: colour"):
        load_settings(colour="blue")
