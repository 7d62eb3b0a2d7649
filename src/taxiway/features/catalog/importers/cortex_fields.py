"""The `x-cortex-*` fields with an equal in Backstage's model; the others stay in `spec.cortex` as they are. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from taxiway.features.catalog.importers.drafting import Draft, ref_for
from taxiway.features.catalog.importers.naming import Names
from taxiway.features.catalog.importers.people import People
from taxiway.kit.pointer import dig, pointer

DEPENDS = frozenset({"depends-on", "dependson", "dependency", "depends"})
ANNOTATIONS: Mapping[tuple[str, ...], str] = {
    ("x-cortex-git", "github", "repository"): "github.com/project-slug",
    ("x-cortex-git", "gitlab", "repository"): "gitlab.com/project-slug",
    ("x-cortex-static-analysis", "sonarqube", "project"): "sonarqube.org/project-key",
    ("x-cortex-sentry", "project"): "sentry.io/project-slug",
}
"""Fields with a well-known annotation of the same meaning."""


def tags_of(value: Any) -> list[str]:
    """The tags in a list of `{tag: …}` or of texts."""
    found = []
    for one in value if isinstance(value, list) else []:
        tag = one.get("tag") if isinstance(one, dict) else one
        if isinstance(tag, (str, int)) and str(tag):
            found.append(str(tag))
    return found


def fill(draft: Draft, names: Names, people: People, parents: Sequence[str], kinds: Mapping[str, str]) -> None:
    """Everything but identity and type."""
    _owners(draft, names)
    _groups(draft)
    _links(draft)
    _hierarchy(draft, names, parents, kinds)
    _dependencies(draft, names)
    _relationships(draft, names)
    _team(draft, people)
    for key in ("x-cortex-custom-metadata", "x-cortex-custom-data", "x-cortex-definition"):
        _properties(draft, key)
    _integrations(draft)


def _owners(draft: Draft, names: Names) -> None:
    key = "x-cortex-owners"
    owners = draft.take(key)
    if owners is None:
        return
    if draft.kind in ("Group", "User") or not isinstance(owners, list):
        draft.keep(key, owners)
        return
    chosen = None
    for index, owner in enumerate(owners):
        kind = owner.get("type") if isinstance(owner, dict) else None
        name = dig(owner, "email" if kind == "email" else "name")
        if chosen is None and kind in ("group", "email") and isinstance(name, str) and name:
            chosen = index
            if kind == "group":
                ref, _ = ref_for(names, [f"tag\0{name}"], "Group", name)
            else:
                ref, _ = ref_for(names, [f"user\0{name.lower()}"], "User", name.partition("@")[0])
            draft.put(ref, "spec", "owner")
            draft.told((key, index, "email" if kind == "email" else "name"), "changed", "/spec/owner", "as a reference")
    draft.spec.setdefault("cortex", {})[key] = owners
    note = "kept as they are: an entity has one owner" + ("" if chosen is not None else ", and none of these is one")
    draft.told(key, "changed", pointer(["spec", "cortex", key]), note)


def _groups(draft: Draft) -> None:
    key = "x-cortex-groups"
    groups = draft.take(key)
    if groups is None:
        return
    if not isinstance(groups, list):
        draft.keep(key, groups)
        return
    for index, group in enumerate(groups):
        draft.tag((key, index), group)


def _links(draft: Draft) -> None:
    for key in ("x-cortex-link", "x-cortex-links"):
        links = draft.take(key)
        for index, link in enumerate(links if isinstance(links, list) else []):
            name, kind = dig(link, "name"), dig(link, "type")
            title = name if isinstance(name, str) and name else None
            if not draft.link((key, index), dig(link, "url"), title, kind if isinstance(kind, str) and kind else None):
                draft.spec.setdefault("cortex", {}).setdefault(key, []).append(link)
                to = pointer(["spec", "cortex", key])
                draft.told((key, index), "changed", to, "kept as it is: a link needs an absolute URL")
                continue
            for extra in sorted(set(link) - {"name", "type", "url"}, key=str):
                draft.told((key, index, str(extra)), "not_carried", None, "a link has url, title, type and icon only")
        if links is not None and not isinstance(links, list):
            draft.keep(key, links)


def _hierarchy(draft: Draft, names: Names, parents: Sequence[str], kinds: Mapping[str, str]) -> None:
    refs = [ref_for(names, [f"tag\0{tag}"], "Group" if draft.kind == "Group" else "Domain", tag)[0] for tag in parents]
    spec_field = {"Group": "parent", "Domain": "subdomainOf", "System": "domain"}.get(draft.kind, "system")
    if refs:
        draft.put(refs[0], "spec", spec_field)
        if len(refs) > 1:
            draft.annotate("parents", ",".join(refs))
    said = f"; all {len(refs)} are in the annotation cortex.io/parents: the field holds one" if len(refs) > 1 else ""
    for key in ("x-cortex-domain-parents", "x-cortex-parents"):
        value = draft.take(key)
        if value is None:
            continue
        if tags_of(value):
            draft.told(key, "changed", f"/spec/{spec_field}", f"as a reference{said}")
            _extras(draft, key, value)
        else:
            draft.keep(key, value)
    children = draft.take("x-cortex-children")
    if children is None:
        return
    tags = tags_of(children)
    unknown = [tag for tag in tags if tag not in kinds]
    where = "spec.parent" if draft.kind == "Group" else "spec.system or spec.subdomainOf"
    said = f"; not among the documents: {', '.join(unknown[:5])}" if unknown else ""
    if draft.kind == "Group":
        draft.relate("children", [ref_for(names, [f"tag\0{tag}"], "Group", tag)[0] for tag in tags])
        draft.told("x-cortex-children", "changed", "/spec/children", "as references")
    elif tags and not unknown:
        draft.told("x-cortex-children", "changed", None, f"each child has it in {where}")
    else:
        draft.keep("x-cortex-children", children, f"each child that is among the documents has it in {where}{said}")
    _extras(draft, "x-cortex-children", children)


def _extras(draft: Draft, key: str, value: Any) -> None:
    for index, one in enumerate(value if isinstance(value, list) else []):
        for extra in sorted(set(one) - {"tag"}, key=str) if isinstance(one, dict) else []:
            draft.told((key, index, str(extra)), "not_carried", None, "a reference holds nothing but the target")


def _dependencies(draft: Draft, names: Names) -> None:
    key = "x-cortex-dependency"
    value = draft.take(key)
    if value is None:
        return
    listed = value.get("cortex") if isinstance(value, dict) else value
    tags = tags_of(listed)
    if tags and draft.kind in ("Component", "Resource"):
        draft.relate("dependsOn", [ref_for(names, [f"tag\0{tag}"], "Component", tag)[0] for tag in tags])
        draft.told(key, "changed", "/spec/dependsOn", "as references")
        if isinstance(value, list) and all(isinstance(one, str) or _is_plain(one) for one in value):
            return
    draft.keep(key, value, "methods, paths and other details have no place in a reference")


def _is_plain(one: Any) -> bool:
    return isinstance(one, dict) and set(one) == {"tag"}


def _relationships(draft: Draft, names: Names) -> None:
    key = "x-cortex-relationships"
    value = draft.take(key)
    if value is None:
        return
    for index, one in enumerate(value if isinstance(value, list) else []):
        name = dig(one, "type")
        if isinstance(name, str) and name.lower() in DEPENDS and draft.kind in ("Component", "Resource"):
            tags = tags_of(dig(one, "destinations"))
            draft.relate("dependsOn", [ref_for(names, [f"tag\0{tag}"], "Component", tag)[0] for tag in tags])
            draft.told((key, index, "destinations"), "changed", "/spec/dependsOn", "as references")
    draft.keep(key, value, "types of relationships are the company's own")


def meet_members(document: str, at: str, line: int, info: Mapping[str, Any], people: People) -> None:
    """Note the people of a team before anything refers to them by address."""
    members = dig(info, "x-cortex-team", "members") if info.get("x-cortex-type") == "team" else None
    for index, member in enumerate(members if isinstance(members, list) else []):
        email, name = dig(member, "email"), dig(member, "name")
        if isinstance(email, str) and email:
            here = at + pointer(["x-cortex-team", "members", index])
            people.meet(email, document, here, line, name=name if isinstance(name, str) else None, group=None)


def _team(draft: Draft, people: People) -> None:
    key = "x-cortex-team"
    team = draft.take(key)
    if team is None:
        return
    members = team.get("members") if isinstance(team, dict) and draft.kind == "Group" else None
    group = draft.ref.lower()
    for index, member in enumerate(members if isinstance(members, list) else []):
        email, name = dig(member, "email"), dig(member, "name")
        if isinstance(email, str) and email:
            at = draft.at + pointer([key, "members", index])
            shown = name if isinstance(name, str) and name else None
            ref = people.meet(email, draft.document, at, draft.line, name=shown, group=group)
            draft.relate("members", [ref])
    draft.keep(key, team, "members with an address are Users too; roles and groups have no equal")


def _properties(draft: Draft, key: str) -> None:
    value = draft.take(key)
    if value is None:
        return
    if not isinstance(value, dict):
        draft.keep(key, value)
        return
    for name, one in value.items():
        if str(name) in draft.spec.get("properties", {}):
            draft.spec.setdefault("cortex", {}).setdefault(key, {})[name] = one
            to = pointer(["spec", "cortex", key, str(name)])
            draft.told((key, str(name)), "changed", to, "kept as it is: there is a property of this name")
            continue
        draft.put(one, "spec", "properties", str(name))
        draft.told((key, str(name)), "carried", pointer(["spec", "properties", str(name)]))


def _integrations(draft: Draft) -> None:
    for path, annotation in ANNOTATIONS.items():
        value = dig(draft.source, *path)
        if isinstance(value, str) and value:
            _well_known(draft, path, annotation, value)
    service = dig(draft.source, "x-cortex-oncall", "pagerduty")
    if dig(service, "type") == "SERVICE" and isinstance(dig(service, "id"), str):
        _well_known(draft, ("x-cortex-oncall", "pagerduty", "id"), "pagerduty.com/service-id", service["id"])
    projects = dig(draft.source, "x-cortex-issues", "jira", "projects")
    if isinstance(projects, list) and len(projects) == 1 and isinstance(projects[0], str):
        _well_known(draft, ("x-cortex-issues", "jira", "projects"), "jira/project-key", projects[0])
    azure = dig(draft.source, "x-cortex-git", "azure")
    if isinstance(dig(azure, "project"), str) and isinstance(dig(azure, "repository"), str):
        value = f"{azure['project']}/{azure['repository']}"
        _well_known(draft, ("x-cortex-git", "azure"), "dev.azure.com/project-repo", value)


def _well_known(draft: Draft, path: tuple[str, ...], annotation: str, value: str) -> None:
    draft.annotate("", value, full_key=annotation)
    draft.told(path, "carried", pointer(["metadata", "annotations", annotation]))
    draft.seen.discard(path[0])  # the whole field is kept beside it
