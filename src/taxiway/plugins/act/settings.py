"""Settings of the pipeline engine."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from taxiway.plugin import PluginSettings

PASSED = (
    *("PIP_CERT", "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "PIP_NO_INDEX", "PIP_TRUSTED_HOST"),
    *("PIP_DEFAULT_TIMEOUT", "UV_INDEX", "UV_INDEX_URL", "UV_DEFAULT_INDEX", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS"),
    *("UV_NO_INDEX", "UV_HTTP_TIMEOUT", "UV_NATIVE_TLS", "UV_SYSTEM_CERTS", "NPM_CONFIG_REGISTRY"),
    *("npm_config_registry", "NPM_CONFIG_CAFILE", "npm_config_cafile", "GOPROXY", "GOSUMDB", "GONOSUMDB"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS", "GIT_SSL_CAINFO"),
    *("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"),
)


class ActSettings(PluginSettings):
    """Bounds on a pipeline run, and what of this host its steps may know."""

    seconds: float = Field(900.0, gt=0, description="a run that takes longer is ended")
    memory_bytes: int = Field(4 * 1024**3, gt=0, description="memory of all processes of a run together")
    output_bytes: int = Field(16 * 1024**2, gt=0, description="log text kept of a run; four times as much ends it")
    lines: int = Field(100_000, gt=0, description="log lines kept of a run")
    artifact_bytes: int = Field(1024**3, gt=0, description="size of a run's artefacts together")
    concurrent_jobs: int = Field(2, ge=1, le=64, description="jobs of one run at a time")
    program: Path | None = Field(None, description="the `act` program; none: the one beside Python, else on PATH")
    prefetch: bool = Field(True, description="fetch the packages of the shipped golden paths ahead of their pipelines")
    seed_folder: Path | None = Field(
        None,
        description="folder of the packages that are fetched ahead, which data folders of one user may share; "
        "none: in the data folder",
    )
    passed_variables: tuple[str, ...] = Field(
        PASSED, description="variables of the host that steps get; one with a password in a URL is left out"
    )
