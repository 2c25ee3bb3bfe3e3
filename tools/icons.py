"""
Draw the pictures of the site that cannot be SVG: what phones put on a home screen and beside a notification.

    .venv/bin/python -m tools.icons

The shape is that of static/web/img/icon.svg, in whose 32 units it is given here.
"""

from pathlib import Path

from PIL import Image, ImageDraw

FOLDER = Path(__file__).resolve().parent.parent / "apps" / "web" / "static" / "web" / "img"
BLUE, WHITE, NOTHING = (0x1D, 0x4E, 0xD8, 255), (255, 255, 255, 255), (0, 0, 0, 0)
UNITS = 32
FINER = 8  # drawn so much larger, then reduced: smooth edges

CROWN = [
    (6.5, 23.5), (8.4, 11.5), (8.9, 11), (9.6, 11.1), (13.1, 14.5), (15.3, 7.6), (16, 7.1), (16.7, 7.6),
    (18.9, 14.5), (22.4, 11.1), (23.1, 11), (23.6, 11.5), (25.5, 23.5), (25.3, 24.1), (24.7, 24.4), (7.3, 24.4),
    (6.7, 24.1),
]  # fmt: skip


def drawn(pixels: int, *, corner: float, crown: float, background: tuple[int, ...] = BLUE) -> Image.Image:
    """
    Return a square icon.

    Args:
        corner: radius of the corners, in units of 32.
        crown: how large the crown is; 1 is as in icon.svg.
    """
    size = pixels * FINER
    unit = size / UNITS
    image = Image.new("RGBA", (size, size), NOTHING)
    pen = ImageDraw.Draw(image)
    pen.rounded_rectangle((0, 0, size - 1, size - 1), radius=corner * unit, fill=background)
    middle = UNITS / 2
    pen.polygon(
        [((middle + (x - middle) * crown) * unit, (middle + (y - middle) * crown) * unit) for x, y in CROWN], WHITE
    )
    return image.resize((pixels, pixels), Image.Resampling.LANCZOS)


def icons() -> dict[str, Image.Image]:
    """Return the pictures by the names of their files."""
    return {
        "icon-192.png": drawn(192, corner=7, crown=1.0),
        "icon-512.png": drawn(512, corner=7, crown=1.0),
        # A phone cuts it into its own shape: all that counts lies in the middle 80 % (W3C manifest, "maskable").
        "icon-maskable-512.png": drawn(512, corner=0, crown=0.85),
        "apple-touch-icon.png": drawn(180, corner=0, crown=0.95),
        # Android takes its shape alone, and colours it itself.
        "badge-96.png": drawn(96, corner=0, crown=1.4, background=NOTHING),
    }


def main() -> None:
    for name, icon in icons().items():
        icon.save(FOLDER / name, optimize=True)


if __name__ == "__main__":
    main()
