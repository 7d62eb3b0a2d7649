"""How a document is stored: compressed against a dictionary of what nearly every document has. Pure.

The first byte says how. Stored documents need their dictionary for ever: a better one gets a new number.
"""

from __future__ import annotations

import threading
import zlib

import zstandard

LEVEL = 1
"""Higher ones take twice the time for a twentieth of the size."""
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
_DEFLATED = {0: b"", 1: _FIRST}
"""How earlier releases packed, and the dictionary that they did it against."""
_ZSTD = 2
_DICTIONARY = zstandard.ZstdCompressionDict(_FIRST, dict_type=zstandard.DICT_TYPE_RAWCONTENT)
_DICTIONARY.precompute_compress(level=LEVEL)


class _Tools(threading.local):
    """No two threads may use one at once, and making one takes longer than packing a document."""

    def __init__(self) -> None:
        self.packer = zstandard.ZstdCompressor(LEVEL, dict_data=_DICTIONARY, write_dict_id=False)
        self.reader = zstandard.ZstdDecompressor(dict_data=_DICTIONARY)


_TOOLS = _Tools()


def pack(text: bytes) -> bytes:
    """A document, as UTF-8, as it is stored."""
    return bytes((_ZSTD,)) + _TOOLS.packer.compress(text)


def unpack(packed: bytes) -> str:
    """The text of the document that `pack` was given, now or in an earlier release."""
    if packed[0] == _ZSTD:
        return _TOOLS.reader.decompress(packed[1:]).decode()
    dictionary = _DEFLATED[packed[0]]
    reader = zlib.decompressobj(RAW, dictionary) if dictionary else zlib.decompressobj(RAW)
    return reader.decompress(packed[1:]).decode()
