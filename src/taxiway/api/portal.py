"""The portal's files: hashed assets are kept for a year, `index.html` is asked for again each time and stands in for
every path that is no file, since the portal routes by itself."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response

from taxiway.kit.built import built_web

NOT_BUILT = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Taxiway</title>
<body style="font-family: sans-serif; max-width: 40em; margin: 4em auto">
<h1>Taxiway is running</h1>
<p>The portal is not built in this checkout. Run <code>make web</code> and load this page again.</p>
<p>The API is described at <a href="/openapi.json">/openapi.json</a>; <code>taxiway --help</code> lists commands.</p>
"""


@dataclass(frozen=True)
class Portal:
    """Serves the built portal in `folder`, or a page that says it is not built."""

    folder: Path | None

    @property
    def index_html(self) -> str:
        """The page behind every route of the portal."""
        return NOT_BUILT if self.folder is None else (self.folder / "index.html").read_text()

    async def serve(self, request: Request) -> Response:
        """Answer a GET that no operation took."""
        path = request.path_params.get("path", "")
        if self.folder is not None:
            file = (self.folder / path).resolve()
            if path and file.is_relative_to(self.folder) and file.is_file() and file.name != "index.html":
                is_hashed = path.startswith("assets/")
                cache = "public, max-age=31536000, immutable" if is_hashed else "no-cache"
                return FileResponse(file, headers={"cache-control": cache})
            if path.startswith("assets/"):
                # A page of an older build asks for a file that is gone: index.html would only confuse its loader.
                return Response("not found", 404, media_type="text/plain")
        return HTMLResponse(self.index_html, headers={"cache-control": "no-cache"})


def find_portal() -> Portal:
    """The portal inside the package, else the one built in a checkout."""
    return Portal(built_web())
