"""How a document is stored: deflated against a dictionary of what nearly every document has. Pure.

The first byte says which dictionary. Stored documents need theirs for ever: a better one gets a new number.
"""

from __future__ import annotations

import zlib

LEVEL = 4
RAW = -15
_FIRST = b"""\
https://http://localhost:8080/openapi.yaml application/json content schema type object string properties required \
"openapi":"3.0.3","info":{"title":" "version":"1.0.0"},"paths":{"/ "get":{"summary":" "operationId":" "parameters":[{\
"in":"query" "responses":{"200":{"description":"OK" components schemas syntax = "proto3"; service rpc returns message \
"apiVersion":"scaffolder.backstage.io/v1beta3","kind":"Template" "parameters":[{"title":" "steps":[{"id":" "action":" \
"presence":"optional" "target":" "targets":["./ "kind":"Location" "kind":"Domain" "subdomainOf":" "kind":"System" \
"domain":" "kind":"Resource" "type":"database" "dependencyOf":[ "kind":"Group" "type":"team","profile":{"displayName":"\
 "picture":" "parent":" "children":[ "members":[ "kind":"User" "spec":{"profile":{"displayName":" ","email":" \
"memberOf":[" "kind":"API" "spec":{"type":"grpc" "type":"asyncapi" "type":"openapi","lifecycle":" "definition":"\
{\\"openapi\\":\\"3.0.3\\",\\"info\\":{\\"title\\":\\" \\"version\\":\\" \\"paths\\":{\\" \
\\"get\\":{\\"operationId\\":\\" \\"summary\\":\\" \\"parameters\\":[{\\"name\\":\\" \\"in\\":\\"query\\",\
\\"schema\\":{\\"type\\":\\"string\\" \\"type\\":\\"integer\\" \
\\"responses\\":{\\"200\\":{\\"description\\":\\" \\"post\\":{ \\"201\\":{\\"description\\":\\" \
"type":"library" "type":"website" "lifecycle":"experimental" "lifecycle":"deprecated" "subcomponentOf":" \
"links":[{"url":"https:// ","title":"Dashboard","icon":"dashboard"} ","title":" ","icon":"docs"},{"url":"https:// \
"labels":{" "tags":["java" "python" "go" "typescript" "backstage.io/techdocs-ref":"dir:." \
"backstage.io/kubernetes-id":" "backstage.io/kubernetes-label-selector":"app.kubernetes.io/name= \
"github.com/project-slug":" "gitlab.com/project-slug":" "pagerduty.com/service-id":" "pagerduty.com/integration-key":" \
"sonarqube.org/project-key":" "jenkins.io/job-full-name":" "argocd/app-name":" "prometheus.io/rule":" \
"sentry.io/project-slug":" "grafana/dashboard-selector":" "opsgenie.com/team":" "jira/project-key":" \
"backstage.io/view-url":"https:// "backstage.io/edit-url":"https:// "backstage.io/source-location":"url:https:// \
"backstage.io/orphan":"true" "taxiway.dev/repository":" "taxiway.dev/template":" ","description":" \
"providesApis":[" ],"consumesApis":[" ],"dependsOn":["resource:default/ "component:default/ "dependsOn":["resource: \
"owner":"group:default/ "owner":"user:default/ ","system":" "type":"service","lifecycle":"production","owner":" \
{"apiVersion":"backstage.io/v1alpha1","kind":"Component","metadata":{"name":" ","title":" ","annotations":{" \
/catalog-info.yaml ","backstage.io/managed-by-location":"url:https:// ","backstage.io/managed-by-location":"file:/ \
","backstage.io/managed-by-origin-location":"file:/ .yaml"},"namespace":"default","uid":"01 ","etag":" "},"spec":{"""
_DICTIONARIES = (b"", _FIRST)
NEWEST = 1


def pack(text: bytes) -> bytes:
    """A document, as UTF-8, as it is stored."""
    packer = zlib.compressobj(LEVEL, zlib.DEFLATED, RAW, zlib.DEF_MEM_LEVEL, zlib.Z_DEFAULT_STRATEGY, _FIRST)
    return bytes((NEWEST,)) + packer.compress(text) + packer.flush()


def unpack(packed: bytes) -> str:
    """The text of the document that `pack` was given."""
    dictionary = _DICTIONARIES[packed[0]]
    reader = zlib.decompressobj(RAW, dictionary) if dictionary else zlib.decompressobj(RAW)
    return reader.decompress(packed[1:]).decode()
