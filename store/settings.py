"""Settings from the environment and `.env`, read at the doors and nowhere below.

The doors are `app.py`, the `ingest` command, `python -m chatbot` and
`Chatbot.open()`; everything else is handed values. It lives in the store because
every door uses it and `ingest` does not import `chatbot`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from platformdirs import user_data_path
from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from store.errors import SettingsError


@dataclass(frozen=True, slots=True)
class Service:
    """How to reach a provider of chat models; what is None the provider's package decides."""

    key: SecretStr | None = None
    url: str | None = None


class Settings(BaseSettings):
    """Every `DOCENT_…` setting, checked; secrets do not show when printed."""

    model_config = SettingsConfigDict(
        env_prefix="DOCENT_", env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True
    )

    home: Path = Field(default_factory=lambda: user_data_path("docent", appauthor=False))
    model: str = "extractive"
    model_timeout: float = Field(default=60.0, gt=0)
    model_context: int = Field(default=8192, ge=1024)
    embedder: str = "wordllama"
    database_url: SecretStr | None = None
    chroma_url: str | None = Field(default=None, pattern=r"^https?://[^/\s]+")
    host: str = "127.0.0.1"
    port: int = Field(default=7860, ge=0, le=65535)
    auth: SecretStr | None = None
    max_upload_mb: int = Field(default=200, gt=0)
    # Under the names that the providers' own programs read.
    openai_api_key: SecretStr | None = Field(default=None, validation_alias="OPENAI_API_KEY")
    openai_base_url: str | None = Field(default=None, validation_alias="OPENAI_BASE_URL")
    anthropic_api_key: SecretStr | None = Field(default=None, validation_alias="ANTHROPIC_API_KEY")
    anthropic_base_url: str | None = Field(default=None, validation_alias="ANTHROPIC_BASE_URL")
    ollama_api_key: SecretStr | None = Field(default=None, validation_alias="OLLAMA_API_KEY")
    ollama_host: str | None = Field(default=None, validation_alias="OLLAMA_HOST")

    def library_options(self) -> dict[str, Any]:
        """The part that `Library.open` takes."""
        url = self.database_url
        return {
            "home": self.home,
            "embedder": self.embedder,
            "database_url": url.get_secret_value() if url else None,
            "chroma_url": self.chroma_url,
        }

    def model_options(self) -> dict[str, Any]:
        """The part that `Chatbot` takes."""
        return {
            "model": self.model,
            "timeout": self.model_timeout,
            "context": self.model_context,
            "services": {
                "openai": Service(self.openai_api_key, self.openai_base_url),
                "anthropic": Service(self.anthropic_api_key, self.anthropic_base_url),
                "ollama": Service(self.ollama_api_key, self.ollama_host),
            },
        }


def load_settings(**overrides: Any) -> Settings:  # noqa: ANN401 (one per field, each checked)
    """The settings in force; `overrides` that are not None win over the environment.

    Raises SettingsError, naming the setting, its value and what is expected.
    """
    given = {name: value for name, value in overrides.items() if value not in (None, "")}
    unknown = given.keys() - Settings.model_fields.keys()
    if unknown:
        raise SettingsError(f"Unknown setting: {', '.join(sorted(unknown))}.")
    try:
        settings = Settings(**given)
    except ValidationError as error:
        raise SettingsError(_describe(error)) from error
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8"
        raise SettingsError(f"The file '.env' cannot be read: {reason}.") from error
    return settings.model_copy(update={"home": settings.home.expanduser().absolute()})


def _describe(error: ValidationError) -> str:
    """One sentence for each setting that is wrong, without any secret's value."""
    lines = []
    for problem in error.errors():
        name = str(problem["loc"][0])
        value = "" if name in {"auth", "database_url"} else f" is {problem['input']!r}"
        wanted = problem["msg"][0].lower() + problem["msg"][1:]
        lines.append(f"DOCENT_{name.upper()}{value}: {wanted}.")
    return " ".join(lines)
