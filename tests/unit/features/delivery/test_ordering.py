from __future__ import annotations

from typing import Any

from taxiway.features.delivery.ordering import groups, ordered


def thing(kind: str, name: str = "x", wave: int | None = None, hook: str | None = None, **more: Any) -> dict[str, Any]:
    annotations = {}
    if wave is not None:
        annotations["argocd.argoproj.io/sync-wave"] = str(wave)
    if hook is not None:
        annotations["argocd.argoproj.io/hook"] = hook
    metadata = {"name": name, "annotations": annotations, **more.pop("metadata", {})}
    return {"apiVersion": more.pop("apiVersion", "v1"), "kind": kind, "metadata": metadata, **more}


def names(items: list[Any]) -> list[str]:
    return [f"{item['kind']}/{item['metadata']['name']}" for item in items]


def test_a_namespace_goes_before_what_is_in_it_even_in_an_earlier_wave() -> None:
    pod = thing("Pod", wave=-2, metadata={"namespace": "apps"})
    assert names(ordered([pod, thing("Namespace", "apps")])) == ["Namespace/apps", "Pod/x"]


def test_a_crd_goes_before_objects_of_its_kind() -> None:
    crd = thing("CustomResourceDefinition", spec={"group": "a.b", "names": {"kind": "Widget"}})
    widget = thing("Widget", wave=-1, apiVersion="a.b/v1")
    assert names(ordered([widget, crd])) == ["CustomResourceDefinition/x", "Widget/x"]


def test_groups_follow_phase_and_wave_and_leave_out_what_is_never_applied() -> None:
    items = [
        thing("Job", "after", hook="PostSync"),
        thing("Job", "before", hook="PreSync"),
        thing("Job", "never", hook="Skip"),
        thing("ConfigMap", "late", wave=1),
        thing("ConfigMap", "now"),
        thing("Job", "sorry", hook="SyncFail"),
    ]
    assert [names(group) for group in groups(items)] == [
        ["Job/before"],
        ["ConfigMap/now"],
        ["ConfigMap/late"],
        ["Job/after"],
    ]
