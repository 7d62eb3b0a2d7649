"""Dead branches of a template: steps whose `if` is always false or always true, and conditions in its files."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from taxiway.features.catalog.service.lint import Finding
from taxiway.features.scaffolder.authoring.branches import GENERIC, Domain, Question, domain_of, outcomes, trial_of
from taxiway.features.scaffolder.authoring.form import asked
from taxiway.features.scaffolder.authoring.reading import Subject, Text
from taxiway.features.scaffolder.model import runs_after_failure
from taxiway.features.scaffolder.rendering.client import MARKS

Domains = Callable[[Sequence[str]], Domain | None]
WORDS = {True: "true", False: "false"}


def domains(subject: Subject) -> Domains:
    """What a path in the template's own expressions may be; None for what is not known at all."""
    known = asked(subject)

    def find(path: Sequence[str]) -> Domain | None:
        if path[0] == "parameters":
            if len(path) == 1 or path[1] not in known:
                return None
            return domain_of(known[path[1]]) if len(path) == 2 else (GENERIC, False)
        return (GENERIC, False) if path[0] in ("steps", "secrets", "user", "environment", "each") else None

    return find


def dead_steps(subject: Subject) -> Iterator[Finding]:
    """Steps whose `if` comes out one way only."""
    texts = {text.step: text for text in subject.texts if text.path[3:] == ("if",)}
    for index, name, step in subject.steps:
        where, condition = ("spec", "steps", index, "if"), step.get("if")
        if condition is False:
            message = f"the step '{name}' is switched off"
            yield subject.finding("warning", "dead-branch", where, message, "Remove it, or say when it is to run.")
        elif isinstance(condition, str) and not MARKS.search(condition):
            message = f"the `if` of '{name}' is the text '{condition}', which is always true"
            remedy = "Write `if: false`, or an expression in ${{ }}."
            yield subject.finding("error" if condition else "warning", "dead-branch", where, message, remedy)
        elif index in texts and not runs_after_failure(condition):
            yield from _dead_step(subject, name, texts[index])


def _dead_step(subject: Subject, name: str, text: Text) -> Iterator[Finding]:
    found = text.outline
    if "error" in found:
        return
    # The whole text is rendered, so that it is judged as its step is; a single expression may be plain by itself.
    plain = text.text.startswith("${{") and _plain(subject, text.text)
    paths = [one["path"] for one in found["paths"] if not one["whole"]]
    if any(one["whole"] for one in found["paths"]) or not paths:
        if found["paths"]:
            return
        paths = []
    condition = {
        "test": text.text,
        "scoped": False,
        "calls": [one["name"] for one in found["calls"]],
        "paths": paths,
        "literals": found["literals"],
        "plain": plain,
    }
    trial = trial_of(Question(condition, (), text.text), domains(subject))
    if trial is None:
        return
    ways = outcomes(subject.renderer.decide([trial.text], [trial.contexts], {})[0], is_step=True)
    if ways is not None and len(ways) == 1:
        way = next(iter(ways))
        message = f"the `if` of '{name}' is {WORDS[way]} for every answer that the form can give"
        remedy = "Remove the `if`." if way else "Its step never runs: correct the condition, or remove the step."
        yield subject.finding("warning" if way else "error", "dead-branch", text.path, message, remedy)


def _plain(subject: Subject, text: str) -> bool:
    """Whether the one expression of a text looks at truth and equality only."""
    inner = text.removeprefix("${{").removesuffix("}}")
    (found,) = subject.renderer.outline([(f"{{% if {inner} %}}{{% endif %}}", {})])
    conditions = found.get("conditions") or []
    return len(conditions) == 1 and bool(conditions[0]["plain"])


def dead_conditions(
    subject: Subject, outlines: Mapping[Any, Mapping[str, Any]], find: Domains, options: Mapping[str, Any]
) -> Iterator[tuple[Any, Mapping[str, Any], bool]]:
    """(key, condition, the one way that it comes out) of the conditions in some texts."""
    asking, trials = [], []
    for key, outline in outlines.items():
        for condition in outline.get("conditions", []):
            trial = trial_of(Question(condition, condition["given"]), find)
            if trial is not None:
                asking.append((key, condition))
                trials.append(trial)
    if not trials:
        return
    decided = subject.renderer.decide([one.text for one in trials], [one.contexts for one in trials], options)
    for (key, condition), results in zip(asking, decided, strict=True):
        ways = outcomes(results, is_step=False)
        if ways is not None and len(ways) == 1:
            yield key, condition, next(iter(ways))
