"""Which cluster is read, and what becomes of it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from taxiway.plugin import CredentialRef, PluginSettings

Workload = Literal["deployments", "statefulsets", "daemonsets", "cronjobs"]


class KubernetesOptions(PluginSettings):
    """One cluster. Reading needs `list` on namespaces and on the workloads, following them `watch` as well; only their
    metadata is asked for."""

    cluster: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9.-]{0,40}$", description="name of the cluster in the catalog")
    owner: str = Field(min_length=1, description="owner of what names none (reference to a group or user)")
    kubeconfig: str | None = Field(None, description="absolute path of a kubeconfig file")
    context: str | None = Field(None, description="context in the kubeconfig; none: its current one")
    server: str | None = Field(None, description="address of the API server, instead of a kubeconfig")
    token: CredentialRef | None = Field(None, description="bearer token for `server`, by reference")
    ca_file: str | None = Field(None, description="certificates of the authorities of `server`; none: the system's")
    namespaces: tuple[str, ...] = Field(("*",), description="namespaces that are read, with `*` for anything")
    exclude_namespaces: tuple[str, ...] = Field(("kube-*",), description="namespaces that are not")
    workloads: tuple[Workload, ...] = Field(
        ("deployments", "statefulsets", "daemonsets", "cronjobs"), description="kinds of workload that are read"
    )
    watch: bool = Field(True, description="whether changes are followed as they happen, beside whole readings")
    all_workloads: bool = Field(
        False, description="whether workloads without `backstage.io/kubernetes-id` are read as well"
    )
    components: bool = Field(
        False,
        description="whether each `backstage.io/kubernetes-id` becomes a Component, for services without a file",
    )
    lifecycle: str = Field("production", description="lifecycle of these components")
    system: str | None = Field(None, description="system that everything belongs to")
    namespace: str = Field("default", description="namespace of the entities in the catalog")
