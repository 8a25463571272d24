"""`to-python` and `types`: a Flow JSON as Python source."""

from __future__ import annotations

from dataclasses import dataclass, replace

import click

from .. import builder
from ._app import App
from ._json import Json, as_json
from ._options import Command
from ._sources import read_one_source
from ._values import Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Source(Value):
    """Python source."""

    source: str


@as_json.register
def _(value: Source) -> Json:
    return {"source": value.source}


def _written(source: str) -> Source:
    return replace(Source(source=source), raw=source.encode())


@click.command("to-python", cls=Command, api=False)
@click.argument("path", metavar="PATH|-")
@click.pass_obj
def to_python_command(app: App, path: str) -> Source:
    """
    Write a Flow JSON as Python.

    PATH is a file, a folder with one Flow JSON, or - for stdin. The module builds the same document with
    whatsapp_flows.builder and binds it to the name flow.
    """
    return _written(builder.to_python(read_one_source(app, path)))


@click.command("types", cls=Command, api=False)
@click.argument("path", metavar="PATH|-")
@click.pass_obj
def types_command(app: App, path: str) -> Source:
    """
    Write TypedDicts for what a Flow sends and takes.

    PATH is a file, a folder with one Flow JSON, or - for stdin. The module has a class for what each screen submits to
    the endpoint, for the data that it is shown with, and for the answer at the end.
    """
    return _written(builder.answers(read_one_source(app, path)))
