"""The colours of tournaments, as style sheets: no page needs a style attribute, so the site can forbid them."""

import re

from django.http import Http404, HttpRequest, HttpResponse

_NAMES = re.compile(r"[0-9a-f]{6}(?:-[0-9a-f]{6}){0,99}")


def accent(_request: HttpRequest, colours: str) -> HttpResponse:
    """Return a rule for each colour in `colours` ("2f6fed-d9480f"). The answer never changes."""
    if not _NAMES.fullmatch(colours):
        raise Http404
    rules = (f'[data-accent="#{colour}"]{{--accent-source:#{colour}}}' for colour in colours.split("-"))
    response = HttpResponse("\n".join(rules) + "\n", content_type="text/css")
    response["Cache-Control"] = "public, max-age=31536000, immutable"
    return response
