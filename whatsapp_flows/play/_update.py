"""One event on its way through a session: what it has changed so far, and the effects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._dataclasses import replace
from ._components import Component
from ._events import AskEndpoint, Broken, Complete, Effect
from ._flow import PlayedFlow, PlayedScreen
from ._resolve import Resolver
from ._session import UNOPENED, ScreenState, Session, Step
from ._settle import reoffered


class Update:
    """A session that is being changed. The session that it began with stays as it was."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.effects: list[Effect] = []
        self._resolver: Resolver | None = None

    @property
    def flow(self) -> PlayedFlow:
        return self.session.flow

    @property
    def screen(self) -> PlayedScreen:
        """The current screen. There is one unless the Flow is opening."""
        return self.flow.screens[self.session.screen]

    @property
    def state(self) -> ScreenState:
        """What the current screen holds."""
        return self.session.screens.get(self.session.screen, UNOPENED)

    @property
    def resolver(self) -> Resolver:
        """What the components of the current screen are, now."""
        if self._resolver is None:
            self._resolver = Resolver(self.flow, self.session.screens, self.session.screen)
        return self._resolver

    def step(self) -> Step:
        return Step(self.session, tuple(self.effects))

    def change(self, **changes: Any) -> None:
        self.session = replace(self.session, **changes)
        if "screens" in changes or "history" in changes:
            self._resolver = None

    def keep(self, **changes: Any) -> None:
        """Change what the current screen holds."""
        screens = {**self.session.screens, self.session.screen: replace(self.state, **changes)}
        self.change(screens=screens)

    def put(self, component: Component, value: Any) -> None:
        """
        The user enters a value, which may switch a branch.

        An error that a server has sent for it is gone if the value has changed (error.of-server).
        """
        before, refused = self.session.screens, self.state.refused
        if value != self.resolver.value(component):
            refused = {path: text for path, text in refused.items() if path != component.path}
        self.keep(form={**self.state.form, component.name: value}, refused=refused)
        if self.screen.switches_options:
            self.change(screens=reoffered(self.flow, before, self.session.screens, self.session.screen))

    def touch(self, path: str) -> None:
        """From now on a field shows its error."""
        self.keep(touched=self.state.touched | {path})

    def focus(self, path: str) -> None:
        """Another component is used: the field that had the focus has been left."""
        if self.session.focused and self.session.focused != path:
            self.touch(self.session.focused)
        self.change(focused=path)

    def ask(self, action: str, data: Mapping[str, Any], path: str = "") -> None:
        """Ask the endpoint; until it answers, the Flow is loading."""
        session = self.session
        request = AskEndpoint(
            number=session.asked + 1,
            action=action,
            screen=session.screen,
            data=data,
            flow_token=session.flow_token,
            path=path,
        )
        self.change(pending=request, asked=request.number)
        self.effects.append(request)

    def broken(self, key: str, message: str, path: str) -> None:
        """
        A client refuses this: the user stays where they are.

        While the Flow opens there is no such place, and it has ended.
        """
        effect = Broken(key=key, message=message, path=path)
        self.effects.append(effect)
        if not self.session.history and self.session.end is None:
            self.change(end=effect)

    def end(self, end: Complete | Broken) -> None:
        self.effects.append(end)
        self.change(end=end)
