"""GitHub and GitLab as sources of entities: against fakes over HTTP that answer as the real ones do."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from factories.catalog import component
from factories.forge_fakes import TOKEN, FakeForge, Repo, github, gitlab
from factories.other_system import Asked, Reply
from taxiway.features.catalog.validation import validate
from taxiway.model.errors import (
    InputError,
    NotAllowedError,
    RateLimitedError,
    TaxiwayError,
    TooLargeError,
    UnavailableError,
)
from taxiway.plugin import (
    EntitySource,
    HookRequest,
    SourcedEntity,
    SourcedTree,
    SourceEnd,
    SourceGone,
    SourceItem,
    SourcePart,
    SourceProblem,
    SourceRequest,
    UrlReader,
)
from taxiway.plugin.forging import trees
from taxiway.plugin.forging.trees import tree_at
from taxiway.plugin.testing import EntitySourceConformance, UrlReaderConformance, memory_host
from taxiway.plugins.github import contribute as github_contribute
from taxiway.plugins.github.settings import GitHubSettings
from taxiway.plugins.gitlab import contribute as gitlab_contribute
from taxiway.plugins.gitlab.settings import GitLabSettings

SECRET = "hook-secret"
KINDS = {"github": "org", "gitlab": "group"}


@dataclass
class Reading:
    """A source with what a host keeps for it, and its forge."""

    kind: str
    forge: FakeForge
    source: Any
    people: Any
    reader: Any
    parts: dict[str, Mapping[str, Any]] = field(default_factory=dict)

    def options(self, **more: Any) -> dict[str, Any]:
        return {"host": self.forge.host, KINDS[self.kind]: "acme", **more}

    def request(self, hints: Any = (), **more: Any) -> SourceRequest:
        options = self.source.options.model_validate(self.options(**more))
        return SourceRequest("test", options, hints=hints, part=self.parts.get, parts=lambda: list(self.parts))

    def read(self, hints: Any = (), **more: Any) -> tuple[list[str], list[SourceItem]]:
        """The documents' places as a host reads them, and everything that was yielded."""
        places: list[str] = []
        found: list[SourceItem] = []
        for item in self.source.read(self.request(hints, **more)):
            found.append(item)
            if isinstance(item, SourcedTree):
                for path in item.paths:
                    try:
                        item.tree.read(path)
                    except TaxiwayError as error:
                        found.append(SourceProblem(item.tree.location(path), error.detail))
                places.extend(item.tree.location(path) for path in item.paths)
            if isinstance(item, SourcePart) and item.state is not None:
                self.parts[item.key] = json.loads(json.dumps(item.state))
        return places, found


@pytest.fixture(params=["github", "gitlab"])
def reading(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Reading]:
    kind = request.param
    monkeypatch.setenv("FORGE_TOKEN", TOKEN)
    monkeypatch.setenv("HOOK_SECRET", SECRET)
    with (github if kind == "github" else gitlab)() as forge:
        forge.repositories = {
            "acme/orders": Repo({"catalog-info.yaml": component("orders"), "src/main.py": "x", "README.md": "r"}),
            "acme/stock": Repo({"catalog-info.yaml": component("stock")}, topics=["service"]),
            "acme/nothing": Repo({"README.md": "no descriptor"}),
            "acme/empty": Repo({}),
            "acme/old": Repo({"catalog-info.yaml": component("old")}, archived=True),
            "acme/copy": Repo({"catalog-info.yaml": component("copy")}, fork=True),
        }
        host = {"host": forge.host, "scheme": "http", "token": "env:FORGE_TOKEN"}
        settings: Any = (GitHubSettings if kind == "github" else GitLabSettings).model_validate({"hosts": [host]})
        context = memory_host(tmp_path, kind, settings).context
        made = (github_contribute if kind == "github" else gitlab_contribute)(context)
        yield Reading(kind, forge, made[0][1].made, made[1][1].made, made[2][1].made)


def test_repositories_are_read_by_their_filters(reading: Reading) -> None:
    places, found = reading.read()
    web = f"url:http://{reading.forge.host}/acme"
    middle = "" if reading.kind == "github" else "/-"
    assert places == [f"{web}/{name}{middle}/blob/main/catalog-info.yaml" for name in ("orders", "stock")]
    parts = sorted(item.key for item in found if isinstance(item, SourcePart))
    assert parts == ["acme/empty", "acme/nothing", "acme/orders", "acme/stock"]
    assert found[-1] == SourceEnd(complete=True)
    assert not [item for item in found if isinstance(item, SourceProblem)]
    for options, names in (
        ({"repositories": "or.*"}, ["orders"]),
        ({"exclude": "or.*"}, ["stock"]),
        ({"topics": ["service"]}, ["stock"]),
        ({"without_topics": ["service"]}, ["orders"]),
        ({"archived": True, "forks": True}, ["copy", "old", "orders", "stock"]),
        ({"paths": ["**/*.py"]}, ["orders"]),
        ({"branch": "other"}, []),
    ):
        reading.parts.clear()
        found_places, _ = reading.read(**options)
        assert [place.split("/acme/")[1].split("/")[0] for place in found_places] == names, options


def test_a_pattern_that_matches_too_much_costs_its_repository_alone(
    reading: Reading, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trees, "MAX_MATCHES", 1)
    reading.forge.repositories["acme/orders"].files["more/catalog-info.yaml"] = component("more")
    places, found = reading.read(paths=["**/catalog-info.yaml"])
    assert [place.split("/acme/")[1].split("/")[0] for place in places] == ["stock"]
    [problem] = [item for item in found if isinstance(item, SourceProblem)]
    assert "/acme/orders" in problem.location
    assert "narrow it" in problem.detail
    assert "acme/orders" in [item.key for item in found if isinstance(item, SourcePart)], "it is still there"
    assert found[-1] == SourceEnd(complete=True)


def test_what_is_unchanged_costs_one_conditional_request_at_most(reading: Reading) -> None:
    reading.read()
    reading.forge.asked()
    _, found = reading.read()
    assert all(item.same for item in found if isinstance(item, SourcePart) if item.key in ("acme/orders", "acme/stock"))
    asked = [path for path in reading.forge.asked() if "/commits/" in path or "/trees/" in path or "/blobs/" in path]
    assert len(asked) <= 3, "a listing, and at most one call for each repository"
    orders = reading.forge.repositories["acme/orders"]
    orders.files["src/main.py"], orders.pushed_at = "y", "2024-02-01T00:00:00Z"
    places, _ = reading.read()
    assert [place.rpartition("/")[2] for place in places] in ([], ["catalog-info.yaml"])
    orders.files["catalog-info.yaml"], orders.pushed_at = component("orders", kind="website"), "2024-03-01T00:00:00Z"
    assert len(reading.read()[0]) == 1


def test_a_push_to_a_file_beside_reads_nothing_again(reading: Reading) -> None:
    options = {"paths": ["**/catalog-info.yaml"]}
    reading.read(**options)
    orders = reading.forge.repositories["acme/orders"]
    orders.files["src/main.py"], orders.pushed_at = "y", "2024-02-01T00:00:00Z"
    places, found = reading.read(**options)
    assert places == []
    assert all(item.same for item in found if isinstance(item, SourcePart) and item.key == "acme/orders")


def test_a_descriptor_that_is_too_large_is_a_problem_of_its_own(reading: Reading) -> None:
    reading.forge.repositories["acme/stock"].files["catalog-info.yaml"] = b"x" * 6_000_000
    places, found = reading.read()
    assert len(places) == 2
    problems = [item for item in found if isinstance(item, SourceProblem)]
    assert len(problems) == 1
    assert "larger than" in problems[0].detail


@pytest.mark.parametrize(
    ("fails", "error", "says"),
    [
        (lambda asked: Reply({"message": "Bad credentials"}, 401), InputError, "credential was refused"),
        (lambda asked: Reply({"message": "no"}, 500), UnavailableError, "it answered 500"),
        (
            lambda asked: Reply(
                {"message": "API rate limit exceeded"},
                403,
                {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "4102444800"},
            ),
            RateLimitedError,
            "pause",
        ),
        (lambda asked: Reply({"message": "Too many"}, 429, {"retry-after": "3600"}), RateLimitedError, "pause"),
        (lambda asked: Reply(b"<html>Sign in</html>"), UnavailableError, "JSON"),
    ],
)
def test_a_forge_that_fails_ends_the_reading_with_what_to_do(
    reading: Reading, fails: Callable[[Asked], Reply], error: type[TaxiwayError], says: str
) -> None:
    reading.forge.fails = fails
    with pytest.raises(error, match=says) as raised:
        reading.read()
    assert TOKEN not in str(raised.value)


def test_a_list_that_does_not_end_is_not_taken_for_one(reading: Reading) -> None:
    def fails(asked: Asked) -> Reply | None:
        if "/repos?" in asked.path or "/projects?" in asked.path:
            return Reply([], headers={"link": f'<{reading.forge.system.url}{asked.path}>; rel="next"'})
        return None

    reading.forge.fails = fails
    with pytest.raises(UnavailableError, match="does not end"):
        reading.read()


def test_an_address_that_nobody_answers_at_is_said(reading: Reading) -> None:
    settings = type(reading.source.ctx.settings).model_validate({"hosts": [{"host": "127.0.0.1:9", "scheme": "http"}]})
    reading.source.clients.ctx = replace(reading.source.ctx, settings=settings)
    options = reading.source.options.model_validate({**reading.options(), "host": "127.0.0.1:9"})
    with pytest.raises(UnavailableError, match="does not answer"):
        list(reading.source.read(SourceRequest("test", options)))


def test_a_webhook_is_checked_and_names_what_it_touches(reading: Reading) -> None:
    reading.read()
    body = json.dumps(_push(reading.kind, "acme/orders", "refs/heads/main")).encode()
    options = reading.source.options.model_validate(reading.options(webhook_secret="env:HOOK_SECRET"))

    def receive(body: bytes, signed: bytes | None = None) -> Any:
        headers = _signed(reading.kind, body if signed is None else signed, "push")
        return reading.source.receive(HookRequest("test", options, headers, body))

    assert receive(body) == [{"repository": "acme/orders"}]
    assert receive(json.dumps(_push(reading.kind, "acme/orders", "refs/heads/other")).encode()) == []
    assert receive(json.dumps(_push(reading.kind, "others/orders", "refs/heads/main")).encode()) == []
    wrong = {**_signed(reading.kind, body, "push"), "x-gitlab-token": "wrong", "x-hub-signature-256": "sha256=00"}
    with pytest.raises(NotAllowedError):
        reading.source.receive(HookRequest("test", options, wrong, body))
    without = reading.source.options.model_validate(reading.options())
    with pytest.raises(NotAllowedError, match="webhook_secret"):
        reading.source.receive(HookRequest("test", without, _signed(reading.kind, body, "push"), body))
    orders = reading.forge.repositories["acme/orders"]
    orders.files["catalog-info.yaml"], orders.pushed_at = component("orders", kind="website"), "2024-03-01T00:00:00Z"
    places, found = reading.read(receive(body))
    assert (len(places), found[-1]) == (1, SourceEnd(complete=False))
    del reading.forge.repositories["acme/orders"]
    assert reading.read(receive(body))[1] == [SourceGone(part="acme/orders"), SourceEnd(complete=False)]


def test_people_and_teams_come_as_entities(reading: Reading) -> None:
    if reading.kind == "github":
        node = {"avatarUrl": "https://x/a.png", "members": {"pageInfo": {"hasNextPage": False, "endCursor": None}}}
        reading.forge.teams = [
            {**node, "slug": slug, "name": slug.title(), "description": None, "parentTeam": parent}
            for slug, parent in (("payments", None), ("cards", {"slug": "payments"}), ("empty", None))
        ]
        for team in reading.forge.teams:
            nodes = [{"login": "ada"}] if team["slug"] == "cards" else []
            team["members"] = {**team["members"], "nodes": nodes}
        who = {"name": "Ada L.", "email": "ada@example.org", "bio": None, "avatarUrl": None}
        reading.forge.members = [{**who, "login": login} for login in ("ada", "bob", "cy")]
    else:
        reading.forge.teams = [
            {"id": n, "full_path": path, "name": path, "description": "", "avatar_url": None, "web_url": "https://x/g"}
            for n, path in enumerate(("acme", "acme/payments", "acme/payments/cards"), 1)
        ]
        who = {"name": "Ada L.", "email": "ada@example.org", "state": "active", "avatar_url": None}
        reading.forge.members = [
            {**who, "username": login, "access_level": level, "groups": groups}
            for login, level, groups in (("ada", 30, [3]), ("bob", 30, [1]), ("cy", 5, [1]), ("cy", 30, [2]))
        ]
    options = reading.people.options.model_validate(reading.options())
    found = list(reading.people.read(SourceRequest("test", options)))
    entities = [item for item in found if isinstance(item, SourcedEntity)]
    assert all(item.vouched for item in entities)
    for item in entities:
        validate(item.document)
    by_ref = {f"{item.document['kind']}:{item.document['metadata']['name']}": item.document for item in entities}
    cards = "cards" if reading.kind == "github" else "payments-cards"
    assert {"User:ada", "User:bob", "User:cy", "Group:acme", "Group:payments", f"Group:{cards}"} <= set(by_ref)
    assert by_ref["User:ada"]["spec"] == {
        "profile": {"displayName": "Ada L.", "email": "ada@example.org"},
        "memberOf": [cards],
    }
    assert by_ref[f"Group:{cards}"]["spec"]["parent"] == "payments"
    assert by_ref["Group:payments"]["spec"]["parent"] == "acme"
    assert found[-1] == SourceEnd()


class TestSource(EntitySourceConformance):
    @pytest.fixture
    def source(self, reading: Reading) -> EntitySource:
        found: EntitySource = reading.source
        return found

    @pytest.fixture
    def options(self, reading: Reading) -> dict[str, Any]:
        return reading.options()

    @pytest.fixture
    def missing(self, reading: Reading) -> dict[str, Any]:
        return {**reading.options(), KINDS[reading.kind]: "nobody"}


class TestUrls(UrlReaderConformance):
    @pytest.fixture
    def reader(self, reading: Reading) -> UrlReader:
        found: UrlReader = reading.reader
        return found

    @pytest.fixture
    def url(self, reading: Reading) -> str:
        middle = "" if reading.kind == "github" else "/-"
        return f"http://{reading.forge.host}/acme/orders{middle}/blob/main/catalog-info.yaml"

    @pytest.fixture
    def missing(self, url: str) -> str:
        return url.replace("orders", "nowhere")

    def test_a_name_that_leads_up_is_refused(self, reader: UrlReader, url: str) -> None:
        for name in ("acme/..", "../orders"):
            tree, path = reader.open(url.replace("acme/orders", name))
            with pytest.raises(InputError, match="no part of an address"):
                tree.read(path)

    def test_wildcards_find_files(self, reader: UrlReader, url: str) -> None:
        tree, path = reader.open(url.replace("catalog-info", "*-info"))
        assert list(tree.match(path)) == ["catalog-info.yaml"]


def test_a_pattern_over_too_many_files_is_said() -> None:
    with pytest.raises(TooLargeError, match="without wildcards"):
        tree_at("*-info.yaml", lambda: None, lambda *_: b"", "https://forge.example/acme/orders/blob/main/")


def _push(kind: str, name: str, ref: str) -> dict[str, Any]:
    if kind == "github":
        return {"ref": ref, "repository": {"full_name": name, "default_branch": "main"}}
    project = {"path_with_namespace": name, "default_branch": "main"}
    return {"object_kind": "push", "event_name": "push", "ref": ref, "project": project}


def _signed(kind: str, body: bytes, event: str) -> dict[str, str]:
    if kind == "gitlab":
        return {"x-gitlab-token": SECRET, "x-gitlab-event": "Push Hook"}
    signature = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    return {"x-hub-signature-256": f"sha256={signature}", "x-github-event": event}


def test_an_app_of_github_asks_for_its_own_tokens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key = rsa.generate_private_key(65537, 2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    monkeypatch.setenv("APP_KEY", pem.replace("\n", "\\n"))
    asked_for: list[str] = []

    def answer(asked: Asked) -> Reply | None:
        if not asked.path.endswith(("/installation", "/access_tokens")):
            return None
        asked_for.append(asked.path)
        header, claims, signature = asked.headers["authorization"].removeprefix("Bearer ").split(".")
        key.public_key().verify(_unpacked(signature), f"{header}.{claims}".encode(), PKCS1v15(), SHA256())
        assert json.loads(_unpacked(claims))["iss"] == "123"
        return Reply({"id": 7}) if asked.path.endswith("/installation") else Reply({"token": TOKEN}, 201)

    with github() as forge:
        forge.repositories = {"acme/orders": Repo({"catalog-info.yaml": component("orders")})}
        forge.fails = answer
        host = {"host": forge.host, "scheme": "http", "app": {"app_id": "123", "private_key": "env:APP_KEY"}}
        context = memory_host(tmp_path, "github", GitHubSettings.model_validate({"hosts": [host]})).context
        source = github_contribute(context)[0][1].made
        options = source.options.model_validate({"host": forge.host, "org": "acme"})
        for _ in range(2):
            found = list(source.read(SourceRequest("test", options)))
            assert any(isinstance(item, SourcedTree) for item in found)
    assert asked_for == ["/api/v3/orgs/acme/installation", "/api/v3/app/installations/7/access_tokens"]


def _unpacked(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
