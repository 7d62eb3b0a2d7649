"""The catalog as other features use it. SQL is in `repository` and `reading`; HTTP is in `routes`."""

from taxiway.features.catalog.refs import owner_of
from taxiway.features.catalog.service.apply import apply_entities, delete_by_uid, delete_entity, prune_source
from taxiway.features.catalog.service.library import load_library
from taxiway.features.catalog.service.locations import (
    find_location,
    list_locations,
    refresh_location,
    register_location,
    unregister_location,
)
from taxiway.features.catalog.service.people import groups_of
from taxiway.features.catalog.service.query import get_entity, last_known, list_documented, list_entities

__all__ = [
    "apply_entities",
    "delete_by_uid",
    "delete_entity",
    "find_location",
    "get_entity",
    "groups_of",
    "last_known",
    "list_documented",
    "list_entities",
    "list_locations",
    "load_library",
    "owner_of",
    "prune_source",
    "refresh_location",
    "register_location",
    "unregister_location",
]
