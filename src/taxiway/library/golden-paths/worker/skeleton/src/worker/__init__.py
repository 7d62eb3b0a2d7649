"""${{ values.description | replace('"', "'") }}"""
