"""Typed settings, read once at start from environment variables of the same name in upper case."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field{% if values.database %}, SecretStr{% endif %}
from pydantic_settings import BaseSettings, SettingsConfigDict


def _upper(value: object) -> object:
    return value.upper() if isinstance(value, str) else value


class Settings(BaseSettings):
    model_config = SettingsConfigDict(frozen=True, env_ignore_empty=True, extra="ignore")

    host: str = Field(default="127.0.0.1", description="address to listen on; the container image sets 0.0.0.0")
    port: int = Field(default=8080, ge=0, le=65535)
    log_level: Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR"], BeforeValidator(_upper)] = "INFO"
    otel_exporter_otlp_endpoint: str | None = Field(default=None, description="base URL; traces are sent when set")
    shutdown_drain_seconds: float = Field(default=1.0, ge=0, description="unready but still serving after SIGTERM")
    shutdown_timeout_seconds: int = Field(default=20, ge=1, description="limit for requests still under way")
{%- if values.database %}

    database_host: str
    database_port: int = Field(default=5432, ge=1, le=65535)
    database_name: str
    database_user: str
    database_password: SecretStr
    database_pool_size: int = Field(default=5, ge=1, le=100, description="connections held at most")
{%- endif %}


def load_settings() -> Settings:
    """Settings from the environment; raises pydantic.ValidationError naming each variable that is missing or wrong."""
    return Settings()
