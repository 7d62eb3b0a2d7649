"""Maps `uses:` lines to the composite actions in library/actions. Called by the runner before `act` starts.

Every action that a workflow may load gets a folder: one of ours, or one made for the run whose only step fails with the
reason. So `act` finds each action on disk and never turns to the network.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import workflow as workflows
from .workflow import Uses, Workflow, WorkflowError

MAX_LOCAL_ACTIONS = 100


@dataclass(frozen=True)
class ActionIndex:
    """Content of library/actions/actions.yaml: (`owner/name`, ref) -> folder name."""

    folders: Mapping[tuple[str, str], str]

    def folder(self, uses: Uses) -> str | None:
        """Folder name of the action that stands for it, or None; owner and name are compared without case."""
        return self.folders.get((uses.repository.lower(), uses.ref))


@dataclass(frozen=True)
class UsedActions:
    """What a workflow uses: remote ones in order of first use, and what cannot run here, by job id."""

    remote: tuple[Uses, ...]
    refused: Mapping[str, tuple[str, ...]]


def load_index(folder: Path) -> ActionIndex:
    """The index of the actions in `folder`."""
    document: dict[str, Any] = workflows.load_yaml((folder / "actions.yaml").read_bytes(), "actions.yaml")
    pairs = {
        (name.lower(), str(ref)): str(entry["folder"])
        for name, entry in document["actions"].items()
        for ref in entry["refs"]
    }
    return ActionIndex(pairs)


def used_actions(workflow: Workflow, source: Path, index: ActionIndex) -> UsedActions:
    """Everything that the jobs use, the repository's own composite actions and called workflows looked into."""
    remote: dict[str, Uses] = {}
    refused: dict[str, list[str]] = {}
    for job_id, text in _walk(workflow.jobs, source):
        uses = workflows.parse_uses(text)
        if uses is not None:
            remote.setdefault(uses.text, uses)
            if index.folder(uses) is None:
                refused.setdefault(job_id, []).append(unavailable_reason(uses, index))
        elif text.startswith("docker://"):
            refused.setdefault(job_id, []).append(
                f"`uses: {text}` needs a container engine, which this runner has not."
            )
    return UsedActions(tuple(remote.values()), {job: tuple(reasons) for job, reasons in refused.items()})


def _walk(jobs: Mapping[str, Mapping[str, Any]], source: Path) -> Iterator[tuple[str, str]]:
    """(job id, `uses` text), following local actions and workflows; each is read once."""
    queue, seen = list(workflows.uses_of_jobs(jobs)), set[str]()
    while queue:
        job_id, text = queue.pop(0)
        yield job_id, text
        if text.startswith("./") and text not in seen and len(seen) < MAX_LOCAL_ACTIONS:
            seen.add(text)
            queue += [(job_id, inner) for inner in _uses_of_local(source, text)]


def _uses_of_local(source: Path, text: str) -> Iterable[str]:
    target = (source / text).resolve()
    if not target.is_relative_to(source.resolve()):
        return ()
    for file in (target, target / "action.yml", target / "action.yaml"):
        if file.is_file() and not file.is_symlink():
            break
    else:
        return ()
    if file.stat().st_size > workflows.MAX_WORKFLOW_BYTES:
        return ()
    try:
        document = workflows.load_yaml(file.read_bytes(), text)
    except WorkflowError:
        return ()  # act reads it again and fails the step with its own message
    if not isinstance(document, dict):
        return ()
    if isinstance(jobs := document.get("jobs"), dict):
        good = {str(key): job for key, job in jobs.items() if isinstance(job, dict)}
        return [inner for _, inner in workflows.uses_of_jobs(good)]
    runs = document.get("runs")
    return list(workflows.uses_of_steps(runs.get("steps"))) if isinstance(runs, dict) else ()


def unavailable_reason(uses: Uses, index: ActionIndex) -> str:
    """Why a `uses:` line cannot be served, and what to do."""
    known = sorted(ref for name, ref in index.folders if name == uses.repository.lower())
    if known:
        return (
            f"`uses: {uses.text}`: this runner has {uses.repository} at {', '.join(known)}, not at {uses.ref}. "
            "Use one of these, or add the ref to library/actions/actions.yaml."
        )
    names = sorted({name for name, _ in index.folders})
    return (
        f"`uses: {uses.text}` is not available on this runner, which downloads no actions and has: {', '.join(names)}. "
        "Write the step as a `run:`, or run the job on GitHub."
    )


def write_unavailable(folder: Path, uses: Uses, reason: str) -> None:
    """Makes in `folder` the action (or called workflow) that fails with the reason."""
    message = json.dumps("::error::" + reason)  # a JSON string is a YAML string
    step = f"    - shell: bash\n      env: {{MESSAGE: {message}}}\n      run: |\n"
    step += "        printf '%s\\n' \"$MESSAGE\"\n        exit 1\n"
    if uses.reusable_workflow:
        file = folder / uses.path
        text = "on: workflow_call\njobs:\n  unavailable:\n    runs-on: ubuntu-latest\n    steps:\n"
        text += step.replace("\n    ", "\n      ").replace("    - ", "      - ", 1)
    else:
        file = folder / uses.path / "action.yml"
        text = f"name: unavailable\ndescription: not served here\nruns:\n  using: composite\n  steps:\n{step}"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
