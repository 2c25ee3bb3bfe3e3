"""Bytes of an uploaded file to text."""

import codecs

from apps.errors import BadRequest
from engine.text import gettext as _

# The longest file that makes sense: 4,096 players over 190 rounds of TRF, at 10 characters a round.
MAX_BYTES = 8 * 1024 * 1024

_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def decoded(data: bytes) -> str:
    """
    Return the text of a file: UTF-8, UTF-16 with its mark, else as Windows wrote it (cp1252, and Latin-1 under it).

    Raises:
        BadRequest: too long, or not text, as a spreadsheet is.
    """
    if len(data) > MAX_BYTES:
        message = _("The file is too large: at most {most} MiB can be read.", most=MAX_BYTES // 1024 // 1024)
        raise BadRequest(message, field="file")
    text = _text(data)
    if "\0" in text:
        message = _("The file is not text. If a spreadsheet made it, save it there as CSV and send that.")
        raise BadRequest(message, field="file")
    return text


def _text(data: bytes) -> str:
    # Latin-1 comes last because it reads anything.
    for encoding in ("utf-16",) if data.startswith(_UTF_16) else ("utf-8-sig", "cp1252"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    return data.decode("latin-1")
