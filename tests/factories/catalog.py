"""Documents of the catalog's tests."""

from __future__ import annotations


def component(name: str, owner: str = "checkout", extra: str = "", kind: str = "service") -> str:
    return f"""apiVersion: backstage.io/v1alpha1
kind: Component
metadata:
  name: {name}
  description: The {name} of the shop
  tags: [python]
spec:
  type: {kind}
  lifecycle: production
  owner: {owner}
{extra}"""


ORGANISATION = """apiVersion: backstage.io/v1alpha1
kind: Group
metadata: {name: acme}
spec: {type: organization, children: []}
---
apiVersion: backstage.io/v1alpha1
kind: Group
metadata: {name: checkout}
spec: {type: team, parent: acme, children: []}
---
apiVersion: backstage.io/v1alpha1
kind: User
metadata: {name: bea}
spec: {memberOf: [checkout]}
"""
