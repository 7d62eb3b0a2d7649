"""One pass over one environment: what Git says against what the destination has. Level-based and safe to repeat.

Called only by `reconciler.Reconciler`, one process of the installation at a time. Its input is the head of the
environment's repository and the inventory of what it applied; it never reads deployments or releases. A broken folder
stops its own service only.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from taxiway.core.context import Platform
from taxiway.core.store.database import Tx
from taxiway.features.delivery import manifests
from taxiway.features.delivery.engines import forge
from taxiway.features.delivery.ordering import groups
from taxiway.features.delivery.service import desired
from taxiway.features.environments import repository
from taxiway.features.environments.model import Environment, worst
from taxiway.kit.canonical import digest
from taxiway.kit.pointer import dig
from taxiway.model.errors import InputError, TaxiwayError
from taxiway.model.workload import ObjectKey, ObjectStatus, Target, object_key
from taxiway.plugin import Destination

Row = Mapping[str, Any]


def status_topic(environment: str, service_key: str) -> str:
    """What runs wait for while a service changes."""
    return f"status:{environment}/{service_key}"


def reconcile(platform: Platform, name: str, environment: Environment | None, *, is_full: bool) -> bool:
    """Make the environment so; whether everything is synced and healthy. `is_full` also looks at what did not change.

    `environment` is None when its entity is gone: then what was applied is pruned with the target noted back then, as
    far as its repository says so.
    """
    revision = desired.head(platform, f"env-{name}")
    files = _files(platform, f"env-{name}", revision)
    with platform.store.read() as conn:
        applied, statuses = repository.applied(conn, name), repository.statuses(conn, name)
    if revision is None and applied:
        # A repository that vanished is a fault, and no order to stop everything.
        platform.log.warning("environment_repository_missing", environment=name)
        return True
    settled = True
    for key in sorted({*files, *statuses, *(row["service_key"] for row in applied)}):
        mine = [row for row in applied if row["service_key"] == key]
        raw, before = files.get(key), statuses.get(key)
        if raw is not None and not is_full and _is_unchanged(raw, before):
            continue
        try:
            settled = _service(platform, name, environment, key, raw, mine, before, revision or "") and settled
        except TaxiwayError as error:
            _put(platform, name, key, before, {**_blank(before, revision, raw), "message": error.detail})
            settled = False
        except Exception as error:
            platform.log.exception("reconcile_failed", environment=name, service=key, error=repr(error))
            text = "the reconciler failed on this service: see the log of the server"
            _put(platform, name, key, before, {**_blank(before, revision, raw), "message": text})
            settled = False
    return settled


def _files(platform: Platform, name: str, revision: str | None) -> dict[str, bytes]:
    if revision is None:
        return {}
    host, found = forge(platform), {}
    for path in host.list_files(name, revision):
        key = manifests.key_of(path)
        if key is not None:
            found[key] = host.read_file(name, revision, path, manifests.MAX_BYTES * 2) or b""
    return found


def _is_unchanged(raw: bytes, before: Row | None) -> bool:
    if before is None or before["content"] != digest(raw.decode(errors="replace")):
        return False
    return bool(before["sync"] == "synced" and before["health"] in ("healthy", "suspended"))


def _service(
    platform: Platform,
    name: str,
    environment: Environment | None,
    key: str,
    raw: bytes | None,
    applied: Sequence[Row],
    before: Row | None,
    revision: str,
) -> bool:
    """Apply, then prune, one service; whether it is settled."""
    if raw is None:
        _check_history(platform, name, before)
    objects = manifests.read(raw, manifests.path_of(key)) if raw is not None else []
    if objects and environment is None:
        raise InputError(f"the environment {name} is not in the catalog any more: register it, or remove the service")
    statuses: list[ObjectStatus] = []
    is_done = True
    if environment is not None and objects:
        objects = [_contained(item, environment) for item in objects]
        statuses, is_done = _apply(platform, environment, key, objects, applied)
    wanted = {object_key(item) for item in objects}
    if is_done:
        _prune(platform, name, key, [row for row in applied if _key(row) not in wanted])
    if raw is None:
        _drop(platform, name, key)
        return True
    values = {
        "service_ref": manifests.service_of(objects),
        "deployment_id": manifests.deployment_of(objects),
        "revision": revision,
        "content": digest(raw.decode(errors="replace")),
        "sync": "synced" if is_done and all(s.synced for s in statuses) else "out_of_sync",
        "health": worst([s.health for s in statuses]),
        "message": _message(statuses),
        "objects": [_object(s, objects) for s in statuses],
        "url": _url(statuses),
    }
    _put(platform, name, key, before, values)
    return values["sync"] == "synced" and values["health"] in ("healthy", "suspended")


def _apply(
    platform: Platform, environment: Environment, key: str, objects: list[dict[str, Any]], applied: Sequence[Row]
) -> tuple[list[ObjectStatus], bool]:
    """Group by group; a group waits until the one before is healthy. (statuses, whether all groups were applied)."""
    destination: Destination = platform.registry.get("destination", environment.destination)
    target, waves = environment.target(), groups(objects)
    _note(platform, environment, key, [item for wave in waves for item in wave], applied)
    statuses: list[ObjectStatus] = []
    for position, wave in enumerate(waves):
        found = list(destination.apply(target, wave))
        statuses += found
        is_last = position == len(waves) - 1
        if not is_last and any(s.health not in ("healthy", "suspended") or not s.synced for s in found):
            rest = [item for later in waves[position + 1 :] for item in later]
            return [*statuses, *destination.observe(target, rest)], False
    return statuses, True


def _note(
    platform: Platform, environment: Environment, key: str, objects: Sequence[Row], applied: Sequence[Row]
) -> None:
    """Write down what is about to be applied, so that nothing can be left behind."""
    target = {
        "namespace": environment.namespace,
        "destination": environment.destination,
        "parameters": dict(environment.parameters),
    }
    there = {_key(row): (row["position"], row["target"]) for row in applied}
    fresh = [(n, object_key(item)) for n, item in enumerate(objects)]
    fresh = [(n, item) for n, item in fresh if there.get(item) != (n, target)]
    if fresh:

        def work(tx: Tx) -> None:
            for position, item in fresh:
                repository.put_applied(tx, environment.name, key, item, position, target)

        platform.store.write(work)


def _prune(platform: Platform, name: str, key: str, rows: Sequence[Row]) -> None:
    """Remove what Git no longer has, last applied first, from the inventory alone."""
    for row in sorted(rows, key=lambda r: -int(r["position"])):
        noted = row["target"]
        target = Target(name, noted["namespace"], noted["destination"], noted["parameters"])
        destination: Destination = platform.registry.get("destination", noted["destination"])
        gone = _key(row)
        destination.prune(target, [gone])

        def forget(tx: Tx, item: ObjectKey = gone) -> None:
            repository.drop_applied(tx, name, key, item)

        platform.store.write(forget)


def _check_history(platform: Platform, name: str, before: Row | None) -> None:
    """A folder that is missing was removed only where the repository still knows the commit that had it."""
    known = before["revision"] if before is not None else None
    if known and forge(platform).resolve(f"env-{name}", known) is None:
        raise InputError(
            f"env-{name} does not know the commit {known[:12]} any more, so nothing is removed: deploy the service "
            "again, and remove it then"
        )


def _contained(item: dict[str, Any], environment: Environment) -> dict[str, Any]:
    """The object, in the environment's namespace and with none but its secrets. InputError otherwise."""
    metadata = item["metadata"]
    namespace = metadata.get("namespace") or environment.namespace
    if namespace != environment.namespace:
        raise InputError(f"{item['kind']} {metadata['name']} is for the namespace {namespace}: use its environment's")
    if item["kind"] == "ExternalSecret":
        for entry in dig(item, "spec", "data", default=[]):
            reference = str(dig(entry, "remoteRef", "key", default=""))
            if not re.match(rf"secret://[^/]+/environments/{re.escape(environment.name)}/", reference):
                raise InputError(f"ExternalSecret {metadata['name']} asks for a secret of another environment")
    return {**item, "metadata": {**metadata, "namespace": namespace}}


def _key(row: Row) -> ObjectKey:
    return ObjectKey(row["api_version"], row["kind"], row["namespace"], row["name"])


def _message(statuses: Sequence[ObjectStatus]) -> str:
    bad = worst([s.health for s in statuses])
    texts = [f"{s.key.kind} {s.key.name}: {s.message}" for s in statuses if s.message and s.health == bad]
    return "" if bad == "healthy" or not texts else texts[0][:1000]


def _url(statuses: Sequence[ObjectStatus]) -> str | None:
    """The address for people: a route's before any other."""
    found = sorted((s for s in statuses if s.url), key=lambda s: (s.key.kind not in ("HTTPRoute", "Ingress"), s.key))
    return found[0].url if found else None


def _object(status: ObjectStatus, objects: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    manifest = next((item for item in objects if object_key(item) == status.key), {})
    result = {
        "api_version": status.key.api_version,
        "kind": status.key.kind,
        "name": status.key.name,
        "synced": status.synced,
        "health": status.health,
        "message": status.message,
        "url": status.url,
    }
    if status.key.kind == "Service":
        ports = dig(manifest, "spec", "ports", default=[])
        result["ports"] = {str(port.get("name", port["port"])): port["port"] for port in ports}
    return result


def _blank(before: Row | None, revision: str | None, raw: bytes | None) -> dict[str, Any]:
    return {
        "service_ref": before["service_ref"] if before else None,
        "deployment_id": desired.owner_deployment(raw)[0],
        "revision": revision,
        "content": None,
        "sync": "unknown",
        "health": "unknown",
        "objects": before["objects"] if before else [],
        "url": before["url"] if before else None,
    }


def _put(platform: Platform, name: str, key: str, before: Row | None, values: Mapping[str, Any]) -> None:
    """Write the status when it changed, and wake who waits for it."""
    if before is not None and all(before[column] == value for column, value in values.items()):
        return

    def work(tx: Tx) -> None:
        repository.put_status(tx, name, key, values)
        platform.runs.wake(tx, status_topic(name, key))

    platform.store.write(work)


def _drop(platform: Platform, name: str, key: str) -> None:
    def work(tx: Tx) -> None:
        repository.drop_status(tx, name, key)
        platform.runs.wake(tx, status_topic(name, key))

    platform.store.write(work)
