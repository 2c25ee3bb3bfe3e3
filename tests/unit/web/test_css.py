"""Style sheets say start and end, not left and right, so that a page can be read from right to left."""

import re
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[3] / "apps/web/static/web/css"
SHEETS = sorted(FOLDER.rglob("*.css"))
# A broadcaster says where on the picture an overlay stands; the frame on the map of a bracket is at canvas coordinates.
PHYSICAL = {"overlay.css": ("data-position",), "bracket-tools.css": (".minimap__frame",)}

SIDE = re.compile(
    r"^(left|right|float|(margin|padding|border|scroll-margin|scroll-padding)-(left|right)(-\w+)?"
    r"|border-(top|bottom)-(left|right)-radius)$"
)
FOUR = re.compile(r"^(margin|padding|inset|border-(width|style|color)|scroll-(margin|padding))$")
PIECE = re.compile(r"([^{};]*)([{};])")


def parts(value):
    """Return the values of a shorthand; what stands in brackets is one."""
    return re.findall(r"(?:[^\s(]|\((?:[^()]|\([^()]*\))*\))+", value)


def is_physical(name, value):
    values = parts(value)
    match name:
        case "text-align":
            return value in ("left", "right")
        case "border-radius":
            top_left, top_right, bottom_right, bottom_left = {
                1: values * 4,
                2: values * 2,
                3: [*values, values[len(values) // 2]],
                4: values,
            }[len(values)]
            return (top_left, bottom_left) != (top_right, bottom_right)
        case "box-shadow":
            return bool(re.match(r"inset -?[1-9.]", value))
        case "translate":
            return values[0] not in ("0", "none")
    return bool(SIDE.match(name)) or (bool(FOUR.match(name)) and len(values) == 4 and values[1] != values[3])


def physical(source):
    """Yield (selector, declaration) of everything that has a left or a right."""
    source = re.sub(r"/\*.*?\*/", "", source, flags=re.DOTALL)
    within = []
    for text, mark in PIECE.findall(source.replace("}", ";}")):
        name, colon, value = (part.strip() for part in text.partition(":"))
        if mark == "{":
            within.append(" ".join(text.split()))
        elif colon and is_physical(name, value.removesuffix("!important").strip()):
            yield within[-1], f"{name}: {value}"
        if mark == "}":
            within.pop()


@pytest.mark.parametrize("path", SHEETS, ids=lambda path: path.name)
def test_a_style_sheet_has_no_left_and_no_right(path):
    excused = PHYSICAL.get(path.name, ())
    wrong = [found for found in physical(path.read_text()) if not any(name in found[0] for name in excused)]
    assert not wrong


def test_a_left_is_found():
    source = """
.a { margin: 1px 2px; left: 0; padding: 0 1px 0 calc(1px + (2px * 3)); }
@layer x { .b { text-align: right; border-radius: 4px 4px 0 0; inset: 0 auto; } .c { border-radius: 4px 0 0 4px; } }
.d { box-shadow: inset 2px 0 0 red; translate: -50% 0; border-radius: 0 4px; }
"""
    assert [(selector, text.split(":")[0]) for selector, text in physical(source)] == [
        (".a", "left"), (".a", "padding"), (".b", "text-align"), (".c", "border-radius"),
        (".d", "box-shadow"), (".d", "translate"), (".d", "border-radius"),
    ]  # fmt: skip


def test_a_class_gets_its_looks_in_one_component():
    # What another file says about it hangs on something else there: a parent, an attribute, a medium.
    owners = {}
    for path in SHEETS:
        if path.name == "overlay.css":  # pages of its own
            continue
        source = re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.DOTALL)
        for name in re.findall(r"^  (\.[\w-]+) \{$", source, flags=re.MULTILINE):
            owners.setdefault(name, set()).add(path.name)
    assert len(owners) > 200
    assert {name: sorted(files) for name, files in owners.items() if len(files) > 1} == {}
