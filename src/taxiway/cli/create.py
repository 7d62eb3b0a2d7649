"""`taxiway create`: run a golden path from its form's answers."""

from __future__ import annotations

import json
from typing import Annotated, Any

from cyclopts import Parameter

from taxiway.cli.client import Client, entity_path, find_session, full_ref
from taxiway.cli.errors import CliError
from taxiway.cli.output import Output, note, show
from taxiway.cli.runs import follow


def create(
    template: str,
    *,
    plan: bool = False,
    save: bool = False,
    wait: bool = True,
    values: str | None = None,
    for_: Annotated[str | None, Parameter(name="--for")] = None,
    output: Output = "table",
    **answers: Annotated[str, Parameter(allow_leading_hyphen=True)],
) -> int:
    """Run the golden path TEMPLATE. Answers are options: `--name orders --owner group:default/checkout`.

    Parameters
    ----------
    template
        Name or reference of the template, such as python-service.
    plan
        Only show what would happen.
    save
        Only keep the answers as a draft; `taxiway drafts run` goes on with it.
    wait
        Follow the run to its end.
    values
        Answers as a JSON object; options win over it.
    for_
        The entity that a golden path for what exists is to work on; `taxiway catalog actions` lists them.
    """
    client, ref = Client(find_session()), full_ref(template, "template")
    given = {**_subject(client, ref, for_), **typed_answers(client, ref, answers, _parse(values))}
    if plan:
        _show_plan(client.call("POST", "/api/scaffolder/v1/plans", body={"template_ref": ref, "values": given}), output)
        return 0
    if save:
        draft = client.call("POST", "/api/scaffolder/v1/drafts", body={"template_ref": ref, "values": given})
        note(f"draft {draft['id']}")
        return 0
    task = client.call("POST", "/api/scaffolder/v2/tasks", body={"templateRef": ref, "values": given})
    return finish(client, task, wait, output)


def finish(client: Client, task: dict[str, Any], wait: bool, output: Output) -> int:
    """Follow a task that was started to its end, and show its output; the exit code."""
    note(f"run {task['id']}")
    if not wait:
        show(task, output)
        return 0
    code = follow(client, task["id"])
    run = client.call("GET", f"/api/runs/v1/runs/{task['id']}")
    if output != "table":
        show(run["output"], output)
    for link in (run.get("output") or {}).get("links", []) if output == "table" else []:
        print(f"{link.get('title')}: {link.get('url') or link.get('entityRef')}")
    return code


def _subject(client: Client, template: str, entity: str | None) -> dict[str, Any]:
    """The answer that is the entity. CliError when the golden path is not for it."""
    if entity is None:
        return {}
    offers = client.call("GET", f"/api/scaffolder/v1/offers/{entity_path(entity)}")["items"]
    offer = next((one for one in offers if one["template_ref"] == template), None)
    if offer is None:
        there = ", ".join(one["template_ref"] for one in offers) or "none"
        raise CliError(f"{template} is not for {full_ref(entity)}; golden paths for it: {there}", 2)
    return {offer["parameter"]: full_ref(entity)}


def _parse(values: str | None) -> dict[str, Any]:
    try:
        parsed = json.loads(values) if values else {}
    except ValueError as error:
        raise CliError(f"--values is not JSON: {error}", 2) from error
    if not isinstance(parsed, dict):
        raise CliError("--values must be a JSON object", 2)
    return parsed


def typed_answers(client: Client, ref: str, answers: dict[str, str], values: dict[str, Any]) -> dict[str, Any]:
    """Answers with the types that the form's schema asks for. CliError names the options that there are."""
    kind, namespace, name = entity_path(ref).split("/")
    form = client.call("GET", f"/api/scaffolder/v2/templates/{namespace}/{kind}/{name}/parameter-schema")
    known: dict[str, Any] = {}
    for page in form["steps"]:
        known |= page["schema"].get("properties") or {}
    unknown = sorted(set(answers) - set(known))
    if unknown:
        raise CliError(f"{ref} does not ask for {', '.join(unknown)}; it asks for {', '.join(known)}", 2)
    return {**values, **{key: convert(key, text, known[key].get("type")) for key, text in answers.items()}}


def convert(key: str, text: str, kind: Any) -> Any:
    """An answer with the type that the form asks for. CliError where it is none."""
    if kind in ("boolean", "number", "integer", "array", "object"):
        lowered = {"yes": "true", "no": "false"}.get(text.lower(), text)
        try:
            return json.loads(lowered.lower() if kind == "boolean" else lowered)
        except ValueError as error:
            raise CliError(f"--{key} must be a {kind}, not '{text}'", 2) from error
    return text


def _show_plan(plan: dict[str, Any], output: Output) -> None:
    if output != "table":
        show(plan, output)
        return
    print(f"Plan {plan['hash']}\n\nFiles ({len(plan['files'])})")
    for item in plan["files"]:
        print(f"  + {item['path']} ({item['size']} bytes)")
    print("\nResources")
    for item in plan["resources"]:
        print(f"  + {item['type']} {item['name']}")
    print("\nNames")
    for item in plan["names"]:
        print(f"  {'✗ taken' if item['taken'] else '✓ free '}  {item['kind']} {item['name']}")
    print("\nChecks")
    for item in plan["checks"]:
        print(f"  {item['verdict'].replace('_', ' '):12} {item['title']}: {item['detail']}")
