from __future__ import annotations

from typing import Any

import pytest

from taxiway.features.delivery import archive, manifests
from taxiway.features.delivery.render import Rendering, render
from taxiway.features.environments.score import parse_score
from taxiway.features.infrastructure.model import Provisioned
from taxiway.model.errors import InputError

SECRET = "secret://s/environments/dev/shop/db/password"
DB = Provisioned("u1", "db", "postgres", "d", {"host": "h", "port": 5432}, {"password": SECRET}, ())
DATA = Provisioned("u2", "data", "volume", "d", {"source": {"hostPath": {"path": "/x"}}}, {}, ())


def rendered(container: str, resources: str = "", **given: Provisioned) -> dict[str, Any]:
    text = f"""
apiVersion: score.dev/v1b1
metadata: {{name: shop, annotations: {{team: a, k8s.score.dev/kind: Deployment}}}}
service: {{ports: {{http: {{port: 80, targetPort: 8080}}}}}}
containers:
  main:
    image: .
{container}
resources:
  db: {{type: postgres}}
  data: {{type: volume}}
{resources}
"""
    rendering = Rendering(
        "shop", "component:default/shop", "dev", "r1", "d1", "sha256:ab", given or {"db": DB, "data": DATA}
    )
    return {item["kind"]: item for item in render(parse_score(text), rendering)}


def container_of(objects: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = objects["Deployment"]["spec"]["template"]["spec"]["containers"][0]
    return found


def test_the_image_dot_becomes_the_releases_artefact_and_labels_are_everywhere() -> None:
    objects = rendered("    command: [run]")
    assert container_of(objects)["image"] == "taxiway-artifact:sha256:ab"
    for item in objects.values():
        assert item["metadata"]["labels"]["taxiway.dev/deployment"] == "d1"
        assert item["metadata"]["namespace"] == "dev"
    template = objects["Deployment"]["spec"]["template"]["metadata"]
    assert template["annotations"] == {"team": "a"}
    assert objects["Service"]["spec"]["ports"][0]["targetPort"] == 8080


def test_mixed_text_uses_hidden_variables_and_keeps_literal_dollars() -> None:
    env = container_of(rendered('    variables: {URL: "$(x)://${resources.db.password}@${resources.db.host}"}'))["env"]
    assert env[0]["name"].startswith("__ref_")
    assert env[0]["valueFrom"]["secretKeyRef"] == {"name": "shop-db", "key": "password"}
    assert env[1] == {"name": "URL", "value": f"$$(x)://$({env[0]['name']})@h"}


def test_a_secret_where_none_can_stand_is_refused() -> None:
    with pytest.raises(InputError, match=r"resources\.db\.password"):
        rendered('    files: {/etc/app.conf: {content: "pw=${resources.db.password}"}}')


def test_a_file_that_is_one_secret_is_mounted_from_it() -> None:
    objects = rendered('    files: {/etc/pw: {content: "${resources.db.password}", mode: "0400"}}')
    (volume,) = objects["Deployment"]["spec"]["template"]["spec"]["volumes"]
    assert volume["secret"]["secretName"] == "shop-db"
    assert volume["secret"]["defaultMode"] == 0o400


def test_files_become_config_maps_and_volumes_come_from_resources() -> None:
    objects = rendered(
        '    files: {/etc/a: {content: "host ${resources.db.host}"}}\n'
        '    volumes: {/data: {source: "${resources.data}"}}'
    )
    assert objects["ConfigMap"]["data"] == {"file": "host h"}
    mounts = {m["mountPath"]: m for m in container_of(objects)["volumeMounts"]}
    assert set(mounts) == {"/etc/a", "/data"}


def test_the_file_in_git_reads_back_and_is_the_same_for_the_same_objects() -> None:
    objects = list(rendered("    command: [run]").values())
    raw = manifests.write(objects)
    assert manifests.read(raw, "f") == objects
    assert manifests.write(objects) == raw
    assert manifests.deployment_of(objects) == "d1"


@pytest.mark.parametrize("text", ["12345e6", "0o17", "1_000", "yes", "null", "1.5", "a: b", "\u00e9\n", "0x1f", "08"])
def test_texts_stay_texts_on_their_way_through_git(text: str) -> None:
    item = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": text}, "data": {text: text}}
    assert manifests.read(manifests.write([item]), "f") == [item]


@pytest.mark.parametrize("raw", [b"{", b"- 1", b"a: 1\na: 2", b"kind: A\nmetadata: {name: x}"])
def test_a_broken_file_in_git_is_refused_with_its_reason(raw: bytes) -> None:
    with pytest.raises(InputError, match="f"):
        manifests.read(raw, "f")


def test_an_artefact_depends_on_its_content_only(tmp_path: Any) -> None:
    for name in ("one", "two"):
        (tmp_path / name / "sub").mkdir(parents=True)
        (tmp_path / name / "sub" / "a").write_text("x")
        archive.pack(tmp_path / name, tmp_path / f"{name}.tar")
    assert (tmp_path / "one.tar").read_bytes() == (tmp_path / "two.tar").read_bytes()
    (tmp_path / "one" / "link").symlink_to("/etc/passwd")
    with pytest.raises(InputError, match="link"):
        archive.pack(tmp_path / "one", tmp_path / "three.tar")


SCHEDULED = """
apiVersion: score.dev/v1b1
metadata:
  name: report
  annotations: {team: a, %s}
containers: {main: {image: ., command: [report]}}
%s
"""
KIND = "k8s.score.dev/kind: CronJob"
GOOD = KIND + ', cronjob.taxiway.dev/schedule: "*/15 * * * *"'


def test_a_workload_with_a_schedule_becomes_a_cron_job_in_kubernetes_words() -> None:
    more = [
        *("timeZone: Europe/Berlin", "concurrencyPolicy: Forbid", 'suspend: "true"', 'startingDeadlineSeconds: "300"'),
        *('failedJobsHistoryLimit: "5"', 'backoffLimit: "2"', 'activeDeadlineSeconds: "600"'),
    ]
    text = SCHEDULED % (", ".join([GOOD, *(f"cronjob.taxiway.dev/{one}" for one in more)]), "")
    rendering = Rendering("report", "component:default/report", "dev", "r1", "d1", "sha256:ab", {})
    (job,) = render(parse_score(text), rendering)
    assert (job["apiVersion"], job["kind"]) == ("batch/v1", "CronJob")
    template = job["spec"].pop("jobTemplate")
    assert job["spec"] == {
        "schedule": "*/15 * * * *",
        "timeZone": "Europe/Berlin",
        "concurrencyPolicy": "Forbid",
        "suspend": True,
        "startingDeadlineSeconds": 300,
        "failedJobsHistoryLimit": 5,
    }
    pod = template["spec"].pop("template")
    assert template["spec"] == {"backoffLimit": 2, "activeDeadlineSeconds": 600}
    assert pod["spec"]["restartPolicy"] == "Never"
    assert pod["metadata"]["annotations"] == {"team": "a"}


@pytest.mark.parametrize(
    ("annotations", "rest", "said"),
    [
        (KIND, "", "needs a schedule"),
        (KIND + ', cronjob.taxiway.dev/schedule: "61 * * * *"', "", "minute"),
        (GOOD + ", cronjob.taxiway.dev/timeZone: Mars/Olympus", "", "time zone"),
        (GOOD + ", cronjob.taxiway.dev/backoffLimit: many", "", "whole number"),
        (GOOD + f", cronjob.taxiway.dev/backoffLimit: '{'9' * 5000}'", "", "nine digits"),
        (GOOD + ", cronjob.taxiway.dev/concurrencyPolicy: Perhaps", "", "Allow, Forbid, Replace"),
        (GOOD + ', cronjob.taxiway.dev/retries: "3"', "", "no such field"),
        (GOOD, "service: {ports: {http: {port: 80}}}", "listens on no port"),
        (GOOD.replace("CronJob", "Deployment"), "", "only means something"),
    ],
)
def test_a_wrong_schedule_is_refused_when_the_release_is_made(annotations: str, rest: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        parse_score(SCHEDULED % (annotations, rest))
