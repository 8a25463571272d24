"""Actions and their payloads: what each rule finds, and where."""

from __future__ import annotations

from typing import Any

import pytest

from tests.flow_json.rules_support import BY_ID, build, check, complete

NEXT = "INVALID_NAVIGATE_ACTION_NEXT_SCREEN_NAME"
KEYS = "INVALID_NAVIGATE_ACTION_PAYLOAD"
STATIC = "INVALID_NAVIGATE_ACTION_STATIC_DATA"
UPDATE = "INVALID_UPDATE_DATA_ACTION_PAYLOAD"
REFERENCE = "INVALID_ON_CLICK_ACTION_PAYLOAD"
EXPRESSION = "INVALID_ACTION_PAYLOAD_PROPERTY"
Found = list[tuple[str, str]]


def on_click(kind: str, name: str, **more: Any) -> dict[str, Any]:
    return {"type": kind, "on-click-action": {"name": name, **more}}


def on_select(kind: str, name: str, key: str = "on-select-action") -> dict[str, Any]:
    return {"type": kind, key: {"name": name, "payload": {}}}


def items_with(key: str, kind: str = "Dropdown", **action: Any) -> dict[str, Any]:
    return {"type": kind, "name": "d", "data-source": [{"id": "1"}, {"id": "2", key: action}, 5]}


@pytest.mark.parametrize(
    ("rule_id", "version", "children", "expected"),
    [
        ("FJ302", "7.3", [on_click("Footer", "navigate", next={"type": "plugin", "name": "Q"})], []),
        ("FJ302", "7.3", [on_click("Footer", "navigate", next={"type": "screen", "name": "${data.next}"})], []),
        ("FJ302", "7.3", [on_click("Footer", "navigate", next={"type": "screen", "name": 5})], []),
        ("FJ302", "7.3", [on_click("Footer", "navigate", next={"type": "screen", "name": "Q"})],
         [(NEXT, "0/0.on-click-action.next.name")]),
        ("FJ302", "6.2", [{"type": "NavigationList", "list-items": [
            {"on-click-action": {"name": "navigate", "next": {"type": "screen", "name": "Q"}}}]}],
         [(NEXT, "0/0.list-items.0.on-click-action.next.name")]),
        ("FJ303", "7.3", [on_click("Footer", "navigate", next={"type": "screen", "name": "A"})],
         [(NEXT, "0/0.on-click-action.next.name")]),
        ("FJ304", "2.1", [on_click("Footer", "complete")], [("INVALID_COMPLETE_ACTION", "0/0.on-click-action.name")]),
        ("FJ305", "6.0", [{**items_with("on-select-action"), "on-unselect-action": {}}], []),
        ("FJ305", "6.0", [{**items_with("on-unselect-action", "CheckboxGroup"), "on-unselect-action": {}}],
         [(UPDATE, "0/0.data-source.1.on-unselect-action")]),
    ],
)  # fmt: skip
def test_actions(rule_id: str, version: str, children: list[dict[str, Any]], expected: Found) -> None:
    """Which actions a component takes in a version, and where they lead."""
    assert check(rule_id, {"children": children}, version) == expected


S, N, W, B = {"type": "string"}, {"type": "number"}, {"type": "integer"}, {"type": "boolean"}
OBJECT = {"type": "object", "properties": {"p": S}}
OTHER = {"type": "object", "properties": {"q": S}}
TEXTS = {"type": "array", "items": S}
PAYLOAD = "0/0.on-click-action.payload"


def passing(payload: Any, theirs: Any, ours: Any = None, *children: dict[str, Any]) -> dict[str, Any]:
    """A screen that navigates with a payload to one with a data model."""
    action: dict[str, Any] = {"name": "navigate", "next": {"type": "screen", "name": "B"}}
    if payload is not None:
        action["payload"] = payload
    first: dict[str, Any] = {"children": [{"type": "Footer", "on-click-action": action}, *children]}
    if ours is not None:
        first["data"] = ours
    return {"screens": [first, {} if theirs is None else {"data": theirs}]}


def typed(kind: str, **more: Any) -> dict[str, Any]:
    return {"type": kind, "name": "x", **more}


@pytest.mark.parametrize(
    ("rule_id", "version", "fragment", "expected"),
    [
        ("FJ310", "7.3", passing(None, None), []),
        ("FJ310", "7.3", passing({}, None), []),
        ("FJ310", "7.3", passing({"a": 1}, {"a": N}), []),
        ("FJ310", "7.3", passing(None, {"a": N}), [("MISSING_NAVIGATION_ACTION_PAYLOAD", "0/0.on-click-action")]),
        ("FJ310", "7.3", passing({"a": 1}, None), [(KEYS, PAYLOAD)]),
        ("FJ310", "5.1", passing({"a": 1, "b": 1}, {"c": N}),
         [(KEYS, "~" + PAYLOAD + ".a"), (KEYS, "~" + PAYLOAD + ".b"), (KEYS, PAYLOAD)]),
        ("FJ310", "6.0", passing({}, {"c": N}), [(KEYS + "?", PAYLOAD)]),
        ("FJ310", "7.3", passing({"a": "x"}, {"a": S, "required": ["a"]}), []),
        ("FJ312", "7.3", passing({"a": "${data.o}", "b": "${data.o}"}, {"a": S, "b": S}, {"o": S, "required": ["o"]}),
         []),
        ("FJ311", "7.3", passing({"a": 1, "b": 2, "c": "x"}, {"a": N, "b": W, "c": S}), []),
        ("FJ311", "7.3", passing({"a": 1}, None), []),
        ("FJ311", "7.3", passing({"q": 1, "r": "${data.r}"}, {}),
         [(STATIC, PAYLOAD + ".q"), (STATIC, "screens.1.data")]),
        ("FJ311", "5.1", passing({"a": 1.5}, {"a": W}), [(STATIC, PAYLOAD + ".a")]),
        ("FJ311", "7.1", passing({"a": "1"}, {"a": N}), [(STATIC + "?", PAYLOAD + ".a")]),
        ("FJ311", "7.3", passing({"a": None}, {"a": S}), [(STATIC, PAYLOAD + ".a")]),
        ("FJ311", "7.3", passing({"a": None}, {"a": {"type": "any"}}), []),
        ("FJ311", "7.3", passing({"a": {"p": "x", "more": 1}}, {"a": OBJECT}), []),
        ("FJ311", "7.3", passing({"a": {"p": "${data.x}"}}, {"a": OBJECT}), []),
        ("FJ311", "7.3", passing({"a": {}}, {"a": OBJECT}), [(STATIC, PAYLOAD + ".a")]),
        ("FJ311", "7.3", passing({"a": {"p": 5}}, {"a": OBJECT}), [(STATIC, PAYLOAD + ".a")]),
        ("FJ311", "7.3", passing({"a": ["x"]}, {"a": TEXTS}), []),
        ("FJ311", "7.3", passing({"a": ["x", 5]}, {"a": TEXTS}), [(STATIC, PAYLOAD + ".a")]),
        ("FJ311", "7.3", passing({"a": [{"p": 5}]}, {"a": {"type": "array", "items": OBJECT}}),
         [(STATIC, PAYLOAD + ".a")]),
        ("FJ311", "7.3", passing({"a": "`1 + 2`"}, {"a": N}), []),
        ("FJ311", "7.3", passing({"a": "`1 + 2`"}, {"a": S}), [(STATIC, PAYLOAD + ".a")]),
        ("FJ311", "7.3", passing({"a": "`1 +`"}, {"a": S}), []),
        ("FJ311", "5.1", passing({"a": "`1 + 2`"}, {"a": S}), []),
        ("FJ312", "7.3", passing({"a": "${data.a}"}, {"a": S}, {"a": S}), []),
        ("FJ312", "7.3", passing({"a": "${data.a}"}, {"a": N}, {"a": W}), [(KEYS, PAYLOAD + ".a")]),
        ("FJ312", "7.3", passing({"a": "${data.a}", "b": "${data.b}"}, {"a": S}, {}), []),
        ("FJ312", "7.1", passing({"a": "${data.a}"}, {"a": S}, {"a": B}), [(KEYS + "?", PAYLOAD + ".a")]),
        ("FJ312", "7.3", passing({"a": "${data.a}"}, {"a": {"type": 5}}, {"a": B}), []),
        ("FJ312", "7.3", passing({"a": "${data.o.p}"}, {"a": S}, {"o": OBJECT}), []),
        ("FJ312", "7.3", passing({"a": "${data.a}"}, {"a": OBJECT}, {"a": OBJECT}), []),
        ("FJ312", "7.3", passing({"a": "${data.a}"}, {"a": OBJECT}, {"a": OTHER}),
         [(KEYS, "screens.0.data.a"), (KEYS, "screens.1.data.a")]),
        ("FJ312", "7.3", passing({"a": "${data.a}"}, {"a": OBJECT}, {"a": {"type": "object"}}),
         [(KEYS, "screens.0.data.a")]),
        ("FJ312", "7.3", passing({"a": "${data.a}"}, {"a": {"type": "object", "properties": []}}, {"a": OBJECT}), []),
        ("FJ312", "7.3", passing({"a": "${data.a}"}, {"a": {"type": "object", "properties": {"p": N}}}, {"a": OBJECT}),
         [(KEYS, PAYLOAD + ".a")]),
        ("FJ312", "7.3", passing({"a": "${data.a}"}, {"a": TEXTS}, {"a": {"type": "array"}}),
         [(KEYS, "screens.0.data.a")]),
        ("FJ312", "7.3", passing({"a": "${form.x}"}, {"a": S}, None, typed("TextInput")), []),
        ("FJ312", "7.3", passing({"a": "${form.x}"}, {"a": S}, None, typed("TextInput", **{"input-type": "number"})),
         [(KEYS, PAYLOAD + ".a")]),
        ("FJ312", "7.3", passing({"a": "${form.x}"}, {"a": TEXTS}, None, typed("CheckboxGroup")), []),
        ("FJ312", "7.3", passing({"a": "${form.x}"}, {"a": {"type": "array", "items": N}}, None,
         typed("ChipsSelector")),
         [(KEYS, PAYLOAD + ".a")]),
        ("FJ312", "7.3", passing({"a": "${form.x}"}, {"a": {"type": "array"}}, None, typed("ChipsSelector")),
         [(KEYS, "screens.1.data.a")]),
        ("FJ312", "7.3", passing({"a": "${form.x}"}, {"a": B}, None, typed("OptIn")), []),
        ("FJ312", "7.3", passing({"a": "${form.x}"}, {"a": S}, None, typed("CalendarPicker", mode="range")),
         [(KEYS, PAYLOAD + ".a")]),
        ("FJ312", "7.3", passing({"a": "${form.x}"}, {"a": S}, None, typed("CalendarPicker", mode="${data.m}")), []),
        ("FJ312", "7.3", passing({"a": "${form.x.start-date}"}, {"a": N}, None, typed("CalendarPicker", mode="range")),
         []),
        ("FJ312", "7.3", passing({"a": "${screen.B.data.a}"}, {"a": N}), []),
        ("FJ317", "7.3", passing({"a": "${data.a}"}, {}), [(REFERENCE, PAYLOAD + ".a")]),
        ("FJ317", "7.3", passing({"a": "${form.a}"}, {}), [(REFERENCE, PAYLOAD + ".a")]),
        ("FJ317", "7.3", passing({"a": "${form.f}"}, {}, None, {"type": "Form", "name": "f"}),
         [(REFERENCE, PAYLOAD + ".a")]),
        ("FJ317", "7.3", passing({"a": "${screen.Q.form.a}"}, {}), [(REFERENCE, PAYLOAD + ".a")]),
        ("FJ317", "7.3", passing({"a": "${screen.B.data.a}", "b": ["${data.q}"]}, {"a": S}), []),
        ("FJ317", "7.1", passing({"a": "${data.a}"}, {}), [(REFERENCE + "?", PAYLOAD + ".a")]),
        ("FJ317", "7.3", passing({"a": "${data.l.x}"}, {}, {"l": TEXTS}), [(REFERENCE, PAYLOAD + ".a")]),
        ("FJ318", "6.0", passing({"a": "`${data.q}`"}, {}), [(EXPRESSION, PAYLOAD + ".a")]),
        ("FJ318", "7.1", passing({"a": "`1 + 'x'`"}, {}), [(EXPRESSION + "?", PAYLOAD + ".a")]),
        ("FJ318", "7.3", passing({"a": "`1`", "b": 5, "c": "x"}, {}), []),
    ],
)  # fmt: skip
def test_payloads_of_navigate(rule_id: str, version: str, fragment: dict[str, Any], expected: Found) -> None:
    """A payload has the names and the types of the next screen's data."""
    assert check(rule_id, fragment, version) == expected


def test_long_lists_are_truncated() -> None:
    """A message names ten missing fields, and that there are more."""
    document = build(complete(passing({}, {f"f{i}": S for i in range(12)})))
    assert [finding.message for finding in BY_ID["FJ310"].check(document)] == [
        "The payload lacks fields of screen 'B': f0, f1, f2, f3, f4, f5, f6, f7, f8, f9 and more."
    ]


def test_equal_references_in_many_payloads_are_compared_once() -> None:
    """The same reference to the same field is reported at each place."""
    fragment = passing({"a": "${data.o}"}, {"a": S}, {"o": N})
    fragment["screens"][0]["children"] *= 2
    assert check("FJ312", fragment) == [
        (KEYS, "0/0.on-click-action.payload.a"),
        (KEYS, "0/1.on-click-action.payload.a"),
    ]


AT = "0/0.on-select-action.payload"


@pytest.mark.parametrize(
    ("rule_id", "version", "payload", "data", "expected"),
    [
        ("FJ313", "6.0", {"a": 1}, None, [(UPDATE, AT)]),
        ("FJ313", "6.0", {"b": 1, "a": 1}, {"a": N}, [(UPDATE, "~" + AT + ".b")]),
        ("FJ313", "6.0", {}, None, []),
        ("FJ313", "7.1", {"b": 1}, {"a": N}, [(UPDATE + "?", "~" + AT + ".b")]),
        ("FJ314", "6.0", {"a": 1, "q": 1}, {"a": N, "z": S}, []),
        ("FJ314", "6.0", {"a": [1]}, {"a": TEXTS}, [(UPDATE, AT + ".a")]),
        ("FJ314", "6.0", {"a": "`1 > 2`"}, {"a": N}, [(UPDATE, AT + ".a")]),
        ("FJ314", "6.0", {"a": "`5 % 2`"}, {"a": S}, []),
        ("FJ315", "6.0", {"a": "${data.b}"}, {"a": N, "b": W}, [(UPDATE, AT + ".a")]),
        ("FJ315", "6.0", {"a": "${form.opt}"}, {"a": B}, []),
        ("FJ316", "6.0", {"a": "${data.a}", "b": "${data.a}", "c": 5}, {}, [(UPDATE, AT + ".a")]),
        ("FJ317", "6.0", {"a": "${data.q}"}, {}, [(REFERENCE, AT + ".a")]),
        ("FJ318", "6.0", {"a": "`true +`"}, {}, [(EXPRESSION, AT + ".a")]),
    ],
)  # fmt: skip
def test_payloads_of_update_data(rule_id: str, version: str, payload: Any, data: Any, expected: Found) -> None:
    """A payload has the names and the types of the screen's own data."""
    fragment: dict[str, Any] = {"update": payload}
    if data is not None:
        fragment["data"] = data
    assert check(rule_id, {"screens": [fragment]}, version) == expected


def test_items_of_chips_are_advice() -> None:
    """Meta's client does not check the items of a ChipsSelector: faults there are warnings."""
    action = {"name": "update_data", "payload": {"a": 5, "q": "${data.x}", "r": "`1 +`"}}
    fragment = {"data": {"a": S, "q": S}, "children": [items_with("on-select-action", "ChipsSelector", **action)]}
    at = "0/0.data-source.1.on-select-action.payload"
    assert check("FJ313", fragment) == [(UPDATE + "?", f"~{at}.r")]
    assert check("FJ314", fragment) == [(UPDATE + "?", f"{at}.a")]
    assert check("FJ317", fragment) == [(REFERENCE + "?", f"{at}.q")]
    assert check("FJ318", fragment) == [(EXPRESSION + "?", f"{at}.r")]


PHOTO = {"type": "PhotoPicker", "name": "p"}
FILES = {"type": "DocumentPicker", "name": "q"}


def ending(name: str, payload: Any, *pickers: dict[str, Any]) -> dict[str, Any]:
    return {"children": [{"type": "Footer", "on-click-action": {"name": name, "payload": payload}}, *pickers]}


@pytest.mark.parametrize(
    ("rule_id", "version", "fragment", "expected"),
    [
        ("FJ319", "7.2", ending("complete", {"a": {"b": ["`1 +`"]}, "c": "`1`", "d": 5}),
         [(EXPRESSION, PAYLOAD + ".a.b.0")]),
        ("FJ319", "7.2", ending("data_exchange", {"a": "`${form.q}`", "b": "${form.q}", "c": "`a"}),
         [(EXPRESSION, PAYLOAD + ".a")]),
        ("FJ319", "7.2", ending("complete", {"a": "x"}), []),
        ("FJ319", "7.1", ending("complete", {"a": "`1 +`"}), []),
        ("FJ330", "4.0", ending("navigate", {"a": "${form.p}"}, PHOTO), [(REFERENCE, PAYLOAD + ".a")]),
        ("FJ330", "7.3", ending("complete", {"a": "${form.p}", "b": 5}, PHOTO), []),
        ("FJ330", "7.3", ending("complete", {"a": ["${form.p}", "${data.x}", "x"]}, PHOTO),
         [(REFERENCE, PAYLOAD + ".a.0")]),
        ("FJ330", "7.1", ending("data_exchange", {"a": {"b": "${form.p}"}}, PHOTO),
         [(REFERENCE + "?", PAYLOAD + ".a.b")]),
        ("FJ330", "7.3", ending("navigate", {"a": "${form.p}"}, {"type": "OptIn", "name": "p"}), []),
        ("FJ331", "7.3", ending("complete", {"a": "${form.p}"}, {**PHOTO, "max-uploaded-photos": 4}), []),
        ("FJ331", "7.3", ending("complete", {"a": "${form.p}"}, {**PHOTO, "max-uploaded-photos": 5}),
         [(REFERENCE, PAYLOAD)]),
        ("FJ331", "7.3", ending("complete", {"a": "${form.p}"},
         {**PHOTO, "max-uploaded-photos": 10, "max-file-size-kb": 10}), []),
        ("FJ331", "7.3", ending("complete", {"a": "${form.p}"}, PHOTO), [(REFERENCE, PAYLOAD), (REFERENCE, PAYLOAD)]),
        ("FJ331", "7.3", ending("complete", {"a": "${form.p}", "b": "${form.q}"},
                                {**PHOTO, "max-uploaded-photos": 6, "max-file-size-kb": 1},
                                {**FILES, "max-uploaded-documents": 5, "max-file-size-kb": 1}), [(REFERENCE, PAYLOAD)]),
        ("FJ331", "4.0", ending("complete", {"a": "${form.p}"}, {**PHOTO, "max-uploaded-photos": 1}), []),
        ("FJ331", "4.0", ending("complete", {"a": "${form.p}"}, {**PHOTO, "max-uploaded-photos": 2}),
         [(REFERENCE, PAYLOAD)]),
        ("FJ331", "7.3", ending("complete", {"a": "${form.p}"},
         {**PHOTO, "max-uploaded-photos": "x", "max-file-size-kb": 1}),
         [(REFERENCE, PAYLOAD)]),
        ("FJ331", "7.3", ending("complete", None, PHOTO), []),
    ],
)  # fmt: skip
def test_payloads_at_the_end(rule_id: str, version: str, fragment: dict[str, Any], expected: Found) -> None:
    """complete and data_exchange send any valid value; uploaded media are at the top level."""
    assert check(rule_id, fragment, version) == expected


def images(*sources: Any) -> dict[str, Any]:
    return {"type": "ImageCarousel", "images": [{"src": source} for source in sources]}


@pytest.mark.parametrize(
    ("rule_id", "children", "expected"),
    [
        ("FJ740", [{"type": "ImageCarousel", "images": "${data.l}"}, images("x", "x", "x")], []),
        ("FJ740", [images(*"xxxx")], [("INVALID_PROPERTY_VALUE", "0/0.images")]),
        ("FJ741", [images()] * 3, []),
        ("FJ741", [images()] * 4, [("INVALID_PROPERTY_VALUE", f"0/{i}") for i in range(4)]),
        ("FJ742", [images("iVBORw0KGgo=", "${data.x}", 5)], []),
        ("FJ742", [images("iVB", "iVBORw0KGgo", "iVBORw0KG g\no=\t", "iV\r\nBO\f", "iVB=", "iV==", "")], []),
        ("FJ742", [images("data:image/png;base64,iVBORw0KGgo=")], [("INVALID_PROPERTY_VALUE", "0/0.images.0.src")]),
        *(("FJ742", [images(wrong)], [("INVALID_PROPERTY_VALUE", "0/0.images.0.src")])
          for wrong in ("i", "iVBOi", "iVBO=", "iVB==", "iV=", "iV=B", "=iVB", "iV-_", "iVB\u00a0", "iVB\x0b", "iVBÖ")),
        ("FJ742", [images("iVBO", "a b c d e", "iVBORw0KGg%=")],
         [("INVALID_PROPERTY_VALUE", "0/0.images.1.src"), ("INVALID_PROPERTY_VALUE", "0/0.images.2.src")]),
    ],
)  # fmt: skip
def test_carousels(rule_id: str, children: list[dict[str, Any]], expected: Found) -> None:
    """A carousel has three images that are base64, and a flow three carousels."""
    assert check(rule_id, {"children": children}) == expected
