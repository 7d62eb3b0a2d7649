"""`taxiway config`: settings and where each comes from."""

from __future__ import annotations

from pathlib import Path

from cyclopts import App

from taxiway.cli.output import Output, show

app = App(name="config", help="Settings.")


@app.command(name="show")
def show_config(*, data: Path | None = None, config: Path | None = None, output: Output = "table") -> None:
    """Show every setting with secrets masked and the source of its value."""
    from taxiway.core.settings import describe, load_settings, process_environ

    loaded = load_settings(process_environ(), {"data": data}, config)
    rows = [
        {
            "key": key,
            "value": value if isinstance(value, (int, float, bool, type(None))) else str(value),
            "source": source,
        }
        for key, value, source, _ in describe(loaded)
    ]
    show(rows, output, ["key", "value", "source"])
