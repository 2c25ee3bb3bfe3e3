"""Evidence: only still pictures get through, and of them only the pixels."""

import hashlib
import io
import struct
import zipfile
import zlib
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageCms, ImageDraw, ImageStat
from PIL.PngImagePlugin import PngInfo

from apps.errors import BadRequest
from apps.tournaments.images import MAX_BYTES, checked_image

SECRET = b"Somebody's street 7"


def picture(mode="RGB", size=(40, 30)):
    """Red at the left, blue at the right, so that a turned picture shows it."""
    image = Image.new("RGB", size, "red")
    ImageDraw.Draw(image).rectangle((size[0] // 2, 0, *size), fill="blue")
    return image.convert(mode)


def encoded(image, format_, **options):
    out = io.BytesIO()
    image.save(out, format_, **options)
    return out.getvalue()


def opened(checked):
    return Image.open(io.BytesIO(checked.data))


def png_chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_header(width, height):
    return b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))


def zipped():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("index.html", "<script>alert(1)</script>")
    return out.getvalue()


class TestPicturesThatGoOn:
    @pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
    def test_a_png_keeps_every_pixel(self, mode):
        image = picture("I").point(lambda value: value * 200).convert(mode) if mode == "I;16" else picture(mode)
        checked = checked_image(encoded(image, "PNG"))
        again = opened(checked)
        assert (again.format, again.mode, again.tobytes()) == ("PNG", mode, image.tobytes())
        assert (checked.extension, checked.content_type) == (".png", "image/png")
        assert (checked.width, checked.height) == (40, 30)

    @pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
    def test_a_jpeg_stays_one_of_the_same_looks(self, mode):
        data = encoded(picture(mode), "JPEG", quality=50)
        checked = checked_image(data)
        assert (checked.extension, checked.content_type) == (".jpg", "image/jpeg")
        before, after = (Image.open(io.BytesIO(file)).convert("RGB") for file in (data, checked.data))
        assert max(ImageStat.Stat(ImageChops.difference(before, after)).mean) < 8

    def test_a_jpeg_stays_as_small_as_it_was(self):
        data = encoded(Image.effect_noise((200, 200), 60).convert("RGB"), "JPEG", quality=20)
        assert len(checked_image(data).data) < 1.1 * len(data)

    def test_a_webp_becomes_a_jpeg_on_white_paper(self):
        image = picture("RGBA")
        image.putpixel((0, 0), (0, 0, 0, 0))
        ImageDraw.Draw(image).rectangle((0, 0, 15, 15), fill=(0, 0, 0, 0))
        checked = checked_image(encoded(image, "WEBP", lossless=True))
        assert (checked.extension, opened(checked).format) == (".jpg", "JPEG")
        assert min(opened(checked).getpixel((4, 4))) > 245

    def test_the_transparent_colour_of_a_palette_stays_transparent(self):
        image = picture("P")
        image.info["transparency"] = image.getpixel((0, 0))
        checked = checked_image(encoded(image, "PNG"))
        assert opened(checked).convert("RGBA").getpixel((0, 0))[3] == 0

    def test_the_name_is_the_hash_of_the_new_bytes(self):
        checked = checked_image(encoded(picture(), "PNG"))
        assert checked.sha256 == hashlib.sha256(checked.data).hexdigest()
        assert checked.name == f"{checked.sha256}.png"
        assert checked_image(checked.data) == checked

    def test_a_picture_is_turned_as_the_camera_was_held(self):
        exif = Image.Exif()
        exif[0x0112] = 6  # the camera stood on its right side: turn clockwise
        checked = checked_image(encoded(picture(), "JPEG", exif=exif, quality=95))
        assert (checked.width, checked.height) == (30, 40)
        top, bottom = (opened(checked).getpixel((15, y)) for y in (5, 35))
        assert top[0] > 200 > bottom[0]

    def test_of_several_pictures_in_a_photo_only_the_first_goes_on(self):
        """Phones keep depth and brightness maps behind the photo (MPO)."""
        data = encoded(picture(), "MPO", save_all=True, append_images=[Image.new("RGB", (40, 30), "white")])
        checked = checked_image(data)
        assert (opened(checked).format, checked.content_type) == ("JPEG", "image/jpeg")
        assert len(checked.data) < len(data)


class TestNothingButThePixels:
    def test_where_a_photo_was_taken_is_gone(self):
        exif = Image.Exif()
        exif[0x010E] = SECRET.decode()
        exif.get_ifd(0x8825)[2] = (52.0, 31.0, 12.0)
        for data in (
            encoded(picture(), "JPEG", exif=exif, comment=SECRET, xmp=SECRET),
            encoded(picture(), "PNG", exif=exif),
            encoded(picture(), "WEBP", exif=exif, xmp=SECRET),
        ):
            assert SECRET in data
            checked = checked_image(data)
            assert SECRET not in checked.data
            assert not opened(checked).getexif()

    def test_colour_profiles_and_notes_are_gone(self):
        profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
        notes = PngInfo()
        notes.add_text("Author", SECRET.decode())
        for data in (
            encoded(picture(), "PNG", icc_profile=profile, pnginfo=notes, dpi=(300, 300)),
            encoded(picture(), "JPEG", icc_profile=profile),
            encoded(picture(), "WEBP", icc_profile=profile),
        ):
            assert "icc_profile" in Image.open(io.BytesIO(data)).info
            checked = checked_image(data)
            assert SECRET not in checked.data
            assert not {"icc_profile", "Author"} & opened(checked).info.keys()

    @pytest.mark.parametrize("format_", ["PNG", "JPEG", "WEBP"])
    def test_what_is_appended_is_gone(self, format_):
        data = encoded(picture(), format_) + zipped()
        assert zipfile.is_zipfile(io.BytesIO(data))
        checked = checked_image(data)
        assert not zipfile.is_zipfile(io.BytesIO(checked.data))
        assert b"index.html" not in checked.data

    def test_a_chunk_that_no_decoder_knows_is_gone(self):
        data = encoded(picture(), "PNG")
        first = 8 + 25  # the signature and the header
        checked = checked_image(data[:first] + png_chunk(b"prVt", SECRET) + data[first:])
        assert SECRET not in checked.data


class TestRefusals:
    @pytest.mark.parametrize(
        ("data", "says"),
        [
            (b"", "not a JPEG, PNG or WebP"),
            (b"<!doctype html><script>alert(1)</script>", "not a JPEG, PNG or WebP"),
            (b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>', "not a JPEG, PNG or WebP"),
            (b"\x89PNG\r\n\x1a\n<html><script>alert(1)</script></html>", "not a JPEG, PNG or WebP|damaged"),
            (encoded(picture("P"), "GIF"), "not a JPEG, PNG or WebP"),
            (encoded(picture(), "BMP"), "not a JPEG, PNG or WebP"),
            (encoded(picture(), "TIFF"), "not a JPEG, PNG or WebP"),
            (encoded(picture(), "PDF"), "not a JPEG, PNG or WebP"),
            (zipped(), "not a JPEG, PNG or WebP"),
            (encoded(picture(), "PNG") + b"\0" * MAX_BYTES, "larger than 5 MiB"),
        ],
        ids=["empty", "html", "svg", "html-in-png", "gif", "bmp", "tiff", "pdf", "zip", "large"],
    )
    def test_what_is_no_picture_is_refused_whatever_it_is_called(self, data, says):
        refused(data, says)

    @pytest.mark.parametrize("format_", ["PNG", "WEBP"])
    def test_moving_pictures_are_refused(self, format_):
        frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
        refused(encoded(frames[0], format_, save_all=True, append_images=frames[1:]), "The picture moves")

    @pytest.mark.parametrize("format_", ["PNG", "JPEG", "WEBP"])
    def test_pictures_that_end_early_are_refused(self, format_):
        data = encoded(Image.effect_noise((200, 200), 60).convert("RGB"), format_)
        for part in (0.3, 0.6, 0.9):
            refused(data[: int(len(data) * part)], "damaged|not a JPEG, PNG or WebP")

    @pytest.mark.parametrize("side", [6325, 12_000, 65_500, 2**31 - 1])
    def test_a_header_that_promises_too_many_pixels_is_refused_without_decoding(self, side, monkeypatch):
        monkeypatch.setattr("PIL.ImageFile.ImageFile.load", lambda self: pytest.fail("it was decoded"))
        body = png_chunk(b"IDAT", zlib.compress(b"")) + png_chunk(b"IEND", b"")
        refused(png_header(side, side) + body, "more than 40 megapixels")

    def test_a_text_that_unpacks_to_much_more_is_refused(self):
        data = encoded(picture(), "PNG")
        bomb = png_chunk(b"zTXt", b"Comment\0\0" + zlib.compress(b"x" * 20_000_000))
        refused(data[:33] + bomb + data[33:], "damaged")

    def test_a_jpeg_of_endless_scans_is_refused(self):
        """Each is a pass over all pixels for a few bytes of file."""
        end, scan = b"\xff\xd9", b"\xff\xda"
        parts = encoded(picture("L"), "JPEG", progressive=True).removesuffix(end).split(scan)
        refused(scan.join([*parts, *[parts[-1]] * 60]) + end, "too many parts")


SAMPLES = [
    encoded(picture("P"), "PNG"),
    encoded(picture(), "JPEG", progressive=True),
    encoded(picture("RGBA"), "WEBP"),
    encoded(picture(), "MPO", save_all=True, append_images=[picture()]),
]


@settings(max_examples=300)
@given(st.sampled_from(SAMPLES), st.data())
def test_damaged_pictures_are_drawn_anew_or_refused(sample, data):
    damaged = bytearray(sample)
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(damaged) - 1))
        damaged[start : start + data.draw(st.integers(0, 4))] = data.draw(st.binary(max_size=4))
    with suppress(BadRequest):
        assert checked_image(bytes(damaged)).data.startswith((b"\x89PNG", b"\xff\xd8\xff"))


def refused(data, says):
    with pytest.raises(BadRequest, match=says) as error:
        checked_image(data)
    assert error.value.data == {"field": "file"}
