"""What the scaffolder's own actions are made of: the same as those of plugins."""

from __future__ import annotations

from taxiway.plugin.actions import FunctionAction, inside, schema, workspace_files

__all__ = ["FunctionAction", "inside", "schema", "workspace_files"]
