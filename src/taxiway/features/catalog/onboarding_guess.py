"""Guesses a descriptor from what is in a repository and who works on it. Pure; says why for each guess.

Everything comes from a repository, so it is bounded: paths by the host, files by `MAX_FILE`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from posixpath import basename
from typing import Any

from taxiway.plugin import HostedRepository, RepositoryFacts

DESCRIPTORS = ("catalog-info.yaml", "catalog-info.yml")
OWNER_FILES = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS")
READ_FILES = (*OWNER_FILES, "package.json", "README.md")
MAX_FILE = 200_000
APIS = re.compile(r"(?:.*/)?(?P<type>openapi|swagger|asyncapi)\.(?:ya?ml|json)|(?:.*/)?schema\.(?P<graphql>graphql)")
LANGUAGES = {
    "pyproject.toml": "python",
    "setup.py": "python",
    "requirements.txt": "python",
    "package.json": "javascript",
    "tsconfig.json": "typescript",
    "go.mod": "go",
    "pom.xml": "java",
    "build.gradle": "java",
    "build.gradle.kts": "kotlin",
    "Cargo.toml": "rust",
    "Gemfile": "ruby",
    "composer.json": "php",
    "mix.exs": "elixir",
}
WEB = re.compile(rb'"(?:react-dom|vue|svelte|next|@angular/core|astro|nuxt)"\s*:')
RUNS = re.compile(r"(?:.*/)?(?:Dockerfile|Containerfile|Procfile|score\.yaml|Chart\.yaml)")
INFRASTRUCTURE = re.compile(r".*\.(?:tf|bicep)|(?:.*/)?Pulumi\.yaml")


@dataclass(frozen=True)
class People:
    """What the catalog says of those who may own it: owners by CODEOWNERS, by commits, by the host; the systems that
    there are, and which owner has which."""

    code_owners: Sequence[str] = ()
    committers: Sequence[tuple[str, int]] = ()
    host_owner: str | None = None
    systems: Collection[str] = ()
    systems_of: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Guess:
    """Documents for a repository, the main one first, and why each field is what it is."""

    documents: Sequence[Mapping[str, Any]]
    reasons: Mapping[str, str]

    @property
    def main(self) -> Mapping[str, Any]:
        """The document that stands for the repository."""
        return self.documents[0]


def has_descriptor(paths: Sequence[str]) -> bool:
    """Whether one of the files is a descriptor, wherever it lies."""
    return any(basename(path) in DESCRIPTORS for path in paths)


def guess(repository: HostedRepository, facts: RepositoryFacts, people: People) -> Guess:
    """The descriptor that fits best. Its owner is missing when nothing says who that is."""
    reasons: dict[str, str] = {}
    names = {path for path in facts.paths if "/" not in path}
    tags = _languages(names, reasons)
    name = entity_name(repository.name)
    metadata: dict[str, Any] = {"name": name}
    description = repository.description or _first_words(facts.files.get("README.md", b""))
    if description:
        metadata["description"] = description
    if tags:
        metadata["tags"] = tags
    spec: dict[str, Any] = {"type": _type(facts, names, tags, reasons), "lifecycle": "production"}
    reasons["lifecycle"] = "assumed"
    owner = _owner(people, reasons)
    if owner:
        spec["owner"] = owner
    system = _system(name, owner, people, reasons)
    if system:
        spec["system"] = system
    apis = [_api(name, number, path, spec) for number, path in enumerate(_api_files(facts.paths))]
    if apis:
        spec["providesApis"] = [api["metadata"]["name"] for api in apis]
        reasons["providesApis"] = ", ".join(str(api["spec"]["definition"]["$text"])[2:] for api in apis)
    main = {"apiVersion": "backstage.io/v1alpha1", "kind": "Component", "metadata": metadata, "spec": spec}
    return Guess([main, *apis], reasons)


def entity_name(repository: str) -> str:
    """A repository's name as an entity's."""
    clean = re.sub(r"[^A-Za-z0-9_.-]+", "-", repository.rpartition("/")[2]).strip("-_.").lower()[:63]
    return clean.strip("-_.") or "repository"


def _languages(names: Collection[str], reasons: dict[str, str]) -> list[str]:
    found: dict[str, str] = {}
    for file, language in LANGUAGES.items():
        if file in names:
            found.setdefault(language, file)
    if "typescript" in found:
        found.pop("javascript", None)
    if found:
        reasons["tags"] = ", ".join(found.values())
    return sorted(found)


def _type(facts: RepositoryFacts, names: Collection[str], tags: Sequence[str], reasons: dict[str, str]) -> str:
    runs = next((path for path in facts.paths if RUNS.fullmatch(path)), None)
    if WEB.search(facts.files.get("package.json", b"")) or "index.html" in names:
        reasons["type"] = "package.json names a web framework" if "package.json" in names else "index.html"
        return "website"
    if runs:
        reasons["type"] = runs
        return "service"
    if any(INFRASTRUCTURE.fullmatch(path) for path in facts.paths) and not tags:
        reasons["type"] = "infrastructure code"
        return "infrastructure"
    if tags:
        reasons["type"] = f"{tags[0]}, and nothing that runs it"
        return "library"
    if "mkdocs.yml" in names:
        reasons["type"] = "mkdocs.yml"
        return "documentation"
    reasons["type"] = "nothing says what it is"
    return "other"


def _owner(people: People, reasons: dict[str, str]) -> str | None:
    if people.code_owners:
        reasons["owner"] = "CODEOWNERS"
        return people.code_owners[0]
    if people.committers:
        team, count = people.committers[0]
        reasons["owner"] = f"{count} of the last commits"
        return team
    if people.host_owner:
        reasons["owner"] = "owner of the repository"
        return people.host_owner
    reasons["owner"] = "nobody could be found: name one"
    return None


def _system(name: str, owner: str | None, people: People, reasons: dict[str, str]) -> str | None:
    parts = name.split("-")
    for length in range(len(parts) - 1, 0, -1):
        prefix = "-".join(parts[:length])
        if prefix in people.systems:
            reasons["system"] = f"its name begins with {prefix}"
            return prefix
    theirs = people.systems_of.get(owner or "", ())
    if len(theirs) == 1:
        reasons["system"] = "the only system of its owner"
        return theirs[0]
    return None


def _api_files(paths: Sequence[str]) -> list[str]:
    return sorted((path for path in paths if APIS.fullmatch(path)), key=lambda path: (path.count("/"), path))[:3]


def _api(name: str, number: int, path: str, spec: Mapping[str, Any]) -> dict[str, Any]:
    match = APIS.fullmatch(path)
    kind = (match["type"] or match["graphql"]) if match else "openapi"
    shared = {key: spec[key] for key in ("lifecycle", "owner", "system") if key in spec}
    own = {"type": "openapi" if kind == "swagger" else kind, **shared, "definition": {"$text": f"./{path}"}}
    metadata = {"name": f"{name}-api" if number == 0 else f"{name}-api-{number + 1}"}
    return {"apiVersion": "backstage.io/v1alpha1", "kind": "API", "metadata": metadata, "spec": own}


def _first_words(readme: bytes) -> str:
    for line in readme[:20_000].decode(errors="replace").splitlines()[:60]:
        text = line.strip()[:1000]
        if len(text) > 20 and text[0].isalpha() and not text.startswith(("http", "<")):
            return re.sub(r"[`*_]|\[([^\]]*)\]\([^)]*\)", r"\1", text)[:200].strip()
    return ""
