"""Pages that stand in a frame: what they may load, and whose page the frame may be on. All others cannot be framed."""

from html import escape

from django.http import HttpRequest, HttpResponse

HEIGHTS = {"bracket": 520, "standings": 520, "matches": 520, "match": 200}  # of what is embedded, in pixels


def framed(request: HttpRequest, response: HttpResponse, *, by: str, own_styles: bool = False) -> HttpResponse:
    """
    Let a page be framed.

    Args:
        by: the sites that may, as CSP's frame-ancestors names them: "'self'", "*".
        own_styles: style elements count, too.
    """
    host = request.get_host()
    policy = {
        "default-src": "'self'",
        "img-src": "'self' data:",
        "style-src": "'self' 'unsafe-inline'" if own_styles else "'self'",
        # Not every browser takes 'self' for a WebSocket's.
        "connect-src": f"'self' ws://{host} wss://{host}",
        "object-src": "'none'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": by,
    }
    response["Content-Security-Policy"] = "; ".join(f"{name} {value}" for name, value in policy.items())
    # X-Frame-Options has no word for many sites, and browsers that know frame-ancestors pay no heed to it.
    response.xframe_options_exempt = True  # read by Django's middleware
    return response


def frame(source: str, title: str, *, width: int | str, height: int) -> str:
    """Return the HTML that shows an address of ours on another page."""
    return (
        f'<iframe src="{escape(source)}" title="{escape(title)}" width="{width}" height="{height}" '
        'frameborder="0" loading="lazy" allowfullscreen></iframe>'
    )
