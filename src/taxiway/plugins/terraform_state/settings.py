"""What to read of a Terraform state, and what becomes of it."""

from __future__ import annotations

from pydantic import Field

from taxiway.plugin import CredentialRef, PluginSettings

UNINTERESTING = ("random_*", "null_resource", "time_*", "tls_*", "local_*", "terraform_data", "terraform_remote_state")


class TerraformOptions(PluginSettings):
    """One state: of a stack in one workspace."""

    url: str = Field(
        min_length=1,
        description="where the state is: a file's absolute path, `https://…` (the http backend), or `s3://bucket/key`",
    )
    owner: str = Field(min_length=1, description="owner of the resources that name none (reference to a group or user)")
    owner_tag: str = Field("owner", description="tag or label of a resource that names its owner; empty: none does")
    system: str | None = Field(None, description="system that the resources belong to")
    namespace: str = Field("default", description="namespace of the entities")
    prefix: str = Field("", description="what stands before each name, so that two stacks do not meet")
    include: tuple[str, ...] = Field(("*",), description="resource types that become entities, with `*` for anything")
    exclude: tuple[str, ...] = Field(UNINTERESTING, description="resource types that do not, with `*` for anything")
    username: str = Field("", description="user name for the http backend")
    password: CredentialRef | None = Field(
        None, description="password for the http backend, by reference; without a user name it is a bearer token"
    )
    s3_endpoint: str | None = Field(None, description="address of S3-compatible storage; none: Amazon's of the region")
    s3_region: str = Field("us-east-1", description="region of the bucket")
    s3_access_key: str = Field("", description="access key for the bucket; empty: anonymous")
    s3_secret_key: CredentialRef | None = Field(None, description="secret key for the bucket, by reference")
