"""The service; docs/index.md describes its parts."""

SERVICE = "${{ values.name }}"
