"""Resources of a state as Resource documents. No I/O."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from typing import Any

from taxiway.plugin.people import API_VERSION, Names
from taxiway.plugins.terraform_state.settings import TerraformOptions
from taxiway.plugins.terraform_state.state import StateResource

PREFIX = "taxiway.dev/terraform-"
MOST_DEPENDENCIES = 100
OWNER = re.compile(r"(?:(?:group|user):)?(?:[a-z0-9-]{1,63}/)?[A-Za-z0-9][A-Za-z0-9_.-]{0,62}", re.IGNORECASE)


def documents(resources: Sequence[StateResource], options: TerraformOptions) -> Iterator[dict[str, Any]]:
    """A Resource for each instance whose type is asked for, in the order of their addresses."""
    wanted = sorted((one for one in resources if _is_wanted(one, options)), key=lambda one: one.address)
    names = Names()
    name_of = {one.address: names.claim(f"{options.prefix}{one.address}", one.address) for one in wanted}
    instances: dict[str, list[str]] = {}
    for one in wanted:
        instances.setdefault(_without_indices(one.address), []).append(name_of[one.address])
    for one in wanted:
        needs = [name for address in one.dependencies for name in instances.get(_without_indices(address), ())]
        yield _document(one, name_of[one.address], needs[:MOST_DEPENDENCIES], options)


def _is_wanted(resource: StateResource, options: TerraformOptions) -> bool:
    def fits(patterns: Sequence[str]) -> bool:
        return any(fnmatchcase(resource.type, pattern) for pattern in patterns)

    return fits(options.include) and not fits(options.exclude)


def _document(resource: StateResource, name: str, needs: Sequence[str], options: TerraformOptions) -> dict[str, Any]:
    annotations = {
        f"{PREFIX}address": resource.address,
        f"{PREFIX}provider": resource.provider,
        f"{PREFIX}module": resource.module,
        **{f"{PREFIX}{key.replace('_', '-')}": value for key, value in resource.attributes.items()},
    }
    metadata: dict[str, Any] = {
        "name": name,
        "title": resource.address,
        "annotations": {key: value for key, value in annotations.items() if value},
        "tags": ["terraform"],
    }
    if options.namespace != "default":
        metadata["namespace"] = options.namespace
    spec: dict[str, Any] = {"type": resource.type, "owner": _owner(resource, options)}
    if options.system:
        spec["system"] = options.system
    if needs:
        namespace = f"{options.namespace}/" if options.namespace != "default" else ""
        spec["dependsOn"] = [f"resource:{namespace}{one}" for one in dict.fromkeys(needs)]
    return {"apiVersion": API_VERSION, "kind": "Resource", "metadata": metadata, "spec": spec}


def _owner(resource: StateResource, options: TerraformOptions) -> str:
    if options.owner_tag:
        for key, value in resource.tags.items():
            if key.lower() == options.owner_tag.lower() and OWNER.fullmatch(value):
                return value
    return options.owner


def _without_indices(address: str) -> str:
    return re.sub(r"\[(?:\d+|\"(?:[^\"\\]|\\.)*\")\]", "", address)
