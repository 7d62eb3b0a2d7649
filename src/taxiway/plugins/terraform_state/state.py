"""Terraform's state, version 4, as resources. No I/O.

Only what names and places a resource is taken: attributes are looked up by name in a short list, and never one that the
state marks as sensitive. Older Terraform does not mark what only the provider's schema calls sensitive; the short list
is why that does not matter.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from taxiway.model.errors import InputError

VERSION = 4
MOST_BYTES = 100_000_000
SHOWN = ("arn", "self_link", "region", "location", "availability_zone", "zone")
"""Attributes whose values are shown, where they are plain texts that are not sensitive."""
LONGEST = 1000


@dataclass(frozen=True)
class StateResource:
    """One instance of a managed resource. `address` is as `terraform state list` prints it."""

    address: str
    module: str
    type: str
    name: str
    provider: str
    attributes: Mapping[str, str]
    tags: Mapping[str, str]
    dependencies: Sequence[str]


def read_state(content: bytes) -> list[StateResource]:
    """The managed resources of a state. InputError for what is no state that can be read."""
    if len(content) > MOST_BYTES:
        raise InputError(f"the state has more than {MOST_BYTES} bytes: split the stack", code="terraform.state")
    try:
        state = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise InputError("this is no Terraform state: it is no JSON", code="terraform.state") from error
    if not isinstance(state, dict):
        raise InputError("this is no Terraform state: it is no object", code="terraform.state")
    if "encrypted_data" in state:
        raise InputError("the state is encrypted by OpenTofu: it cannot be read here", code="terraform.state")
    if state.get("version") != VERSION:
        raise InputError(
            f"the state has version {str(state.get('version'))[:20]}, not {VERSION}: run `terraform refresh` with "
            "Terraform 0.12 or newer once",
            code="terraform.state",
        )
    found = state.get("resources")
    return [one for item in (found if isinstance(found, list) else []) for one in _instances(item)]


def _instances(item: Any) -> Iterator[StateResource]:
    if not isinstance(item, Mapping) or item.get("mode") != "managed":
        return
    kind, name, module = (str(item.get(key) or "") for key in ("type", "name", "module"))
    instances = item.get("instances")
    if not kind or not name or not isinstance(instances, list):
        return
    for instance in instances:
        if not isinstance(instance, Mapping) or instance.get("deposed"):
            continue
        attributes = instance.get("attributes")
        plain = attributes if isinstance(attributes, Mapping) else {}
        hidden = _sensitive(instance.get("sensitive_attributes"))
        yield StateResource(
            address=f"{module}.{kind}.{name}".lstrip(".") + _index(instance),
            module=module,
            type=kind,
            name=name,
            provider=_provider(str(item.get("provider") or "")),
            attributes={
                key: value
                for key in SHOWN
                if key not in hidden and isinstance(value := plain.get(key), str) and 0 < len(value) <= LONGEST
            },
            tags=_tags(plain, hidden),
            dependencies=[one for one in instance.get("dependencies") or () if isinstance(one, str)],
        )


def _index(instance: Mapping[str, Any]) -> str:
    key = instance.get("index_key")
    if isinstance(key, str):
        return f"[{json.dumps(key, ensure_ascii=False)}]"
    return f"[{key}]" if isinstance(key, int) else ""


def _sensitive(paths: Any) -> set[str]:
    """The top-level names of sensitive attributes: a sensitive part hides the whole attribute."""
    found: set[str] = set()
    for path in paths if isinstance(paths, list) else []:
        first = path[0] if isinstance(path, list) and path else path
        if isinstance(first, Mapping):
            found.add(str(first.get("value")))
        elif isinstance(first, str):
            found.add(first)
    return found


def _provider(text: str) -> str:
    # module.x.provider["registry.terraform.io/hashicorp/aws"].alias, or provider.aws of older states
    quoted = re.search(r'provider\["([^"]+)"\]', text)
    if quoted is not None:
        return "/".join(quoted[1].split("/")[-2:])
    return text.rpartition("provider.")[2].partition(".")[0]


def _tags(attributes: Mapping[str, Any], hidden: set[str]) -> dict[str, str]:
    for key in ("tags_all", "tags", "labels"):
        value = attributes.get(key)
        if key not in hidden and isinstance(value, Mapping) and value:
            return {str(name): one for name, one in value.items() if isinstance(one, str)}
    return {}
