"""What the actions of components do, and what a screen makes of the data that it gets."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from .. import flow_json
from .._answer_check import DATA, data_problems, listed, pointer
from .._endpoint_errors import AnswerProblem
from .._flow_facts import ScreenFacts
from .._wire import short_repr
from ._behaviour import BEHAVIOUR
from ._components import SELECT, Component
from ._events import Complete, OpenUrl
from ._media import in_message, uploads_in
from ._owned import is_too_deep
from ._settle import settled
from ._update import Update

NO_SCREEN: Final = "no-such-screen"
UNPLAYABLE: Final = "unplayable"
_ON_SELECT: Final = frozenset({"data_exchange", "update_data"})


def perform(update: Update, component: Component, action: Any, at: str) -> None:
    """Carry out an action of a component on the current screen; `at` is the action's JSON pointer."""
    name = action.get("name") if isinstance(action, Mapping) else None
    do = _ACTIONS.get(name) if isinstance(name, str) else None
    if do is None:
        update.broken(UNPLAYABLE, f"There is no action {short_repr(name)}.", at)
    elif is_too_deep(action):
        update.broken(UNPLAYABLE, "The action is nested too deeply.", at)
    else:
        do(update, component, action, at)


def _payload(update: Update, action: Mapping[str, Any]) -> dict[str, Any]:
    """The payload with its references replaced (payload.deep). An uploaded file in it is still an `UploadedFile`."""
    written = action.get("payload")
    found = update.resolver.scope.deep(written) if isinstance(written, Mapping) else {}
    return dict(found)


def _navigate(update: Update, component: Component, action: Mapping[str, Any], at: str) -> None:
    """Go to a screen, whose data model the payload has to fit: the value of a number field is a text (data.checked)."""
    following = action.get("next")
    following = following if isinstance(following, Mapping) else {}
    if following.get("type", "screen") != "screen":  # the client takes it for an action of the endpoint (observed)
        _data_exchange(update, component, action, at)
        return
    target = update.resolver.scope.value(following.get("name")).value
    if not isinstance(target, str) or target not in update.flow.facts.screens:
        message = update.flow.facts.unknown_screen(target) if isinstance(target, str) else "The action names no screen."
        update.broken(NO_SCREEN, message, f"{at}/next/name")
        return
    payload = _payload(update, action)
    if uploads_in(payload):
        update.broken(DATA, "Uploaded files cannot be handed to another screen.", f"{at}/payload")
        return
    screen = update.flow.screens[target]
    if _fits(update, data_problems(update.flow.facts, screen.facts, payload), at):
        enter(update, target, payload)


def _fits(update: Update, problems: Iterable[AnswerProblem], at: str) -> bool:
    """Whether there are no problems with a payload; those that there are, a client refuses."""
    found = listed(problems)
    for problem in found:
        update.broken(DATA, problem.message, f"{at}/payload{problem.path.removeprefix('/data')}")
    return not found


def _complete(update: Update, component: Component, action: Mapping[str, Any], at: str) -> None:
    """The message holds the payload and the flow token (complete.payload)."""
    payload = {name: in_message(value) for name, value in _payload(update, action).items()}
    update.end(Complete(payload={**payload, "flow_token": update.session.flow_token}))


def _data_exchange(update: Update, component: Component, action: Mapping[str, Any], at: str) -> None:
    update.ask("data_exchange", _payload(update, action), component.path)


def _update_data(update: Update, component: Component, action: Mapping[str, Any], at: str) -> None:
    payload = _payload(update, action)
    if _fits(update, _wrong_update(update.screen.facts, payload), at):
        merge(update, update.session.screen, payload)


def _wrong_update(facts: ScreenFacts, payload: Mapping[str, Any]) -> Iterator[AnswerProblem]:
    """What a screen refuses of update_data: keys beyond its data model, values of a wrong type (data.update)."""
    model = facts.model or {}
    for key, value in payload.items():
        if key not in model:
            message = "The data model of the screen has no such key."
            yield AnswerProblem(key=DATA, message=message, path=pointer((key,)))
            continue
        for failure in flow_json.schema_failures(value, model[key], (key,)):
            yield AnswerProblem(key=DATA, message=f"{failure.reason}.", path=pointer(failure.path))


def _open_url(update: Update, component: Component, action: Mapping[str, Any], at: str) -> None:
    url = update.resolver.scope.value(action.get("url")).value
    if isinstance(url, str) and url:
        update.effects.append(OpenUrl(url, component.path))
    else:
        update.broken(UNPLAYABLE, "The action has no URL.", f"{at}/url")


_Action = Callable[[Update, Component, Mapping[str, Any], str], None]
_ACTIONS: Final[Mapping[str, _Action]] = {
    "navigate": _navigate,
    "complete": _complete,
    "data_exchange": _data_exchange,
    "update_data": _update_data,
    "open_url": _open_url,
}


# -- what a screen makes of it


def enter(update: Update, target: str, incoming: Mapping[str, Any]) -> None:
    """
    Go to a screen with the data that has come for it.

    The screen before the current one is gone back to, any other is added to the history (move.previous).
    """
    history, first = update.session.history, target not in update.session.screens
    if history[-1:] != (target,):
        history = history[:-1] if history[-2:-1] == (target,) else (*history, target)
        update.change(history=history, focused="")
    merge(update, target, incoming)
    since, until = BEHAVIOUR["select-action.first-render"].value
    if first and since <= update.flow.version < until:
        _first_render(update)


def merge(update: Update, target: str, incoming: Mapping[str, Any]) -> None:
    """Put data into a screen, beside what it has (state.merge); this changes its form too."""
    update.change(screens=settled(update.flow, update.session.screens, target, incoming))


def _first_render(update: Update) -> None:
    """Carry out the on-select-action of each component that is shown, until one of them asks the endpoint."""
    for component in update.screen.layout.components:
        action = component.value.get(SELECT)
        if isinstance(action, Mapping) and action.get("name") in _ON_SELECT and update.resolver.shown(component):
            perform(update, component, action, f"{component.path}/{SELECT}")
            if update.session.pending is not None:
                return
