"""
Structured logs: one line an event, coloured in a terminal or JSON, and never a secret in it.

Everything that logs, the standard library's loggers included, passes `hide_secrets` last before it is written.
"""

import logging
import logging.config
import re
from typing import Any

import structlog

# `token=` in a query string, `bearer.` in a subprotocol, `Bearer` in a header, and anything shaped like a JWT; an API
# token, the secret of a webhook, and the end of the address of one of Discord's; what signing in through another site
# puts into addresses; the links to a staff and out of notifications.
_SECRETS = re.compile(
    r"(?P<keep>\btoken=|[?&](?:code|state|key)=|\bbearer[. ]|/webhooks/\d+/|/join/|/notifications/off/)[^\s&\"',;]+"
    r"|\beyJ[\w-]{6,}\.[\w-]+\.[\w-]*|\bdct_[\w-]+|\bwhsec_[\w+/=-]+",
    re.IGNORECASE | re.ASCII,
)


def hide_secrets(text: str) -> str:
    """Return `text` with every token in it replaced by "***"."""
    return _SECRETS.sub(lambda found: (found["keep"] or "") + "***", text)


class _SafeFormatter(structlog.stdlib.ProcessorFormatter):
    def format(self, record: logging.LogRecord) -> str:
        return hide_secrets(super().format(record))


def configure(options: dict[str, Any]) -> None:
    """Set up logging; called by Django with settings.LOGGING."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    last: list[structlog.typing.Processor] = (
        [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
        if options["json"]
        # Plain tracebacks: the rich ones print local variables, tokens and passwords among them.
        else [structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)]
    )
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {
                "line": {
                    "()": _SafeFormatter,
                    "foreign_pre_chain": shared,
                    "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
                }
            },
            "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
            "root": {"level": options["level"], "handlers": ["stderr"]},
            "loggers": {
                # One line a request or socket is the reverse proxy's; here they would drown what matters.
                "uvicorn.access": {"level": "WARNING"},
                "websockets": {"level": "WARNING"},
                "deltacrown.websocket": {"level": "WARNING"},
                # At DEBUG it writes every header it reads, tokens and cookies among them.
                "uvicorn.error": {"level": "INFO" if options["level"] == "DEBUG" else options["level"]},
            },
        }
    )
