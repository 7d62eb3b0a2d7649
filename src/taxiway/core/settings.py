"""Settings: one frozen tree. Defaults < `taxiway.yaml` < `TAXIWAY_…` variables < flags. Read once, then passed on.

A variable names its path with double underscores: `TAXIWAY_ENGINES__ALLOW_HOST_ENGINES=true`. Each value remembers
where it came from, for `taxiway config show`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator

from taxiway.core.settings_access import AccessSettings
from taxiway.core.settings_approvals import ApprovalSettings, MailSettings
from taxiway.core.settings_sources import PushedSettings, SourceSettings
from taxiway.model.errors import FieldError, InputError

PREFIX = "TAXIWAY_"
MASK = "********"
DEMO_ORGANISATION = "Acme"


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class EngineSettings(_Section):
    """Engines that run repository code on this host: pipelines, workloads, templates."""

    allow_host_engines: bool = Field(False, description="listen beyond loopback although repository code runs here")
    pipeline_uid: int = Field(61001, description="user of pipelines when Taxiway runs as root")
    workload_uid: int = Field(61002, description="user of workloads when Taxiway runs as root")
    template_uid: int = Field(61003, description="user of template rendering when Taxiway runs as root")
    database_uid: int = Field(61004, description="user of local databases when Taxiway runs as root")
    command_uid: int = Field(
        61010, description="first of eight users of golden paths' commands, one each at a time, when Taxiway is root"
    )


class LimitSettings(_Section):
    """Bounds on requests."""

    body_bytes: int = Field(10_000_000, description="largest request body in bytes, git packs apart")
    requests_per_minute: int = Field(6000, description="requests of one caller in a minute before 429")
    sign_ins_per_minute: int = Field(10, description="failed sign-ins of one address in a minute before 429")


class CatalogSettings(_Section):
    """Where the catalog may read from."""

    file_roots: tuple[Path, ...] = Field((), description="folders below which `file:` locations may be registered")
    url_hosts: tuple[str, ...] = Field((), description="hosts that `url:` locations may be read from")
    history_days: int = Field(
        365, ge=1, le=36_500, description="days for which superseded versions of entities are kept"
    )
    orphan_days: int = Field(
        7,
        ge=0,
        le=3650,
        description="days for which an entity is kept that its source does not name any more; 0: it goes at once",
    )
    import_days: int = Field(30, ge=1, le=3650, description="days for which documents and reports of imports are kept")
    sources: tuple[SourceSettings, ...] = Field(
        (), description="what is read regularly: `name`, `type`, `every`, and what the type needs; the first go first"
    )

    pushed: tuple[PushedSettings, ...] = Field(
        (), description="pushed sources that add fields to entities of others: `name` and `overlay`"
    )

    @field_validator("sources", "pushed")
    @classmethod
    def _named_once(cls, found: tuple[Any, ...]) -> tuple[Any, ...]:
        names = [item.name for item in found]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"two sources have the name {', '.join(twice)}: rename one")
        return found


class RetentionSettings(_Section):
    """How long what is over is kept; none: for ever. A job of the worker removes it, every hour or day."""

    run_log_days: int | None = Field(90, ge=1, description="days that the log of an ended run is kept")
    run_days: int | None = Field(365, ge=1, description="days that an ended run is kept; after it there is no undo")
    event_days: int | None = Field(
        None, ge=1, description="days that events are kept; the log then begins behind a signed note of what went"
    )


class ScaffolderSettings(_Section):
    """How templates are run."""

    rendering: Literal["strict", "backstage"] = Field(
        "strict", description="a value that cannot be rendered: strict fails its step, backstage keeps its raw text"
    )
    http_hosts: tuple[str, ...] = Field(
        (), description="hosts inside private networks that `http:request`, `notify` and `Action` entities may reach"
    )
    require_user_credentials: bool = Field(
        False,
        description="steps on forges act with the person's own token only, never with that of the settings "
        "(Backstage's `requireScmUserCredentials`)",
    )
    draft_days: int = Field(30, ge=1, le=3650, description="days that a half-filled form is kept after its last change")
    command_seconds: float = Field(600.0, gt=0, le=86_400, description="seconds after which a command is ended")
    command_memory_bytes: int = Field(
        1024**3, ge=1024**2, description="memory of all processes of a command together, in bytes"
    )
    command_folder_bytes: int = Field(
        256 * 1024**2, ge=1024**2, description="size of the files that a command may write, in bytes"
    )


class WebhookSettings(_Section):
    """Events that are sent to other systems."""

    hosts: tuple[str, ...] = Field(
        (), description="hosts (`host`, `host:port`, `*.domain`) that webhooks may reach at private addresses"
    )
    give_up_seconds: int = Field(
        259_200, ge=1, description="seconds for which a webhook may fail without a break before it is disabled"
    )


class TelemetrySettings(_Section):
    """What Taxiway tells about itself."""

    otlp_endpoint: str | None = Field(None, description="OTLP/HTTP endpoint for traces; none: no traces")
    log_level: str = Field("info", description="debug, info, warning or error")
    log_format: str = Field("auto", description="json, text, or auto: text on a terminal")


class Settings(_Section):
    """All settings. `data` holds everything that Taxiway keeps: two data folders share nothing."""

    data: Path = Field(Path(".taxiway"), description="the data folder")
    host: str = Field("127.0.0.1", description="address to listen on")
    port: int = Field(7007, ge=0, le=65535, description="port to listen on; 0 picks a free one")
    public_url: str | None = Field(None, description="where users reach the portal; default from host and port")
    database_url: SecretStr | None = Field(None, description="PostgreSQL URL; none: SQLite in the data folder")
    organisation: str = Field(
        "default", description="name of the organisation that this installation serves; Acme with the demo"
    )
    demo: bool = Field(False, description="load the demo organisation")
    workers: int = Field(4, ge=0, le=64, description="runs worked on at once by this process; 0: none")
    step_retries: int = Field(
        4,
        ge=0,
        le=20,
        description="times that a step is tried again by itself when what it needs does not answer: after 1, 2, 4 … s",
    )
    engines: EngineSettings = EngineSettings()
    limits: LimitSettings = LimitSettings()
    access: AccessSettings = AccessSettings()
    catalog: CatalogSettings = CatalogSettings()
    scaffolder: ScaffolderSettings = ScaffolderSettings()
    telemetry: TelemetrySettings = TelemetrySettings()
    retention: RetentionSettings = RetentionSettings()
    webhooks: WebhookSettings = WebhookSettings()
    approvals: ApprovalSettings = ApprovalSettings()
    mail: MailSettings = MailSettings()
    disabled_plugins: tuple[str, ...] = Field((), description="plugins that are not to be loaded")
    plugins: Mapping[str, Mapping[str, Any]] = Field(default_factory=dict, description="settings by plugin name")

    def store_url(self) -> str:
        """The SQLAlchemy URL of the store."""
        if self.database_url is not None:
            return self.database_url.get_secret_value()
        return f"sqlite:///{self.data.resolve() / 'taxiway.db'}"


@dataclass(frozen=True)
class Loaded:
    """The settings, and for each dotted key the source of its value (`default`, `demo`, a file, a variable, `flag`)."""

    settings: Settings
    sources: Mapping[str, str]


def load_settings(
    environ: Mapping[str, str], flags: Mapping[str, Any] | None = None, file: Path | None = None
) -> Loaded:
    """Read and validate. Raises InputError that names each wrong key, its source and what is allowed."""
    given = {key: value for key, value in (flags or {}).items() if value is not None}
    data = Path(given.get("data") or environ.get(PREFIX + "DATA") or Settings.model_fields["data"].default)
    path = file or Path(environ.get(PREFIX + "CONFIG", "")) if file or environ.get(PREFIX + "CONFIG") else None
    candidates = [path] if path else [Path("taxiway.yaml"), data / "taxiway.yaml"]
    tree: dict[str, Any] = {}
    sources: dict[str, str] = {}
    for candidate in candidates:
        if candidate is not None and (candidate.is_file() or path is not None):
            _merge(tree, _read_yaml(candidate), str(candidate), sources)
            break
    for name, value in sorted(environ.items()):
        if name.startswith(PREFIX) and _known(name):
            keys = name[len(PREFIX) :].lower().split("__")
            _merge(tree, _nest(keys, yaml.safe_load(value) if value[:1] in "[{" else value), name, sources)
    for key, value in given.items():
        _merge(tree, _nest(key.split("."), value), "flag", sources)
    try:
        settings = Settings.model_validate(tree)
    except ValidationError as error:
        raise _input_error(error, sources) from error
    if settings.demo and "organisation" not in settings.model_fields_set:
        settings = settings.model_copy(update={"organisation": DEMO_ORGANISATION})
        sources["organisation"] = "demo"
    return Loaded(settings, sources)


def describe(loaded: Loaded) -> Iterator[tuple[str, Any, str, str]]:
    """Every key as (dotted key, value with secrets masked, source, help), in order."""
    yield from _walk(loaded.settings, "", loaded.sources)


def process_environ() -> Mapping[str, str]:
    """The environment of this process; the only place that reads it for settings."""
    return dict(os.environ)


def _known(name: str) -> bool:
    return name[len(PREFIX) :].lower().split("__")[0] in Settings.model_fields


def _nest(keys: list[str], value: Any) -> dict[str, Any]:
    for key in reversed(keys):
        value = {key: value}
    assert isinstance(value, dict)
    return value


def _merge(into: dict[str, Any], other: Mapping[str, Any], source: str, sources: dict[str, str], at: str = "") -> None:
    for key, value in other.items():
        path = f"{at}{key}"
        if isinstance(value, Mapping) and isinstance(into.get(key, {}), dict):
            _merge(into.setdefault(key, {}), value, source, sources, path + ".")
        else:
            into[key] = value
            sources[path] = source


def _read_yaml(path: Path) -> Mapping[str, Any]:
    try:
        tree = yaml.safe_load(path.read_text()) or {}
    except FileNotFoundError as error:
        raise InputError(f"the settings file {path} does not exist", code="settings.missing") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not valid YAML: {error}", code="settings.syntax") from error
    if not isinstance(tree, dict):
        raise InputError(f"{path} must be a mapping of settings", code="settings.syntax")
    return tree


def _input_error(error: ValidationError, sources: Mapping[str, str]) -> InputError:
    problems = []
    for item in error.errors():
        key = ".".join(str(part) for part in item["loc"])
        problems.append(FieldError("/" + key.replace(".", "/"), f"{item['msg']} (from {sources.get(key, 'default')})"))
    text = "; ".join(f"{problem.pointer[1:].replace('/', '.')}: {problem.detail}" for problem in problems)
    return InputError(f"wrong settings: {text}", code="settings.invalid", errors=problems)


def _walk(section: BaseModel, at: str, sources: Mapping[str, str]) -> Iterator[tuple[str, Any, str, str]]:
    for name, field in type(section).model_fields.items():
        value, key = getattr(section, name), f"{at}{name}"
        if isinstance(value, BaseModel):
            yield from _walk(value, key + ".", sources)
            continue
        if isinstance(value, SecretStr):
            value = MASK
        elif name == "sources":
            value = [item.model_dump() for item in value]
        elif name == "plugins":
            value = {plugin: dict.fromkeys(options, MASK) for plugin, options in value.items()}
        yield key, value, _source(key, sources), field.description or ""


def _source(key: str, sources: Mapping[str, str]) -> str:
    return sources.get(key) or next((s for k, s in sources.items() if k.startswith(key + ".")), "default")
