"""
What the OpenAPI document says about refusals: an operation's problems follow from its shape.

ninja would file them under the media type of answers, and cannot say that signing in is optional.
"""

from typing import Any

from apps.api.auth import Nobody
from apps.api.errors import MEDIA_TYPE
from apps.api.schemas import Problem
from apps.api.schemas.exchange import document_schemas

Schema = dict[str, Any]

DESCRIPTION = """
Everything that a page of DeltaCrown can do.

**Sign in** at `POST /_allauth/app/v1/auth/login` and send `Authorization: Bearer <meta.access_token>`.
Reading what is public needs no sign-in. A program of yours sends an API token (`dct_…`) in the same way: make one on
your page, with the scopes that it needs.

**A refusal** is a problem (RFC 9457); branch on its `code`, which is the same in the WebSocket protocol.

**A command** answers with the resource as it stands now and with `seq`, the position in the tournament's log at which
the command took effect. Give it an `Idempotency-Key`, and it can be sent again until an answer arrives.

**Live**: get a token for a room, open the WebSocket (docs/protocol.md), and see each change as it is committed.
"""

_REASONS = {
    400: "The body is not JSON, or its values make no sense together.",
    401: "Not signed in, or the access token does not hold.",
    403: "Not allowed, or the CSRF token is missing.",
    404: "No such thing, or a private one.",
    409: "Not possible as things stand; `data` says how they do.",
    413: "The body is too large.",
    415: "The body is not of the type that this address takes.",
    422: "A parameter or field is missing, unknown, or out of range; `data.fields` says which.",
    429: "Too many requests with one API token; `Retry-After` says when to come back.",
    500: "A bug. It has been logged.",
}
# What the shape of an operation does not tell: reading that not everybody may, what there can be too many of.
_FOR_SOME = ("listMembers", "listIntegrations", "getIntegration", "listAttempts", "getProfile", "listTokens")
_COUNTED = ("addIntegration", "replayIntegration", "createToken")
_CHANGING = ("post", "put", "patch", "delete")
_READING = {  # what cannot be told by the shape
    "listMembers": {403},
    "getInviteCode": {403},
    "listReports": {403},
    "listBans": {403},
    "listOverlays": {403},
    "listStaffLinks": {403},
    "getDispute": {403},
    "getSnapshot": {400},
    "exportReport": {400},
    "previewReopening": {400, 403, 409},
}


def complete(document: Schema) -> None:
    """Add to every operation the problems that it can answer with, and say where signing in is optional."""
    components = document["components"]
    components["securitySchemes"].pop(Nobody.__name__, None)
    components["schemas"]["Problem"] = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    components["schemas"].update(components["schemas"]["Problem"].pop("$defs"))
    components["schemas"].update(document_schemas())
    components["responses"] = {
        f"Problem{status}": {
            "description": reason,
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for status, reason in _REASONS.items()
    }
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            for status in _problems(path, method, operation):
                operation["responses"][status] = {"$ref": f"#/components/responses/Problem{status}"}
            # OpenAPI writes "without" as an empty requirement.
            operation["security"] = [{} if Nobody.__name__ in way else way for way in operation["security"]]


def _problems(path: str, method: str, operation: Schema) -> list[int]:
    changes = method in _CHANGING
    possible = {
        400: changes,
        401: True,
        403: changes or operation["operationId"] in _FOR_SOME,
        404: "{" in path or operation["operationId"] in ("issueRoomToken", "createToken", "joinStaff"),
        409: any(parameter["name"] == "Idempotency-Key" for parameter in operation["parameters"])
        or (changes and "teams" in operation["tags"])
        or operation["operationId"] in _COUNTED,
        413: "requestBody" in operation,
        415: changes,
        422: bool(operation["parameters"]) or "requestBody" in operation,
        429: True,
        500: True,
    }
    also = _READING.get(operation["operationId"], set())
    return [status for status, can_be in possible.items() if can_be or status in also]
