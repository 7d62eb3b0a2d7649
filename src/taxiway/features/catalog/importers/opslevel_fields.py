"""The fields of OpsLevel's things: what has an equal in Backstage's model; the rest stays in `spec.opslevel`. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from taxiway.features.catalog.importers.drafting import Draft, as_text, ref_for
from taxiway.features.catalog.importers.naming import Names
from taxiway.features.catalog.importers.people import People
from taxiway.kit.pointer import dig, pointer

SLUGS: Mapping[str, str] = {"github": "github.com/project-slug", "gitlab": "gitlab.com/project-slug"}
THAT_ONE = "it tells of the thing that is named, and is carried with that one where it is among the documents"
DEFINITION = "it is a part of OpsLevel's own definition: only what names it is carried"
Fill = Callable[[Draft, Names, People], None]


def nodes_of(value: Any) -> list[Any]:
    """The elements of a list, or of GraphQL's `{nodes: […]}` and `{edges: [{node: …}]}`."""
    if isinstance(value, dict) and isinstance(value.get("nodes"), list):
        return list(value["nodes"])
    if isinstance(value, dict) and isinstance(value.get("edges"), list):
        return [edge.get("node", edge) if isinstance(edge, dict) else edge for edge in value["edges"]]
    return value if isinstance(value, list) else []


def alias_of(value: Any) -> str | None:
    """The alias in a text, in `{alias: …}`, `{aliases: […]}` or `{name: …}`."""
    return _alias_in(value)[0]


def _alias_in(value: Any) -> tuple[str | None, str]:
    """(alias, the key of a mapping that holds it)."""
    if isinstance(value, dict):
        for key in ("alias", "aliases", "name", "id"):
            for one in nodes_of(value.get(key)) or [value.get(key)]:
                if isinstance(one, str) and one:
                    return one, key
        return None, ""
    return (value, "") if isinstance(value, str) and value else (None, "")


def aliases_of(value: Mapping[str, Any]) -> Iterator[str]:
    """Every name that others may use for a thing."""
    for one in (value.get("alias"), *nodes_of(value.get("aliases")), value.get("name"), value.get("id")):
        if isinstance(one, str) and one:
            yield one


def identifier_of(section: str, value: Mapping[str, Any]) -> str | None:
    """What a thing is called: a user by address, anything else by its first alias, else its name."""
    if section == "user":
        found = value.get("email")
        return found if isinstance(found, str) and found else None
    return next(aliases_of(value), None)


def identify(draft: Draft, section: str, identifier: str, name_note: str) -> None:
    """The name, the identifier, and what else the thing is called."""
    fields = ("email", "alias", "aliases", "name", "id")
    key = next((key for key in fields if _holds(draft.source.get(key), identifier)), "name")
    draft.identify(key, identifier, name_note)
    if "aliases" in draft.source:
        draft.annotation("aliases")
    if section != "user":
        draft.text("name", "metadata", "title")
    draft.annotation("id")
    url = draft.take("htmlUrl")
    if url is not None and not draft.link("htmlUrl", url, "OpsLevel"):
        draft.keep("htmlUrl", url, "it is no absolute URL")


def _holds(value: Any, identifier: str) -> bool:
    return value == identifier or identifier in nodes_of(value)


def _reference(draft: Draft, names: Names, key: str, section: str, kind: str, to: str) -> None:
    """Carry a field that names one other thing."""
    value = draft.take(key)
    if value is None:
        return
    alias = alias_of(value)
    if alias is None:
        draft.keep(key, value, "it names nothing")
        return
    ref, known = ref_for(names, [f"{section}\0{alias}"], kind, alias)
    draft.put(ref, "spec", to)
    said = "" if known else f": no document has the {section} {alias}"
    draft.told(key, "changed", f"/spec/{to}", f"as a reference{said}")
    draft.left((key,), value, [_alias_in(value)[1]], THAT_ONE)


def _tags(draft: Draft) -> None:
    """Tags are pairs: labels here."""
    value = draft.take("tags")
    if value is None:
        return
    if not isinstance(value, (dict, list)) or (isinstance(value, dict) and "nodes" in value and not nodes_of(value)):
        draft.keep("tags", value, "tags are pairs of a key and a value")
        return
    pairs: list[tuple[tuple[str | int, ...], Any, Any]] = []
    if isinstance(value, dict) and "nodes" not in value:
        pairs = [(("tags", key), key, one) for key, one in value.items()]
    for index, one in enumerate(nodes_of(value)):
        path: tuple[str | int, ...] = ("tags", "nodes", index) if isinstance(value, dict) else ("tags", index)
        if isinstance(one, dict) and "key" in one:
            pairs.append((path, one["key"], one.get("value")))
            draft.left(path, one, ("key", "value"), "a label is a key and a value")
        elif isinstance(one, dict) and len(one) == 1:
            pairs.append((path, *next(iter(one.items()))))
        else:
            draft.tag(path, one)
    for where, key, one in pairs:
        draft.label(where, str(key), "" if one is None else as_text(one))
    if isinstance(value, dict) and "nodes" in value:
        for key in sorted(set(value) - {"nodes"}, key=str):
            draft.told(("tags", key), "not_carried", None, "it is a part of the answer's paging")


def _tools(draft: Draft) -> None:
    value = draft.take("tools")
    if value is None:
        return
    linked = 0
    for one in nodes_of(value):
        title, kind = dig(one, "name") or dig(one, "displayName"), dig(one, "category")
        texts = (title if isinstance(title, str) else None, kind if isinstance(kind, str) else None)
        linked += draft.link("tools", dig(one, "url"), *texts)
    draft.keep("tools", value, "a link has no environment" if linked else "none of them has an absolute URL")


def _repositories(draft: Draft) -> None:
    for key in ("repositories", "repos"):
        value = draft.take(key)
        if value is None:
            continue
        for one in nodes_of(value):
            name, provider = dig(one, "name") or dig(one, "defaultAlias"), dig(one, "provider")
            name = name if isinstance(name, str) else ""
            if not isinstance(provider, str) and ".com:" in name:
                provider, _, name = name.partition(".com:")
            annotation = SLUGS.get(str(provider).lower())
            if annotation is not None and name.count("/") >= 1:
                draft.annotate("", name, full_key=annotation)
                draft.told((key,), "carried", pointer(["metadata", "annotations", annotation]), name)
                break
        draft.keep(key, value, "paths and further repositories have no equal")


def _dependencies(draft: Draft, names: Names) -> None:
    for key, to in (("dependencies", "dependsOn"), ("dependents", "dependencyOf")):
        value = draft.take(key)
        if value is None:
            continue
        refs, plain = [], True
        for one in nodes_of(value):
            alias = alias_of(one) or alias_of(dig(one, "service")) or alias_of(dig(one, "component"))
            plain = plain and (isinstance(one, str) or (isinstance(one, dict) and set(one) == {"alias"}))
            if alias is not None:
                refs.append(ref_for(names, [f"component\0{alias}"], "Component", alias)[0])
        if refs and draft.kind in ("Component", "Resource"):
            draft.relate(to, refs)
            draft.told(key, "changed", f"/spec/{to}", "as references")
            if plain and isinstance(value, list):
                continue
        draft.keep(key, value, "notes have no place in a reference")


def _properties(draft: Draft) -> None:
    value = draft.take("properties")
    if value is None:
        return
    if not isinstance(value, dict) or "nodes" in value:
        draft.keep("properties", value, "it is no mapping of names to values")
        return
    for name, one in value.items():
        draft.put(one, "spec", "properties", name)
        draft.told(("properties", name), "carried", pointer(["spec", "properties", name]))


def _alias_text(draft: Draft, key: str, *path: str) -> None:
    """A field that is a text in files and an object with an alias in JSON."""
    value = draft.take(key)
    alias = alias_of(value)
    if alias is None:
        if value is not None:
            draft.keep(key, value, "it has no alias")
        return
    draft.put(alias, *path)
    same = isinstance(value, str)
    draft.told(key, "carried" if same else "changed", pointer(path), "" if same else "its alias")
    draft.left((key,), value, [_alias_in(value)[1]], DEFINITION)


def _labelled(draft: Draft, key: str) -> None:
    value = draft.take(key)
    alias = alias_of(value)
    if alias is not None:
        draft.label(key, key, alias)
        draft.left((key,), value, [_alias_in(value)[1]], DEFINITION)
    elif value is not None:
        draft.keep(key, value)


def _component(draft: Draft, names: Names, people: People) -> None:
    draft.text("description", "metadata", "description")
    _alias_text(draft, "type", "spec", "type")
    _alias_text(draft, "lifecycle", "spec", "lifecycle")
    _reference(draft, names, "owner", "team", "Group", "owner")
    system = "parent" if "parent" in draft.source else "system"
    _reference(draft, names, system, "system", "System", "system")
    for key in ("tier", "product", "language", "framework"):
        _labelled(draft, key)
    _tags(draft)
    _tools(draft)
    _repositories(draft)
    _dependencies(draft, names)
    _properties(draft)
    draft.annotation("timestamps")


def _repository(draft: Draft, names: Names, people: People) -> None:
    draft.text("description", "metadata", "description")
    _reference(draft, names, "owner", "team", "Group", "owner")
    for key in ("tier", "language"):
        _labelled(draft, key)
    _tags(draft)
    url = draft.take("url")
    if url is not None and not draft.link("url", url, "Repository"):
        draft.keep("url", url, "it is no absolute URL")


def _infrastructure(draft: Draft, names: Names, people: People) -> None:
    _alias_text(draft, "schema" if "schema" in draft.source else "type", "spec", "type")
    _reference(draft, names, "owner", "team", "Group", "owner")
    _tags(draft)


def _system(draft: Draft, names: Names, people: People) -> None:
    draft.text("description", "metadata", "description")
    _reference(draft, names, "owner", "team", "Group", "owner")
    domain = "parent" if "parent" in draft.source else "domain"
    _reference(draft, names, domain, "domain", "Domain", "domain")
    _tags(draft)


def _domain(draft: Draft, names: Names, people: People) -> None:
    draft.text("description", "metadata", "description")
    _reference(draft, names, "owner", "team", "Group", "owner")
    _tags(draft)


def _team(draft: Draft, names: Names, people: People) -> None:
    draft.text("responsibilities", "metadata", "description")
    _reference(draft, names, "parentTeam", "team", "Group", "parent")
    _reference(draft, names, "parent", "team", "Group", "parent")
    _tags(draft)
    for key in ("memberships", "members"):
        value = draft.take(key)
        if value is None:
            continue
        group = draft.ref.lower()
        for index, one in enumerate(nodes_of(value)):
            user = dig(one, "user") if isinstance(dig(one, "user"), dict) else one
            email, name = dig(user, "email"), dig(user, "name")
            if isinstance(email, str) and email:
                at = draft.at + pointer([key, index])
                shown = name if isinstance(name, str) and name else None
                ref = people.meet(email, draft.document, at, draft.line, name=shown, group=group)
                draft.relate("members", [ref])
        draft.keep(key, value, "members with an address are Users too; roles have no equal")


def _user(draft: Draft, names: Names, people: People) -> None:
    draft.put(draft.source["email"], "spec", "profile", "email")
    draft.text("name", "spec", "profile", "displayName")
    teams = draft.take("teams")
    if teams is not None:
        aliases = [alias for alias in map(alias_of, nodes_of(teams)) if alias]
        draft.relate("memberOf", [ref_for(names, [f"team\0{one}"], "Group", one)[0] for one in aliases])
        draft.told("teams", "changed", "/spec/memberOf", "as references")
        for where, one in _places(teams):
            draft.left(("teams", *where), one, [_alias_in(one)[1]], THAT_ONE)


def _places(value: Any) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """Each element of a list, in GraphQL's forms too, with the path to it."""
    if isinstance(value, list):
        yield from (((index,), one) for index, one in enumerate(value))
    elif isinstance(value, dict) and isinstance(value.get("nodes"), list):
        yield from ((("nodes", index), one) for index, one in enumerate(value["nodes"]))
    elif isinstance(value, dict) and isinstance(value.get("edges"), list):
        for index, edge in enumerate(value["edges"]):
            inner = isinstance(edge, dict) and "node" in edge
            yield (("edges", index, "node"), edge["node"]) if inner else (("edges", index), edge)


FILL: Mapping[str, Fill] = {
    "component": _component,
    "repository": _repository,
    "infrastructure": _infrastructure,
    "system": _system,
    "domain": _domain,
    "team": _team,
    "user": _user,
}
