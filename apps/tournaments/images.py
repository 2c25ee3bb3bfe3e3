"""
Pictures that people upload as evidence: judged by what they hold, and drawn anew before anyone else sees them.

Only the pixels go on. Where a picture was taken (EXIF, GPS), what a camera or editor noted, colour profiles, and
whatever hides behind or between the parts of a file stay behind.
"""

import hashlib
import io
from dataclasses import dataclass

from PIL import Image, ImageOps, UnidentifiedImageError
from PIL.JpegImagePlugin import JpegImageFile, get_sampling

from apps.errors import BadRequest
from engine.text import gettext as _

MAX_BYTES = 5 * 1024 * 1024
MAX_PIXELS = 40_000_000

# Every scan of a progressive JPEG is a pass over all its pixels: 36 ms at 40 megapixels, for 62 bytes of file. Cameras
# and editors write 10, and once more for each smaller copy inside.
_MAX_SCANS = 64
_SCAN = b"\xff\xda"

# For pictures that were no JPEG. WebP becomes one too: encoding it takes 20 s at 40 megapixels, and fails for some.
_QUALITY = 90
_PNG_MODES = ("1", "L", "LA", "I;16", "P", "RGB", "RGBA")
_JPEG_MODES = ("L", "RGB")


@dataclass(frozen=True, slots=True)
class CheckedImage:
    """A PNG or JPEG that is safe to keep and to show. `width` and `height` are in pixels, as it is seen."""

    data: bytes
    extension: str
    content_type: str
    sha256: str
    width: int
    height: int

    @property
    def name(self) -> str:
        """Return the name under which it is kept: equal pictures share one."""
        return self.sha256 + self.extension


def checked_image(data: bytes) -> CheckedImage:
    """
    Return the picture encoded anew, turned as its camera was held: PNG as PNG, JPEG and WebP as JPEG.

    At most 5 MiB and 40 megapixels, not moving; its format is judged by content and its size before decoding a pixel.
    Cost at 40 megapixels: up to 2 s and 330 MB for JPEG and PNG, 3 s and 630 MB for WebP.

    Raises:
        BadRequest: with field "file", and what to send instead.
    """
    if len(data) > MAX_BYTES:
        raise _refusal(_("The picture is larger than {most} MiB. Send a smaller one.", most=MAX_BYTES // 1024 // 1024))
    try:
        with Image.open(io.BytesIO(data), formats=("JPEG", "PNG", "WEBP")) as image:
            _check(image, data)
            image.load()
            ImageOps.exif_transpose(image, in_place=True)
            return _as_png(image) if image.format == "PNG" else _as_jpeg(image)
    except BadRequest:
        raise
    except UnidentifiedImageError:
        raise _refusal(_("The file is not a JPEG, PNG or WebP picture. Send a screenshot or a photo.")) from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise _too_many_pixels() from None
    except Exception:  # noqa: BLE001 - the bytes are a stranger's, and decoders raise whatever they stumble over
        raise _refusal(_("The picture is damaged or incomplete. Save it again, or send another.")) from None


def _refusal(message: str) -> BadRequest:
    return BadRequest(message, field="file")


def _too_many_pixels() -> BadRequest:
    return _refusal(_("The picture has more than {most} megapixels. Send a smaller one.", most=MAX_PIXELS // 1000000))


def _check(image: Image.Image, data: bytes) -> None:
    """Refuse by what the header says; nothing is decoded yet."""
    if image.width * image.height > MAX_PIXELS:
        raise _too_many_pixels()
    if isinstance(image, JpegImageFile):
        # Several pictures in one JPEG (MPO) are a photograph and what the camera keeps with it: only the first is read.
        if data.count(_SCAN) > _MAX_SCANS:
            raise _refusal(_("The picture is put together from too many parts. Save it again, or send a screenshot."))
    elif getattr(image, "n_frames", 1) > 1:
        raise _refusal(_("The picture moves. Send a still one."))


def _as_png(image: Image.Image) -> CheckedImage:
    # The encoder writes back what stands in `info`. Which colour is transparent belongs to the pixels.
    image.info = {key: value for key, value in image.info.items() if key == "transparency"}
    still = image if image.mode in _PNG_MODES else image.convert("RGBA" if image.has_transparency_data else "RGB")
    return _encoded(still, ".png", "PNG")


def _as_jpeg(image: Image.Image) -> CheckedImage:
    options: dict[str, object] = {"quality": _QUALITY}
    if isinstance(image, JpegImageFile) and image.mode in _JPEG_MODES:
        # Its own tables, so that it loses next to nothing and stays as small as it was.
        options = {"qtables": image.quantization, "subsampling": get_sampling(image)}
    image.info = {}
    if image.has_transparency_data:
        paper = Image.new("RGB", image.size, "white")
        paper.paste(image, mask=image.getchannel("A"))
        image = paper
    still = image if image.mode in _JPEG_MODES else image.convert("RGB")
    return _encoded(still, ".jpg", "JPEG", **options)


def _encoded(image: Image.Image, extension: str, format_: str, **options: object) -> CheckedImage:
    out = io.BytesIO()
    image.save(out, format_, **options)
    data = out.getvalue()
    return CheckedImage(
        data=data,
        extension=extension,
        content_type=Image.MIME[format_],
        sha256=hashlib.sha256(data).hexdigest(),
        width=image.width,
        height=image.height,
    )
