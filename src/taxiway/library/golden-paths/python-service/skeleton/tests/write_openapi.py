"""Writes openapi.json from the code: `make openapi`."""

import json
from pathlib import Path

{% if values.database -%}
from pydantic import SecretStr

{% endif -%}
from ${{ values.package }}.app import create_app
from ${{ values.package }}.health import Health
from ${{ values.package }}.settings import Settings

if __name__ == "__main__":
{%- if values.database %}
    settings = Settings(database_host="", database_name="", database_user="", database_password=SecretStr(""))
{%- else %}
    settings = Settings()
{%- endif %}
    document = create_app(settings, Health()).openapi()
    Path("openapi.json").write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
