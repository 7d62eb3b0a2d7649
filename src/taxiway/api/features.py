"""The features of the product, low to high. Adding one means adding its name here."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

from taxiway.core.operations import Feature

NAMES = (
    "access",
    "catalog",
    "infrastructure",
    "docs",
    "environments",
    "scaffolder",
    "delivery",
    "observability",
)


def load_features() -> list[Feature]:
    """`FEATURE` of each feature's `contrib.py`, in order."""
    names = [f"taxiway.features.{name}.contrib" for name in NAMES]
    return [import_module(name).FEATURE for name in names if find_spec(name) is not None]
