"""Releases of other sorts than Python's: Node.js, static sites, programs; and rubbish in each of them."""

from __future__ import annotations

import gzip
import hashlib
import json
import shutil
from collections.abc import Mapping
from typing import Any

import pytest

from factories.laptop import Laptop
from factories.process import archive, manifests
from taxiway.model.errors import InputError
from taxiway.plugins.process import release

pytestmark = pytest.mark.integration
NODE_APP = """#!/usr/bin/env node
const http = require('node:http')
console.log('listening')
http.createServer((request, response) => {
  response.end(request.url === '/all' ? JSON.stringify({ node: process.version, argv: process.argv }) : 'hello')
}).listen(Number(process.env.PORT), process.env.HOST)
"""
LOCK = {"name": "shop", "lockfileVersion": 3, "packages": {"": {"name": "shop", "version": "1.0.0"}}}
PACKAGE = {"name": "shop", "version": "1.0.0", "bin": {"shop": "src/main.js"}}


def packed(package: Mapping[str, Any] = PACKAGE, **files: bytes) -> bytes:
    """What `npm pack` makes."""
    files = {"package.json": json.dumps(package).encode(), "src/main.js": NODE_APP.encode(), **files}
    return gzip.compress(archive({f"package/{name}": content for name, content in files.items()}))


def put(laptop: Laptop, contents: Mapping[str, bytes]) -> str:
    data = archive(contents)
    path = laptop.root / f"{hashlib.sha256(data).hexdigest()[:12]}.tar"
    path.write_bytes(data)
    return laptop.host.context.artifacts.put(path)


@pytest.mark.skipif(shutil.which("npm") is None, reason="npm is missing: install Node.js")
def test_a_package_of_npm_becomes_a_service(laptop: Laptop) -> None:
    digest = put(laptop, {"shop-1.0.0.tgz": packed(), "package-lock.json": json.dumps(LOCK).encode()})
    laptop.deploy(manifests(digest))
    facts = json.loads(laptop.get("/all")[1])
    assert facts["node"].startswith("v")
    assert facts["argv"][1].endswith("/src/main.js")


def test_a_static_site_is_served(laptop: Laptop) -> None:
    pages = {"site/index.html": b"<h1>home</h1>", "site/about.html": b"about", "site/404.html": b"nothing here"}
    digest = put(laptop, {**pages, "site/assets/app.js": b"1", "site/docs/index.html": b"docs", "score.yaml": b"x: 1"})
    laptop.deploy(manifests(digest, command=None, readinessProbe={"httpGet": {"path": "/healthz", "port": 8080}}))
    assert laptop.get("/") == (200, "<h1>home</h1>")
    assert laptop.get("/about") == (200, "about")
    assert laptop.get("/docs/") == (200, "docs")
    assert laptop.get("/assets/") == (404, "nothing here")
    assert laptop.get("/healthz") == (200, "ok\n")
    for path in ("/../complete.json", "/%2e%2e/complete.json", "/..%2fcomplete.json", "/.%00./complete.json", "/a%00b"):
        assert laptop.get(path)[0] == 404


def test_a_program_becomes_a_service(laptop: Laptop) -> None:
    python = "#!/usr/bin/env python3\nimport os, http.server as h\n"
    code = (
        f"{python}where = os.environ['HOST'], int(os.environ['PORT'])\nh.HTTPServer(where, h.SimpleHTTPRequestHandler)"
    )
    code += ".serve_forever()\n"
    probe = {"httpGet": {"path": "/", "port": 8080}}
    laptop.deploy(manifests(put(laptop, {"bin/shop": code.encode()}), readinessProbe=probe))
    assert laptop.get("/")[0] == 200


BAD = {
    "neither": ({"README.md": b"hi"}, "no release that a local process can run"),
    "two packages": ({"a.tgz": packed(), "b.tgz": packed(), "package-lock.json": b"{}"}, "2 packages"),
    "a broken package": ({"a.tgz": b"rubbish", "package-lock.json": b"{}"}, "is broken"),
    "an old lock": ({"a.tgz": packed(), "package-lock.json": b'{"lockfileVersion": 1}'}, "version 2 or 3"),
    "no lock": ({"a.tgz": packed(), "package-lock.json": b"["}, "cannot be read"),
    "a lock without hashes": (
        {"a.tgz": packed(), "package-lock.json": b'{"lockfileVersion": 3, "packages": {"node_modules/x": {}}}'},
        "no sha512 for node_modules/x",
    ),
    "a program elsewhere": (
        {"a.tgz": packed({"name": "x", "bin": "../../x.js"}), "package-lock.json": json.dumps(LOCK).encode()},
        "no file of the package",
    ),
    "a program of the machine": (
        {"a.tgz": packed({"name": "x", "bin": {"x": "/bin/sh"}}), "package-lock.json": json.dumps(LOCK).encode()},
        "no file of the package",
    ),
    "a program for nobody": ({"bin/shop": b"MZ..."}, "no program for this machine"),
}


@pytest.mark.parametrize("name", BAD)
def test_rubbish_is_said(laptop: Laptop, name: str) -> None:
    contents, said = BAD[name]
    digest = put(laptop, contents)
    places = laptop.keeper.places
    with pytest.raises(InputError, match=said):
        release.prepare(places.workshop, digest, laptop.host.context.artifacts.path(digest), lambda: False)


def test_nothing_in_a_package_tells_npm_what_to_do(laptop: Laptop) -> None:
    if shutil.which("npm") is None:
        pytest.skip("npm is missing: install Node.js")
    planted = laptop.root / "planted"
    scripts = {"install": f"touch {planted}", "postinstall": f"touch {planted}", "prepare": f"touch {planted}"}
    package = {**PACKAGE, "type": "commonjs", "scripts": scripts, "workspaces": ["*"]}
    settings = f"logs-dir={planted}\nignore-scripts=false\n".encode()
    pack = packed(package, **{".npmrc": settings, "npm-shrinkwrap.json": b"{", "yarn.lock": b"{"})
    contents = {"a.tgz": pack, "package-lock.json": json.dumps(LOCK).encode()}
    digest = put(laptop, contents)
    places = laptop.keeper.places
    made = release.prepare(places.workshop, digest, laptop.host.context.artifacts.path(digest), lambda: False)
    assert made.default_command == ("shop",)
    assert not planted.exists()
    (whole,) = made.folder.glob("app-*/package.json")
    assert json.loads(whole.read_text()) == package
