"""
Creating a message template with FLOW buttons ("Flows", Sending a Flow; "Business Management API", Message templates).

A name and a language together are unique in an account. So after a lost answer the template is looked up by them, and
adopted if it is there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from .._classify import unexpected
from .._dataclasses import dataclass, field, replace
from .._fields import Raw, text
from .._message_checks import BODY_MAX_LENGTH, FOOTER_MAX_LENGTH, HEADER_MAX_LENGTH, limited_text
from .._wire import Operation, Request, Script
from ..errors import ConfigurationError, NameTakenError
from ..messages import FlowButton, FlowTemplate
from ._arguments import identifier, nonempty_text, path_id, template_language, template_name
from ._graph import Api, all_items, list_page, read_object

_MAX_BUTTONS: Final = 10  # "Template components", Buttons
_VARIABLE: Final = re.compile(r"\{\{\s*(\w+)\s*\}\}")

Examples = Sequence[str] | Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTemplate:
    """A template to create: the arguments of the clients' `create_flow_template`. `content` checks them."""

    name: str
    language: str
    body: str = field(repr=False)
    buttons: tuple[FlowButton, ...]
    category: str
    header: str | None = field(default=None, repr=False)
    footer: str | None = field(default=None, repr=False)
    header_examples: Examples = field(default=(), repr=False)
    body_examples: Examples = field(default=(), repr=False)

    def __post_init__(self) -> None:
        if not 1 <= len(self.buttons) <= _MAX_BUTTONS or not all(isinstance(it, FlowButton) for it in self.buttons):
            raise ConfigurationError(f"buttons must be a list of 1 to {_MAX_BUTTONS} FlowButtons.")

    def content(self) -> dict[str, object]:
        """The JSON of the request, with no key that has no value."""
        components: list[dict[str, object]] = []
        if self.header is not None:
            header = limited_text("header", self.header, HEADER_MAX_LENGTH)
            example = _example("header", header, self.header_examples)
            components.append({"type": "HEADER", "format": "TEXT", "text": header, **example})
        elif self.header_examples:
            raise ConfigurationError("header_examples are given without a header.")
        body = limited_text("body", self.body, BODY_MAX_LENGTH)
        components.append({"type": "BODY", "text": body, **_example("body", body, self.body_examples)})
        if self.footer is not None:
            components.append({"type": "FOOTER", "text": limited_text("footer", self.footer, FOOTER_MAX_LENGTH)})
        components.append({"type": "BUTTONS", "buttons": [_button(each) for each in self.buttons]})
        named = {"parameter_format": "NAMED"} if self._named else {}
        return {
            "name": template_name(self.name),
            "language": template_language(self.language),
            "category": identifier("category", self.category),
            **named,
            "components": components,
        }

    @property
    def _named(self) -> bool:
        return any(given and isinstance(given, Mapping) for given in (self.header_examples, self.body_examples))


def create_flow_template(api: Api, new: NewTemplate) -> Operation[FlowTemplate]:
    """Create a template; after a lost answer, adopt the one of that name and language."""
    path = f"{api.account()}/message_templates"
    request = api.post_json("create_flow_template", path, new.content())
    return Operation(
        name="create_flow_template",
        script=lambda _: _create(request),
        subject=f"template: {new.name} ({new.language})",
        idempotent=False,
        recover=lambda _: _adopt(api, new),
        resolves_ambiguity=lambda refusal: isinstance(refusal, NameTakenError),
    )


def _create(request: Request) -> Script[FlowTemplate]:
    answer = yield request
    template = FlowTemplate.parse(read_object(answer, request))
    if not template.id:
        raise unexpected("Meta's answer has no template id.", request, answer)
    return template


def _adopt(api: Api, new: NewTemplate) -> Script[FlowTemplate | None]:
    query = {"name": new.name, "language": new.language, "fields": "id,name,language,status,category", "limit": "100"}
    request = api.get("create_flow_template", f"{api.account()}/message_templates", query)
    # The filter finds names that contain the text, so the name is compared here as well.
    found = yield from all_items(list_page(request, _same, f"template: {new.name}"))
    match = next((it for it in found if (text(it, "name"), text(it, "language")) == (new.name, new.language)), None)
    return replace(FlowTemplate.parse(match), adopted=True) if match else None


def _same(found: Raw) -> Raw:
    return found


def _button(button: FlowButton) -> dict[str, object]:
    made: dict[str, object] = {"type": "FLOW", "text": button.text}
    if button.flow_id is not None:
        made["flow_id"] = path_id("flow_id", button.flow_id)
    elif button.flow_name is not None:
        made["flow_name"] = nonempty_text("flow_name", button.flow_name)
    elif isinstance(button.flow_json, bytes):
        made["flow_json"] = button.flow_json.decode()
    made["flow_action"] = button.flow_action
    if button.navigate_screen is not None:
        made["navigate_screen"] = nonempty_text("navigate_screen", button.navigate_screen)
    if button.icon is not None:
        made["icon"] = identifier("icon", button.icon)
    return made


def _example(part: str, template: str, examples: Examples) -> dict[str, object]:
    """
    The examples that Meta requires for the variables of a text ("Template components").

    Variables are `{{1}}`, `{{2}}` ... with a sequence of examples, or `{{name}}` with a mapping.
    """
    argument = f"{part}_examples"
    if isinstance(examples, str) or not isinstance(examples, (Mapping, Sequence)):
        raise ConfigurationError(f"{argument} must be a list of texts, or a mapping from names to texts.")
    variables = list(dict.fromkeys(_VARIABLE.findall(template)))
    names = list(examples) if isinstance(examples, Mapping) else [str(n) for n in range(1, len(examples) + 1)]
    if sorted(variables) != sorted(names):
        raise ConfigurationError(
            f"{argument} must have one example for each variable of the {part}: a list for {{{{1}}}}, {{{{2}}}}, or a "
            f"mapping from the names for {{{{name}}}}."
        )
    if not variables:
        return {}
    values = examples.values() if isinstance(examples, Mapping) else examples
    texts = [limited_text(f"each of {argument}", value, BODY_MAX_LENGTH) for value in values]
    if isinstance(examples, Mapping):
        named = [{"param_name": name, "example": value} for name, value in zip(names, texts, strict=True)]
        return {"example": {f"{part}_text_named_params": named}}
    return {"example": {f"{part}_text": [texts] if part == "body" else texts}}
