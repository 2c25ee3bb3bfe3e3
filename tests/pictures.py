"""Small pictures to be sent as evidence."""

import io

from PIL import Image


def picture(format_: str = "PNG", colour: str = "red", size: tuple[int, int] = (8, 8), mode: str = "RGB") -> bytes:
    out = io.BytesIO()
    Image.new(mode, size, colour).save(out, format_)
    return out.getvalue()


def png(colour: str = "red") -> bytes:
    return picture("PNG", colour)
