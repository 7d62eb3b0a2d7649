"""States of Terraform as Resource documents; nothing sensitive comes along."""

from __future__ import annotations

import json
from typing import Any

import pytest

from taxiway.model.errors import InputError
from taxiway.plugins.terraform_state.entities import documents
from taxiway.plugins.terraform_state.settings import TerraformOptions
from taxiway.plugins.terraform_state.signing import object_url, signed_headers
from taxiway.plugins.terraform_state.state import read_state

AWS = 'provider["registry.terraform.io/hashicorp/aws"]'
SECRET = "hunter2-hunter2"


def managed(type: str, name: str, *instances: dict[str, Any], provider: str = AWS, **more: Any) -> dict[str, Any]:
    return {"mode": "managed", "type": type, "name": name, "provider": provider, "instances": list(instances), **more}


# The shape that Terraform 1.11 with the AWS provider writes.
STATE: dict[str, Any] = {
    "version": 4,
    "terraform_version": "1.11.4",
    "serial": 7,
    "lineage": "0cbd4d4a",
    "outputs": {"password": {"value": SECRET, "type": "string", "sensitive": True}},
    "resources": [
        {"mode": "data", "type": "aws_region", "name": "here", "provider": AWS, "instances": [{"attributes": {}}]},
        managed(
            "aws_db_instance",
            "orders",
            {
                "schema_version": 2,
                "attributes": {
                    "arn": "arn:aws:rds:eu-west-1:1:db:orders",
                    "password": SECRET,
                    "address": SECRET,
                    "tags": {"Owner": "team-orders", "secret": SECRET},
                },
                "sensitive_attributes": [[{"type": "get_attr", "value": "password"}]],
                "private": SECRET,
                "dependencies": ["aws_s3_bucket.logs"],
            },
            module="module.db",
        ),
        managed(
            "aws_s3_bucket",
            "logs",
            {"index_key": 0, "attributes": {"arn": "arn:aws:s3:::l0", "region": "eu-west-1", "tags": None}},
            {"index_key": "eu west", "attributes": {"arn": "arn:aws:s3:::l1", "tags": {"owner": "no name!"}}},
            {"index_key": 2, "deposed": "ab12", "attributes": {}},
        ),
        managed(
            "aws_ssm_parameter",
            "p",
            {"attributes": {"arn": SECRET}, "sensitive_attributes": [[{"type": "get_attr", "value": "arn"}]]},
            provider="provider.aws.west",
        ),
        managed("random_password", "p", {"attributes": {"result": SECRET, "id": SECRET}}),
    ],
}


def read(state: Any, **more: Any) -> dict[str, dict[str, Any]]:
    options = TerraformOptions.model_validate({"url": "/x", "owner": "group:default/platform", **more})
    found = documents(read_state(json.dumps(state).encode()), options)
    return {one["metadata"]["title"]: one for one in found}


def test_managed_resources_become_entities() -> None:
    found = read(STATE, system="shop")
    assert list(found) == [
        'aws_s3_bucket.logs["eu west"]',
        "aws_s3_bucket.logs[0]",
        "aws_ssm_parameter.p",
        "module.db.aws_db_instance.orders",
    ]
    database = found["module.db.aws_db_instance.orders"]
    assert database["metadata"]["name"] == "module.db.aws_db_instance.orders"
    assert database["metadata"]["annotations"] == {
        "taxiway.dev/terraform-address": "module.db.aws_db_instance.orders",
        "taxiway.dev/terraform-provider": "hashicorp/aws",
        "taxiway.dev/terraform-module": "module.db",
        "taxiway.dev/terraform-arn": "arn:aws:rds:eu-west-1:1:db:orders",
    }
    assert database["spec"] == {
        "type": "aws_db_instance",
        "owner": "team-orders",
        "system": "shop",
        "dependsOn": ["resource:aws_s3_bucket.logs-eu-west", "resource:aws_s3_bucket.logs-0"],
    }
    assert found['aws_s3_bucket.logs["eu west"]']["spec"]["owner"] == "group:default/platform"
    assert found["aws_ssm_parameter.p"]["metadata"]["annotations"]["taxiway.dev/terraform-provider"] == "aws"


def test_nothing_sensitive_comes_along() -> None:
    assert SECRET not in json.dumps(read(STATE, exclude=[]))


def test_types_are_chosen_and_names_have_a_prefix() -> None:
    found = read(STATE, include=["aws_s3_*"], prefix="prod-", namespace="prod")
    assert {one["metadata"]["name"] for one in found.values()} == {
        "prod-aws_s3_bucket.logs-0",
        "prod-aws_s3_bucket.logs-eu-west",
    }


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"null",
        b"[]",
        b"[" * 100_000,
        b'{"version": 3, "modules": []}',
        b'{"encrypted_data": "x", "version": 4}',
        b"\xff\xfe",
    ],
)
def test_what_is_no_state_is_said(content: bytes) -> None:
    with pytest.raises(InputError):
        read_state(content)


@pytest.mark.parametrize(
    "resources",
    [
        None,
        7,
        ["x"],
        [{"mode": "managed"}],
        [{"mode": "managed", "type": "a", "name": "b", "instances": [None, 1, {"attributes": 3}]}],
        [managed("a", "b", {"sensitive_attributes": [[], None, [{"value": 1}], "x"], "dependencies": [1]})],
        [managed("a", "b", {"index_key": True, "attributes": {"tags": {"owner": 1}}})],
    ],
)
def test_what_is_odd_in_a_state_does_no_harm(resources: Any) -> None:
    read({"version": 4, "resources": resources})


def test_a_request_is_signed_as_amazon_documents_it() -> None:
    # The worked example of Amazon's own description of signature version 4.
    secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
    at = 1_369_353_600_000_000
    headers = signed_headers(
        "https://examplebucket.s3.amazonaws.com/test.txt",
        "AKIAIOSFODNN7EXAMPLE",
        secret,
        "us-east-1",
        at,
        {"range": "bytes=0-9"},
    )
    assert headers["authorization"].endswith(
        "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
    )
    assert (
        object_url("s3://b/env/a b.tfstate", None, "eu-west-1")
        == "https://s3.eu-west-1.amazonaws.com/b/env/a%20b.tfstate"
    )
    assert object_url("s3://b/k", "http://minio:9000/", "x") == "http://minio:9000/b/k"
