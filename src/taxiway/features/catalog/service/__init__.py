"""The catalog as other features use it. SQL is in `repository` and `reading`; HTTP is in `routes`."""

from taxiway.features.catalog.refs import owner_of
from taxiway.features.catalog.service.apply import apply_entities, delete_entity, prune_source
from taxiway.features.catalog.service.query import get_entity, list_entities

__all__ = ["apply_entities", "delete_entity", "get_entity", "list_entities", "owner_of", "prune_source"]
