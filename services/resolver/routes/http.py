"""The HTTP side: `POST /v1/commands/{name}`, and `GET /v1/…` for what people ask before.

For the api, which passes on what it is asked, and for ingest's imports. Tenant and workspace are
the API key's.
"""

from fastapi import FastAPI

from services.resolver.routes.answers import ProblemError, put_off, refused
from services.resolver.routes.commands import post_command
from services.resolver.routes.matching import get_policy, post_findings, post_weights, put_policy
from services.resolver.routes.previews import (
    get_fields,
    post_decisions,
    post_outcomes,
    post_standings,
    post_verdicts,
)
from services.resolver.routes.review import (
    get_how,
    get_merge_preview,
    get_pair,
    get_pairs,
    get_why,
    get_why_not,
)
from shared.errors import ServiceError


def create_http() -> FastAPI:
    """Build the HTTP side; `state` gets `store`, `pool` and `keys` when the process starts."""
    http = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    http.add_api_route("/v1/commands/{name}", post_command, methods=["POST"])
    http.add_api_route("/v1/decisions", post_decisions, methods=["POST"])
    http.add_api_route("/v1/fields", get_fields)
    http.add_api_route("/v1/verdicts", post_verdicts, methods=["POST"])
    http.add_api_route("/v1/activities/standings", post_standings, methods=["POST"])
    http.add_api_route("/v1/activities/outcomes", post_outcomes, methods=["POST"])
    http.add_api_route("/v1/merge-candidates", get_pairs)
    http.add_api_route("/v1/merge-candidates/{pair}", get_pair)
    http.add_api_route("/v1/audits", post_findings, methods=["POST"])
    http.add_api_route("/v1/matching", get_policy)
    http.add_api_route("/v1/matching", put_policy, methods=["PUT"])
    http.add_api_route("/v1/matching/weights", post_weights, methods=["POST"])
    http.add_api_route("/v1/contacts/{contact}/why", get_why)
    http.add_api_route("/v1/contacts/{contact}/why-not/{other}", get_why_not)
    http.add_api_route("/v1/contacts/{contact}/how", get_how)
    http.add_api_route("/v1/contacts/{contact}/merge-preview/{other}", get_merge_preview)
    http.add_exception_handler(ProblemError, refused)
    http.add_exception_handler(ServiceError, put_off)
    return http
