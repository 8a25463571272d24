"""What the user sees of each component: the rows of its behaviour, one by one."""

from __future__ import annotations

import base64
from typing import Any, Final

import pytest

from tests.play.views import FIRST, PNG, issues, node, seen
from whatsapp_flows.flow_json import COMPONENTS, ITEMS, KNOWN_VERSIONS, Version, properties_of
from whatsapp_flows.play import BEHAVIOUR
from whatsapp_flows.play._events import UploadedFile
from whatsapp_flows.play._property_values import NOTHING, fitted

LONG: Final = "x" * 5000
ITEM: Final = {"id": "a", "title": "A"}
TWO: Final = [ITEM, {"id": "b", "title": "B"}]
NAVIGATE: Final = {"name": "navigate", "next": {"type": "screen", "name": "NEXT"}, "payload": {"secret": "x"}}
COMPLETE: Final = {"name": "complete", "payload": {}}
GOOD: Final[dict[str, dict[str, Any]]] = {
    "TextHeading": {"text": "T"},
    "TextSubheading": {"text": "T"},
    "TextBody": {"text": "T"},
    "TextCaption": {"text": "T"},
    "RichText": {"text": "T"},
    "TextInput": {"name": "n", "label": "L"},
    "TextArea": {"name": "n", "label": "L"},
    "CheckboxGroup": {"name": "n", "label": "L", "data-source": TWO},
    "RadioButtonsGroup": {"name": "n", "label": "L", "data-source": TWO},
    "Dropdown": {"name": "n", "label": "L", "data-source": TWO},
    "ChipsSelector": {"name": "n", "label": "L", "data-source": TWO},
    "OptIn": {"name": "n", "label": "L"},
    "EmbeddedLink": {"text": "T", "on-click-action": NAVIGATE},
    "DatePicker": {"name": "n", "label": "L"},
    "CalendarPicker": {"name": "n", "label": "L"},
    "Image": {"src": PNG},
    "ImageCarousel": {"images": [{"src": PNG, "alt-text": "A"}]},
    "PhotoPicker": {"name": "n", "label": "L"},
    "DocumentPicker": {"name": "n", "label": "L"},
    "NavigationList": {"name": "n", "list-items": [{"id": "a", "main-content": {"title": "A"}}],
                       "on-click-action": NAVIGATE},
    "Footer": {"label": "L", "on-click-action": COMPLETE},
}  # fmt: skip
"""Component -> its least properties."""
CONTAINERS: Final = {"Form", "If", "Switch"}


def good(kind: str, **more: Any) -> dict[str, Any]:
    """A component with its least properties and more; `helper_text` is `helper-text`."""
    return {"type": kind, **GOOD[kind], **{key.replace("_", "-"): value for key, value in more.items()}}


@pytest.mark.parametrize("kind", GOOD)
def test_a_component_is_drawn_in_each_version_that_has_it(kind: str) -> None:
    """And in no other: there it is what cannot be played."""
    for version in KNOWN_VERSIONS:
        found = node(good(kind), version=str(version))
        since = min(next(shape for shape in COMPONENTS if shape.name == kind).places.values())
        has = version >= Version(*map(int, since.split(".")))
        assert any(issue.blocking for issue in found.issues) is not has, (str(version), issues(found))
        assert found.shown


def test_every_component_is_tested_here() -> None:
    """A new component needs a row."""
    assert {shape.name for shape in COMPONENTS} - CONTAINERS == set(GOOD)


def test_every_kind_of_property_has_a_value() -> None:
    """A new kind of the tables needs a row; containers and their conditions are no properties of a component."""
    shapes = [each for each in COMPONENTS if each.name not in CONTAINERS]
    rows = [row for shape in shapes for row in shape.properties]
    for row in rows:
        rows += ITEMS[row.item].properties if row.item else ()
    values: list[Any] = [None, True, 1, "text", [], {}]
    for row in rows:
        tried = [*values, *row.values]
        assert any(fitted(row, value, Version(7, 3)) is not NOTHING for value in tried), row


@pytest.mark.parametrize(
    ("component", "text"),
    [
        ({"type": "Carousel"}, "There is no component 'Carousel'."),
        ({"type": "x" * 500}, f"There is no component {'x' * 40!r}."),
        ({"text": "x"}, "This is no component: it has no type."),
        ("TextBody", "This is no component: it has no type."),
        ({"type": "TextBody"}, "'text' is missing."),
        ({"type": "TextBody", "text": {}}, "'text' cannot be an object."),
        ({"type": "TextBody", "text": [5, None, True]}, None),
        ({"type": "TextInput", "name": "n"}, "'label' is missing."),
        ({"type": "Dropdown", "name": "n", "label": "L", "data-source": 5}, "'data-source' cannot be a number."),
        ({"type": "Dropdown", "name": "n", "label": "L", "data-source": "x"}, "'data-source' cannot be 'x'."),
        ({"type": "Image", "src": []}, "'src' cannot be a list."),
        ({"type": "Footer", "label": "L"}, "'on-click-action' is missing."),
        ({"type": "Footer", "label": "L", "on-click-action": "go"}, "'on-click-action' cannot be 'go'."),
    ],
)
def test_what_cannot_be_played_says_why(component: Any, text: str | None) -> None:
    """It is a node with a blocking issue."""
    found = node(component)
    blocking = [issue.text for issue in found.issues if issue.blocking]
    assert blocking == ([] if text is None else [text])


@pytest.mark.parametrize(
    "shape", [each for each in COMPONENTS if each.name not in CONTAINERS], ids=lambda each: each.name
)
def test_texts_are_cut_at_their_display_lengths(shape: Any) -> None:
    """Each property of each component that has one in the tables; an issue says how long the text is (text.cut)."""
    rows = properties_of(shape, Version(7, 3)).values()
    for row in rows:
        if row.display_length is None:
            continue
        found = node({"type": shape.name, **GOOD[shape.name], row.name: "y" * 6000, "mode": "single"})
        if row.name == "error-message":  # the state of the field holds the text of an error
            continue
        assert found.props[row.name] == "y" * row.display_length
        (issue,) = [each for each in found.issues if "6000 characters" in each.text]
        assert issue.evidence is not None
        assert not issue.blocking
        assert f"the first {row.display_length} are shown" in issue.text


@pytest.mark.parametrize("kind", ["TextInput", "TextArea"])
def test_a_large_label_is_longer(kind: str) -> None:
    """150 characters with label-variant large, from 7.0 on."""
    label = "x" * 200
    assert len(node(good(kind, label=label, label_variant="large")).props["label"]) == 150
    assert len(node(good(kind, label=label)).props["label"]) == 20


@pytest.mark.parametrize("name", ["data_source_item", "chips_item"])
def test_texts_of_options_are_cut(name: str) -> None:
    """The properties of an item have display lengths of their own; one issue speaks for all items."""
    kind = "ChipsSelector" if name == "chips_item" else "CheckboxGroup"
    for row in properties_of(ITEMS[name], Version(7, 3)).values():
        if row.display_length is None:
            continue
        items = [{**ITEM, "id": str(number), row.name: "y" * 400} for number in range(3)]
        found = node(good(kind, data_source=items))
        assert {item[row.name] for item in found.props["data-source"]} == {"y" * row.display_length}
        assert len([text for text in issues(found) if "400 characters" in text]) == 1


# -- texts


@pytest.mark.parametrize(
    "text",
    ["<img src=x onerror=alert(1)>", "javascript:alert(1)", "</script>", "&amp;", "\u202egnp.exe", "a\x00b", "{{7*7}}",
     "${data.", "`", "%s%n"],
)  # fmt: skip
def test_hostile_texts_are_texts(text: str) -> None:
    """Whatever a document or its data holds is shown as it is."""
    assert node({"type": "TextBody", "text": text}).props["text"] == text
    assert node({"type": "TextBody", "text": "${data.x}"}, data={"x": text}).props["text"] == text
    item = {"id": text, "title": text}
    found = node(good("RadioButtonsGroup", data_source="${data.items}"), data={"items": [item]})
    assert (found.props["data-source"][0]["id"], found.props["data-source"][0]["title"]) == (text, text)


def test_a_text_with_markdown_has_blocks() -> None:
    """A TextBody and a TextCaption with markdown, from 5.1 on (text.markdown)."""
    for kind in ("TextBody", "TextCaption"):
        found = node(good(kind, text="**Hi** there", markdown=True))
        (block,) = found.props["blocks"]
        assert block["type"] == "paragraph"
        assert [(span["text"], span["bold"]) for span in block["spans"]] == [("Hi", True), (" there", False)]
        assert "blocks" not in node(good(kind, text="**Hi** there")).props
        assert "blocks" not in node(good(kind, text="**Hi** there", markdown=True), version="5.0").props


def test_a_rich_text_has_blocks() -> None:
    """From a text or an array (rich-text.blocks), also from one that data gives; long ones as well."""
    found = node(good("RichText", text=["# Terms", "Be kind."]))
    assert [block["type"] for block in found.props["blocks"]] == ["heading", "paragraph"]
    found = node(good("RichText", text="${data.terms}"), data={"terms": ["# Terms", "Be kind. " * 10_000]})
    assert [block["type"] for block in found.props["blocks"]] == ["heading", "paragraph"]
    assert "blocks" not in node(good("RichText", text="${data.missing}")).props


@pytest.mark.parametrize("texts", ["a " * 60_000, ("a " * 30_000, "b " * 30_000, "c")])
def test_a_text_with_markdown_has_a_limit(texts: Any) -> None:
    """The first 100,000 characters are shown, and an issue says so."""
    found = node(good("RichText", text="${data.terms}"), data={"terms": texts})
    shown = found.props["text"]
    assert "".join(shown) == "".join(texts)[:100_000]
    assert len(found.props["blocks"]) == (1 if isinstance(texts, str) else 2)
    assert issues(found) == ["'text' has more than 100,000 characters: the first of them are shown."]


def test_an_array_of_texts_stays_one() -> None:
    """Each is a paragraph, and none of them is a reference (reference.whole)."""
    found = node(good("TextBody", text=["One", "${data.two}", "And ${data.two}"]), data={"two": "x"})
    assert found.props["text"] == ("One", "${data.two}", "And ${data.two}")
    assert sum("shown as written" in text for text in issues(found)) == 2


def test_what_has_no_value_is_left_out() -> None:
    """Nothing is invented: an issue names the reference (reference.missing)."""
    found = node(good("TextInput", label="${data.label}", max_chars="${data.most}"))
    assert "label" not in found.props
    assert found.props["max-chars"] == 80
    assert issues(found) == ["'label': ${data.label} has no value.", "'max-chars': ${data.most} has no value."]
    assert not any(issue.blocking for issue in found.issues)


# -- text fields


@pytest.mark.parametrize("kind", sorted(set(GOOD) - {"Footer", "PhotoPicker", "DocumentPicker", "NavigationList"}))
def test_optional_fields_are_marked(kind: str) -> None:
    """Those that could be required and are not (text-input.optional, opt-in.optional)."""
    field = "required" in {row.name for shape in COMPONENTS if shape.name == kind for row in shape.properties}
    assert node(good(kind)).props.get("optional") is (True if field else None)
    if field:
        assert node(good(kind, required=True)).props["optional"] is False
        assert node(good(kind, required="${data.must}"), data={"must": True}).props["optional"] is False


@pytest.mark.parametrize(
    ("input_type", "keyboard"),
    [("text", "text"), ("number", "decimal"), ("email", "email"), ("phone", "tel"), ("passcode", "numeric"),
     ("password", "text")],
)  # fmt: skip
def test_the_keyboard_follows_the_input_type(input_type: str, keyboard: str) -> None:
    """As `inputmode` of HTML names it."""
    assert node(good("TextInput", input_type=input_type)).props["keyboard"] == keyboard


@pytest.mark.parametrize(
    ("component", "value", "expected"),
    [
        (good("TextInput"), "Ada", (3, 80)),
        (good("TextInput"), "", (0, 80)),
        (good("TextInput", max_chars=5), "Ada", (3, 5)),
        (good("TextInput", max_chars="5"), "Ada", (3, 5)),
        (good("TextInput", max_chars="${data.n}"), "😀", (2, 7)),
        (good("TextArea"), "Ada", (3, 600)),
        (good("TextArea", max_length=10), "Ada", (3, 10)),
        (good("DatePicker"), "2026-01-01", None),
    ],
)
def test_text_fields_count_characters(component: Any, value: str, expected: tuple[int, int] | None) -> None:
    """In UTF-16 units, against the greatest number (text-input.counter, text-area.max-length)."""
    counter = node(component, form={"n": value}, data={"n": 7}).counter
    assert (None if counter is None else (counter.count, counter.limit)) == expected


def test_an_error_appears_after_a_touch_and_not_while_focused() -> None:
    """It replaces the helper text; what is invalid is known before (error.touched, text-input.helper-text)."""
    field = good("TextInput", required=True, helper_text="Your name")
    cases: list[tuple[dict[str, Any], bool]] = [
        ({}, False),
        ({"touched": (FIRST,)}, True),
        ({"touched": (FIRST,), "focused": FIRST}, False),
        ({"touched": (FIRST,), "focused": "/elsewhere"}, True),
    ]
    for state, shown in cases:
        found = node(field, **state)
        assert found.invalid == "required"
        assert bool(found.error) is shown
        assert found.props.get("helper-text") == (None if shown else "Your name")
    found = node(field, touched=(FIRST,), form={"n": "Ada"})
    assert (found.invalid, found.error) == ("", "")


def test_an_error_of_the_server_is_shown_at_once() -> None:
    """Also of a field that was never touched, and of one that has the focus (error.of-server)."""
    for state in ({}, {"focused": FIRST}, {"touched": (FIRST,)}):
        found = node(good("TextInput"), refused={FIRST: "Taken"}, form={"n": "Ada"}, **state)
        assert (found.error, found.invalid) == ("Taken", "")

    assert node(good("TextArea"), refused={FIRST: "x" * 200}).error == "x" * 200
    cut = node(good("TextInput"), refused={FIRST: "x" * 200})
    assert (cut.error, issues(cut)) == ("x" * 30, ["'error-message' has 200 characters: the first 30 are shown."])


# -- selections


def test_options_say_what_is_selected_and_what_can_be() -> None:
    """At max-selected-items the others are disabled (group.max-disables), and a hint says how many (group.hint)."""
    items = [*TWO, {"id": "c", "title": "C", "enabled": False}]
    for kind in ("CheckboxGroup", "ChipsSelector"):
        group = good(kind, data_source=items, min_selected_items=1, max_selected_items=2)
        found = node(group, form={"n": ("a",)})
        assert [(each["id"], each["selected"], each["enabled"]) for each in found.props["data-source"]] == [
            ("a", True, True), ("b", False, True), ("c", False, False),
        ]  # fmt: skip
        assert found.value == ("a",)
        assert found.props["hint"] == {"min": 1, "max": 2}
        full = node(good(kind, data_source=items, max_selected_items=1), form={"n": ("a",)})
        assert [each["enabled"] for each in full.props["data-source"]] == [True, False, False]
        assert full.props["hint"] == {"min": 0, "max": 1}
        assert "hint" not in node(good(kind)).props


@pytest.mark.parametrize(
    ("items", "reason"),
    [
        (TWO, None),
        ([], "no items"),
        ([{**ITEM, "id": str(number)} for number in range(21)], "21 items: a client takes 1 to 20"),
        ([ITEM, ITEM], "items with the same id"),
        ([ITEM, {"title": "B"}], "items without an id"),
    ],
)
def test_a_list_that_a_client_may_refuse_is_reported(items: list[Any], reason: str | None) -> None:
    """It is drawn all the same (list.size, list.ids)."""
    for source, data in ((items, {}), ("${data.items}", {"items": items})):
        found = node(good("CheckboxGroup", data_source=source), data=data)
        assert len(found.props["data-source"]) == len(items)
        assert any(reason in text for text in issues(found)) if reason else not issues(found)


def test_a_dropdown_with_images_is_shorter() -> None:
    """100 options instead of 200."""
    items = [{"id": str(number), "title": "T"} for number in range(150)]
    assert not issues(node(good("Dropdown", data_source=items)))
    pictured = [{**item, "image": PNG} for item in items]
    assert issues(node(good("Dropdown", data_source=pictured))) == [
        "'data-source' has 150 items: a client takes 1 to 100."
    ]


def test_images_and_colours_of_options() -> None:
    """An image is a `data:` URL; one that cannot be drawn is left out."""
    items = [{**ITEM, "image": PNG, "alt-text": "Dot"}, {"id": "b", "title": "B", "image": "no!"}]
    good_one, bad_one = node(good("CheckboxGroup", data_source=items, media_size="large")).props["data-source"]
    assert good_one["image"] == f"data:image/png;base64,{PNG}"
    assert "image" not in bad_one
    assert node(good("CheckboxGroup", data_source=[{**ITEM, "color": "#00FF00"}])).props["data-source"][0]["color"]


def test_an_opt_in_reads_more_only_with_an_action() -> None:
    """Its label is cut at 300 characters (opt-in.read-more, opt-in.label)."""
    assert "on-click-action" not in node(good("OptIn")).props
    found = node(good("OptIn", label=LONG, on_click_action=NAVIGATE))
    assert found.props["on-click-action"] == {"name": "navigate", "next": {"type": "screen", "name": "NEXT"}}
    assert len(found.props["label"]) == 300
    assert found.issues[0].evidence == BEHAVIOUR["opt-in.label"].evidence


@pytest.mark.parametrize(
    ("url", "web"),
    [("https://example.com/a?b=c", True), ("http://example.com", True), ("${data.url}", True),
     ("javascript:alert(1)", False), ("JAVASCRIPT:alert(1)", False), ("data:text/html,x", False), ("//x", False),
     ("file:///etc/passwd", False), ("https:", False), ("http://[", False), ("tel:1", False), ("", None)],
)  # fmt: skip
def test_a_link_is_text_whatever_its_scheme(url: str, web: bool | None) -> None:
    """One that is neither http nor https has an issue (link.web)."""
    for kind in ("EmbeddedLink", "OptIn"):
        found = node(good(kind, on_click_action={"name": "open_url", "url": url}), data={"url": "https://example.com"})
        expected = "https://example.com" if url == "${data.url}" else url
        assert found.props["on-click-action"] == {"name": "open_url", "url": expected}
        assert ("nothing is opened" in " ".join(issues(found))) is (web is False)


def test_an_action_shows_where_it_leads() -> None:
    """Not what it hands over; a screen may come from data."""
    action = {**NAVIGATE, "next": {"type": "screen", "name": "${data.next}"}, "unknown": 1}
    found = node(good("EmbeddedLink", on_click_action=action), data={"next": "LAST"})
    assert found.props["on-click-action"] == {"name": "navigate", "next": {"type": "screen", "name": "LAST"}}


# -- dates


def test_dates_are_days() -> None:
    """From 1900 to 2100 by default; milliseconds since 1970 before 5.0 (date-picker.range, date-picker.format)."""
    for kind in ("DatePicker", "CalendarPicker"):
        props = node(good(kind)).props
        assert (props["min-date"], props["max-date"]) == BEHAVIOUR["date-picker.range"].value
    old = good("DatePicker", min_date="1693526400000", max_date="x", unavailable_dates=["1693612800000", "-1"])
    found = seen(old, version="4.0").nodes[0]
    assert (found.props["min-date"], found.props["max-date"]) == ("2023-09-01", "x")
    assert found.props["unavailable-dates"] == ("2023-09-02", "1969-12-31")
    assert node(good("DatePicker"), form={"n": "1693526400000"}).value == "2023-09-01"
    assert node(good("DatePicker"), form={"n": "2023-09-01"}).value == "2023-09-01"
    assert node(good("DatePicker"), form={"n": "9" * 17}).value == "9" * 17


def test_a_calendar_has_two_modes() -> None:
    """One date, or a range, each end of which may be required (calendar-picker.modes, calendar-picker.required)."""
    ends = {"start-date": "From", "end-date": "To"}
    single = node(good("CalendarPicker", required=True))
    assert (single.props["mode"], single.props["label"], single.props["optional"]) == ("single", "L", False)
    assert single.props["include-days"] == ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
    required = {"start-date": True}
    found = node(good("CalendarPicker", mode="range", label=ends, required=required, helper_text=ends, title="Stay"))
    assert found.props["label"] == found.props["helper-text"] == ends
    assert found.props["optional"] == {"start-date": False, "end-date": True}
    assert not found.issues
    value = {"start-date": "2026-01-01", "end-date": "2026-01-02"}
    assert (
        node(good("CalendarPicker", mode="${data.mode}", label=ends), data={"mode": "range"}, form={"n": value}).value
        == value
    )


def test_texts_of_the_wrong_mode_are_shown_all_the_same() -> None:
    """An issue says what the mode takes."""
    ends = {"start-date": "From", "end-date": "To"}
    ranged = node(good("CalendarPicker", mode="range", label="Dates"))
    assert ranged.props["label"] == {"start-date": "Dates", "end-date": "Dates"}
    assert node(good("CalendarPicker", label=ends)).props["label"] == "From"
    assert node(good("CalendarPicker", label={})).props["label"] == ""
    assert issues(ranged) == ["'label' takes one text for each end in the mode range."]


# -- pictures and lists


def test_an_image_is_a_data_url() -> None:
    """It is contained unless it covers; Android has a height for one without (image.scale, image.height)."""
    found = node(good("Image"))
    assert found.props["src"] == f"data:image/png;base64,{PNG}"
    assert (found.props["scale-type"], found.props["aspect-ratio"]) == ("contain", 1)
    assert found.props["default-height"] == {"android": 400}
    assert "default-height" not in node(good("Image", height=100)).props
    covering = node(good("Image", scale_type="cover", width=50, src="${data.src}"), data={"src": PNG})
    assert (covering.props["scale-type"], covering.props["width"]) == ("cover", 50)
    assert "default-height" not in covering.props


@pytest.mark.parametrize(
    ("src", "reason"),
    [("no!", "is not base64"), ("", "is empty"), ("data:image/png;base64,iVBO", "begins with data:"),
     (base64.b64encode(b"<svg></svg>").decode(), "is no PNG, JPEG, WebP or GIF")],
)  # fmt: skip
def test_an_image_that_cannot_be_drawn_is_left_out(src: str, reason: str) -> None:
    """An issue says why (image.types)."""
    found = node(good("Image", src=src))
    assert "src" not in found.props
    assert issues(found) == [
        f"'src' {reason}{', where Meta takes base64 alone' * ('data:' in reason)}: no image is shown."
    ]


def test_a_large_image_is_drawn_with_an_issue() -> None:
    """More than 300 kB may not load (image.size)."""
    large = base64.b64encode(base64.b64decode(PNG) + bytes(310 * 1024)).decode()
    found = node(good("Image", src=large))
    assert found.props["src"].endswith(large)
    assert issues(found) == ["'src' has 310 kB: more than 300 kB may not load."]


def test_a_carousel_shows_three_images() -> None:
    """Of more, the first three (carousel.images); one that cannot be drawn keeps its place."""
    images = [{"src": PNG, "alt-text": str(number)} for number in range(4)]
    found = node(good("ImageCarousel", images=images))
    assert [image["alt-text"] for image in found.props["images"]] == ["0", "1", "2"]
    assert found.props["images"][0]["src"].startswith("data:image/png;base64,")
    assert issues(found) == ["'images' has 4 images: the first 3 are shown."]
    assert (found.props["aspect-ratio"], found.props["scale-type"]) == ("4:3", "contain")
    assert node(good("ImageCarousel", images=[{"src": "no!", "alt-text": "A"}])).props["images"] == ({"alt-text": "A"},)
    assert issues(node(good("ImageCarousel", images=[]))) == ["'images' has no items."]


def rows(count: int, **more: Any) -> list[dict[str, Any]]:
    return [{"id": str(number), "main-content": {"title": "T"}, **more} for number in range(count)]


def test_a_navigation_list_over_its_limit_is_not_drawn() -> None:
    """More than 20 items (navigation-list.limit)."""
    found = node(good("NavigationList", list_items=rows(20)))
    assert len(found.props["list-items"]) == 20
    assert not found.issues
    found = node(good("NavigationList", list_items="${data.rows}"), data={"rows": rows(21)})
    assert found.props["list-items"] == ()
    assert [issue.blocking for issue in found.issues] == [True]


def test_an_item_of_a_navigation_list_is_cut() -> None:
    """Its texts, each at its own length (navigation-list.texts)."""
    texts = {"title": LONG, "description": LONG, "metadata": LONG}
    item = {
        "id": "a",
        "main-content": texts,
        "end": texts,
        "badge": LONG,
        "tags": [LONG, "ok"],
        "on-click-action": NAVIGATE,
    }
    found = node({"type": "NavigationList", "name": "n", "list-items": [item], "label": LONG, "description": LONG})
    (shown,) = found.props["list-items"]
    assert {key: len(text) for key, text in shown["main-content"].items()} == {
        "title": 30,
        "description": 20,
        "metadata": 80,
    }
    assert set(map(len, shown["end"].values())) == {10}
    assert (len(shown["badge"]), [len(tag) for tag in shown["tags"]]) == (15, [15, 2])
    assert shown["on-click-action"] == {"name": "navigate", "next": {"type": "screen", "name": "NEXT"}}
    assert (shown["selected"], shown["enabled"]) == (False, True)
    assert (len(found.props["label"]), len(found.props["description"])) == (80, 300)


def test_a_large_image_of_a_navigation_list_is_replaced() -> None:
    """Over 100 kB (navigation-list.image); a smaller one is drawn."""
    large = base64.b64encode(base64.b64decode(PNG) + bytes(101 * 1024)).decode()
    found = node(good("NavigationList", list_items=rows(1, start={"image": large, "alt-text": "A"})))
    assert found.props["list-items"][0]["start"] == {"alt-text": "A"}
    assert issues(found) == ["'image' has 101 kB: over 100 kB, something else is shown in its place."]
    found = node(good("NavigationList", list_items=rows(1, start={"image": PNG})))
    assert found.props["list-items"][0]["start"]["image"].startswith("data:image/png")


def test_a_picker_holds_files() -> None:
    """A running upload makes it invalid (picker.upload)."""
    file = UploadedFile(name="a.png", state="running")
    for kind in ("PhotoPicker", "DocumentPicker"):
        found = node(good(kind), form={"n": (file,)})
        assert (found.value, found.invalid) == ((file,), "uploading")
        assert found.props["max-file-size-kb"] == 25600


# -- Footer


def test_a_footer_says_what_it_waits_for() -> None:
    """The keys of the payload that have no value (footer.navigate)."""
    action = {**NAVIGATE, "payload": {"a": "${data.missing}", "b": "${data.there}", "c": "`${data.missing}`"}}
    found = seen(good("Footer", on_click_action=action), data={"there": "x"}).footer
    assert found is not None
    assert not found.enabled
    assert issues(found) == ["Disabled: 'a' of the payload has no value.", "Disabled: 'c' of the payload has no value."]


@pytest.mark.parametrize(
    "captions", [{"left-caption": "1 of 2", "right-caption": "5 $"}, {"center-caption": "Almost done"}, {}]
)
def test_a_footer_has_captions(captions: dict[str, str]) -> None:
    """Left and right, or centre (footer.captions)."""
    found = seen({**good("Footer"), **captions}).footer
    assert found is not None
    assert {key: text for key, text in found.props.items() if "caption" in key} == captions
    assert found.props["on-click-action"] == {"name": "complete"}
