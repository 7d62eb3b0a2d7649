"""Reads workflow files: which a push starts, and which actions they use. Pure; called before anything runs.

Must not: execute or fetch anything, or trust the text: it comes from a repository, so size and nesting are bounded.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from .filters import matches, pattern_matches

MAX_WORKFLOW_BYTES = 512 * 1024
MAX_ALIASES = 100
MAX_DEPTH = 30
MAX_JOBS = 256
MAX_STEPS = 1000


class WorkflowError(Exception):
    """A workflow file that cannot be used; the message says why and what to change."""


@dataclass(frozen=True)
class Uses:
    """One `uses:` line that names a repository: `owner/name[/path]@ref`."""

    text: str
    repository: str
    path: str
    ref: str
    reusable_workflow: bool


@dataclass(frozen=True)
class Workflow:
    """A parsed workflow file. `path` is relative to the repository, `name` the file's where it gives none; `on` maps
    event names to their settings."""

    path: str
    name: str
    on: Mapping[str, Mapping[str, Any]]
    jobs: Mapping[str, Mapping[str, Any]]


def load_yaml(text: bytes, path: str) -> Any:
    """The document of a file of a repository. Raises WorkflowError with path and line."""
    if len(text) > MAX_WORKFLOW_BYTES:
        raise WorkflowError(f"{path} has {len(text)} bytes; at most {MAX_WORKFLOW_BYTES} are read. Split the file.")
    try:
        _check_shape(text, path)
        return yaml.load(text, Loader=yaml.CSafeLoader)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise WorkflowError(f"{path} is not valid YAML: {' '.join(str(error).split())}. Correct the file.") from None


def _check_shape(text: bytes, path: str) -> None:
    """Bounds nesting and repetition before anything is built: merge keys and aliases can expand without end."""
    depth = aliases = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        elif isinstance(event, yaml.AliasEvent):
            aliases += 1
        merge = isinstance(event, yaml.ScalarEvent) and event.value == "<<" and not event.style
        if depth > MAX_DEPTH or aliases > MAX_ALIASES or merge:
            what = "merge keys (<<)" if merge else f"more than {MAX_DEPTH} levels or {MAX_ALIASES} aliases"
            raise WorkflowError(f"{path} has {what}, which GitHub or this runner refuses. Write the parts out.")


def parse(text: bytes, path: str) -> Workflow:
    """A workflow from its file's bytes. Raises WorkflowError when it is not one."""
    document = load_yaml(text, path)
    if not isinstance(document, dict):
        raise WorkflowError(f"{path} is not a mapping with `on` and `jobs`.")
    trigger = document.get("on", document.get(True))  # YAML 1.1 reads a bare `on` as the boolean
    if trigger is None:
        raise WorkflowError(f"{path} has no `on`. Say which events start it, for example `on: push`.")
    jobs = document.get("jobs")
    if not isinstance(jobs, dict) or not jobs or not all(isinstance(job, dict) for job in jobs.values()):
        raise WorkflowError(f"{path} has no `jobs`, or one that is not a mapping.")
    if len(jobs) > MAX_JOBS:
        raise WorkflowError(f"{path} has {len(jobs)} jobs; at most {MAX_JOBS} are run. Split the file.")
    return Workflow(
        path=path,
        name=str(document.get("name") or path.rpartition("/")[2]),
        on=_events(trigger, path),
        jobs={str(key): job for key, job in jobs.items()},
    )


def _events(trigger: Any, path: str) -> dict[str, Mapping[str, Any]]:
    if isinstance(trigger, str):
        return {trigger: {}}
    if isinstance(trigger, list):
        return {str(event): {} for event in trigger}
    if isinstance(trigger, dict):
        return {str(event): value if isinstance(value, dict) else {} for event, value in trigger.items()}
    raise WorkflowError(f"{path}: `on` must be an event, a list of events or a mapping.")


def started_by_push(workflow: Workflow, ref: str, changed_paths: Sequence[str] | None) -> bool:
    """Whether a push of `ref` (full name) starts the workflow. `changed_paths` None: not known, path filters pass."""
    if "push" not in workflow.on:
        return False
    rules = workflow.on["push"]
    branch, tag = ref.removeprefix("refs/heads/"), ref.removeprefix("refs/tags/")
    branch_rules = "branches" in rules or "branches-ignore" in rules
    tag_rules = "tags" in rules or "tags-ignore" in rules
    if tag != ref:
        # With branch filters only, tags do not start it, and the other way round; path filters do not apply to tags
        return _selected(rules, "tags", tag) if tag_rules else not branch_rules
    if branch == ref:
        return False
    if not (_selected(rules, "branches", branch) if branch_rules else not tag_rules):
        return False
    return changed_paths is None or _paths_selected(rules, changed_paths)


PULL_TYPES = ("opened", "synchronize", "reopened")
"""What starts a workflow that names no types."""


def started_by_pull(workflow: Workflow, base: str, action: str, changed_paths: Sequence[str] | None) -> bool:
    """Whether a pull request into branch `base` starts the workflow. `changed_paths` None: not known, filters pass."""
    if "pull_request" not in workflow.on:
        return False
    rules = workflow.on["pull_request"]
    types = _strings(rules["types"]) if "types" in rules else PULL_TYPES
    if action not in types or not _selected(rules, "branches", base):
        return False
    return changed_paths is None or _paths_selected(rules, changed_paths)


def _selected(rules: Mapping[str, Any], key: str, name: str) -> bool:
    if key in rules:
        return matches(_strings(rules[key]), name)
    return not any(pattern_matches(pattern, name) for pattern in _strings(rules.get(f"{key}-ignore")))


def _paths_selected(rules: Mapping[str, Any], changed: Sequence[str]) -> bool:
    if "paths" in rules:
        return any(matches(_strings(rules["paths"]), path) for path in changed)
    if "paths-ignore" in rules:
        ignored = _strings(rules["paths-ignore"])
        return any(not matches(ignored, path) for path in changed)
    return True


def _strings(value: Any) -> list[str]:
    return [str(item) for item in (value if isinstance(value, list) else [] if value is None else [value])]


def uses_of_jobs(jobs: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    """(job id, `uses` text) of every step and every called workflow, in order."""
    for job_id, job in jobs.items():
        if isinstance(job.get("uses"), str):
            yield job_id, job["uses"]
        yield from ((job_id, text) for text in uses_of_steps(job.get("steps")))


def uses_of_steps(steps: Any) -> Iterator[str]:
    """`uses` texts of a list of steps, of a job or of a composite action."""
    for step in steps[:MAX_STEPS] if isinstance(steps, list) else []:
        if isinstance(step, dict) and isinstance(step.get("uses"), str):
            yield step["uses"]


_USES = re.compile(r"(?P<repository>[\w.-]+/[\w.-]+)(?:/(?P<path>[^@\s]*))?@(?P<ref>[^\s@=,]+)")


def parse_uses(text: str) -> Uses | None:
    """The parts of `owner/name[/path]@ref`; None for local (`./…`), `docker://` and malformed ones."""
    match = _USES.fullmatch(text.strip())
    if match is None or text.startswith(("./", "docker://")):
        return None
    path = (match["path"] or "").strip("/")
    if ".." in path.split("/"):
        return None
    return Uses(text.strip(), match["repository"], path, match["ref"], path.endswith((".yml", ".yaml")))
