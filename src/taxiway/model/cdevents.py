"""The data of a CDEvents type as CDEvents 0.5.1 has it, made of the facts that the event log keeps.

The log and its subscribers have the facts alone; whoever reads events through the API gets {context, subject,
customData}, where `customData` are the same facts. Source of the shapes: the JSON Schemas of CDEvents
0.5.1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

from taxiway.model.event_types import SCHEMAS, TEXT

PREFIX = "dev.cdevents."
VERSION = "0.5.1"
Facts = Mapping[str, Any]


def cdevent(identifier: str, source: str, type: str, time: str, facts: Facts, base_url: str) -> dict[str, Any]:
    """The `data` of an event of a CDEvents type; `time` is RFC 3339, `base_url` where users reach the portal."""
    subject_id, content = _SUBJECTS[type.split(".")[2]](type, facts, base_url)
    return {
        "context": {"specversion": VERSION, "id": identifier, "source": source, "type": type, "timestamp": time},
        "subject": {"id": subject_id, "source": source, "content": content},
        "customData": dict(facts),
        "customDataContentType": "application/json",
    }


def data_schema(type: str, facts: Facts | None = None) -> dict[str, Any]:
    """The JSON Schema of an event's `data` as the API shows it; `facts` for a type that a plugin declared."""
    kept = dict(SCHEMAS[type] if facts is None else facts)
    if not type.startswith(PREFIX):
        return kept
    part = {"type": "object", "properties": {"id": TEXT, "source": TEXT}, "required": ["id", "source"]}
    properties = {"context": part, "subject": part, "customData": kept, "customDataContentType": TEXT}
    return {"type": "object", "properties": properties, "required": list(properties)}


def _artifact(facts: Facts) -> str:
    """A release as a package URL: CDEvents names artefacts so."""
    namespace, _, name = facts["service"].rpartition(":")[2].partition("/")
    return f"pkg:generic/{quote(namespace)}/{quote(name)}@{quote(facts['release'])}"


def _published(_: str, facts: Facts, __: str) -> tuple[str, dict[str, Any]]:
    return _artifact(facts), {}


def _change(_: str, facts: Facts, __: str) -> tuple[str, dict[str, Any]]:
    return f"{facts['repository']}/{facts['number']}", {"repository": {"id": facts["repository"]}}


def _pipeline_run(type: str, facts: Facts, base_url: str) -> tuple[str, dict[str, Any]]:
    content = {"uri": f"{base_url}/runs/{facts['run_id']}"}
    part = {"outcome": facts["outcome"]} if ".finished." in type else {"pipelineName": facts["workflow"]}
    return facts["run_id"], {**content, **part}


def _repository(_: str, facts: Facts, __: str) -> tuple[str, dict[str, Any]]:
    content = {"name": facts["repository"], "uri": facts.get("url"), "owner": facts.get("owner")}
    return facts["repository"], {name: value for name, value in content.items() if value}


def _service(type: str, facts: Facts, _: str) -> tuple[str, dict[str, Any]]:
    content: dict[str, Any] = {"environment": {"id": facts["environment"]}}
    return facts["service"], content if ".removed." in type else {**content, "artifactId": _artifact(facts)}


_SUBJECTS: Mapping[str, Callable[[str, Facts, str], tuple[str, dict[str, Any]]]] = {
    "artifact": _published,
    "change": _change,
    "pipelinerun": _pipeline_run,
    "repository": _repository,
    "service": _service,
}
