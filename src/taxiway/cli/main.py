"""The command line: a client of the API. Command modules are imported when their command is called, so that `--help`
and completion answer at once."""

from __future__ import annotations

import sys
from typing import Any

from cyclopts import App

from taxiway import __version__

app = App(
    name="taxiway",
    version=__version__,
    help="An internal developer platform. Start with `taxiway demo`, or `taxiway up`.",
    help_format="plaintext",
    result_action="return_value",
)
for name, (target, summary) in {
    "up": ("up:up", "Start the server on a data folder"),
    "down": ("down:down", "Stop the server of a data folder, its workloads and databases"),
    "worker": ("up:worker", "Add a worker to a data folder or database"),
    "demo": ("demo:demo", "Run the main job with the demo organisation"),
    "login": ("login:login", "Remember a server and a token for it"),
    "create": ("create:create", "Run a golden path"),
    "drafts": ("drafts:app", "Half-filled forms of golden paths"),
    "template": ("template:app", "Lint, test and preview golden paths without a server"),
    "deploy": ("deploy:deploy", "Deploy a release to an environment"),
    "rollback": ("deploy:rollback", "Deploy the release that was live before"),
    "catalog": ("catalog:app", "Entities and locations"),
    "search": ("searching:search", "Search the catalog, docs and golden paths"),
    "import": ("importing:app", "Move from Backstage, Port, Cortex or OpsLevel"),
    "jobs": ("jobs:app", "Scheduled workloads, their jobs, and a run now"),
    "env": ("environments:app", "Environments, deployments, workloads and resources"),
    "runs": ("runs:app", "List, watch and steer runs"),
    "pipelines": ("pipelines:app", "Pipelines and repositories"),
    "pulls": ("pulls:app", "Pull requests, reviews, and rules of branches"),
    "scaffold": ("scaffold:app", "Golden paths in figures, and repositories that other tools made from one"),
    "upgrade": ("upgrade:app", "Bring services to a new version of their golden path"),
    "webhooks": ("webhooks:app", "Events sent to other systems"),
    "audit": ("audit:app", "Events, and the proof that nobody changed them"),
    "roles": ("roles:app", "Roles of users and groups"),
    "tokens": ("tokens:app", "API tokens"),
    "config": ("config:app", "Settings and where each comes from"),
    "plugin": ("plugins:app", "Plugins and whether they work"),
    "doctor": ("doctor:doctor", "Check this host and the data folder"),
    "api": ("api:api", "Call any operation of the API by its id"),
}.items():
    app.command(f"taxiway.cli.{target}", name=name, help=summary)
app.register_install_completion_command(add_to_startup=False)


def main(arguments: list[str] | None = None) -> None:
    """Entry point. Exits with 0, or with the exit code of the error's kind."""
    sys.exit(run(sys.argv[1:] if arguments is None else arguments))


def run(arguments: list[str]) -> int:
    """Run one command and return its exit code; errors go to stderr with what to do next."""
    from taxiway.cli.errors import CliError
    from taxiway.model.errors import TaxiwayError
    from taxiway.model.kinds import KINDS

    try:
        result: Any = app(arguments, exit_on_error=False, print_error=True)
    except CliError as error:
        return _complain(str(error), error.details, error.exit_code)
    except TaxiwayError as error:
        details = [f"{item.pointer or '/'}: {item.detail}" for item in error.errors]
        return _complain(error.detail, details, KINDS[error.kind].exit_code)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        return 141
    except Exception as error:
        from cyclopts import CycloptsError

        if isinstance(error, CycloptsError):
            return KINDS["input"].exit_code
        raise
    return result if isinstance(result, int) and not isinstance(result, bool) else 0


def _complain(message: str, details: list[str], exit_code: int) -> int:
    print(f"taxiway: {message}", file=sys.stderr)
    for line in details:
        print(f"  {line}", file=sys.stderr)
    return exit_code


if __name__ == "__main__":
    main()
