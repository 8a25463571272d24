"""The program and its groups, and the commands of `flows`: each makes one call and returns a value."""

from __future__ import annotations

import click

from .._vocabulary import FLOW_CATEGORIES
from ..client import FlowsClient
from ..errors import ErrorDetails, FlowsError, NameTakenError, NotFoundError
from ..flow_json import read_flow_json
from ..models import Flow
from ._app import App
from ._demo import demo
from ._deploy import apply_command, plan_command, sync_command
from ._drift import drift_command, status_command
from ._emulate import emulate
from ._endpoint_check import check
from ._explain import explain
from ._graph import graph_command
from ._keys import keys
from ._lsp import lsp_command
from ._options import Group
from ._play import play_command
from ._preview import preview_command
from ._pull import import_command, pull_command
from ._schema import schema_command
from ._serve import serve
from ._to_python import to_python_command, types_command
from ._upgrade import upgrade_command
from ._validate import validate_command
from ._values import (
    Completed,
    Created,
    Declined,
    Downloaded,
    FlowDetails,
    FlowList,
    Migrated,
    PreviewLink,
    Uploaded,
    Value,
)

PROGRAM = "whatsapp-flows"

_flow_id = click.argument("flow_id", metavar="ID")
_categories = f"{', '.join(FLOW_CATEGORIES[:-1])} or {FLOW_CATEGORIES[-1]}"

program = Group(
    name=PROGRAM,
    version=True,
    help=(
        "Deploy, validate and manage WhatsApp Flows.\n\nCommands that call Meta need WHATSAPP_FLOWS_ACCESS_TOKEN and "
        "WHATSAPP_FLOWS_WABA_ID in the environment. The demo needs no account."
    ),
)
flows = Group(name="flows", help="Show, change and publish single flows.")
endpoint = Group(name="endpoint", help="Check or serve a data exchange endpoint.")
endpoint.add_command(check)
endpoint.add_command(serve)
program.add_section("Deployment", plan_command, apply_command, sync_command, drift_command, status_command)
program.add_section("Files", validate_command, upgrade_command, graph_command, pull_command, import_command)
program.add_section("Writing", to_python_command, types_command, schema_command, lsp_command)
program.add_section("Play", preview_command, play_command)
program.add_section("Single calls", flows, keys)
program.add_section("Endpoint", endpoint)
program.add_section("Tools", demo, emulate, explain)


@flows.command("list")
@click.pass_obj
def list_(app: App) -> FlowList:
    """List the flows of the account."""
    with app.client(app.progress_reporter(), account=True) as client:
        return FlowList(flows=tuple(client.list_flows()))


@flows.command()
@click.argument("flow", metavar="ID")
@click.option("--phone-number", "phone_number_id", metavar="ID", help="Show the health on this phone number.")
@click.pass_obj
def get(app: App, flow: str, phone_number_id: str | None) -> FlowDetails:
    """
    Show a flow, its validation errors and its health.

    ID may also be the name of a flow in the account.
    """
    with app.client(app.progress_reporter(), account=not _may_be_id(flow)) as client:
        found = _found(client, flow)
        try:
            health = client.get_health(found.id, phone_number_id=phone_number_id)
        except FlowsError:
            if phone_number_id is not None:
                raise
            health = None  # show the flow without it
        return FlowDetails(flow=found, health=health)


def _may_be_id(text: str) -> bool:
    return text.isascii() and text.isdigit()


def _found(client: FlowsClient, text: str) -> Flow:
    """The flow with that id or, in the client's account, with that name. A name may consist of digits."""
    missing: NotFoundError | None = None
    if _may_be_id(text):
        try:
            return client.get_flow(text)
        except NotFoundError as refusal:
            missing = refusal
    flow = client.find_flow_by_name(text) if missing is None or client.waba_id is not None else None
    if flow is not None:
        return client.get_flow(flow.id)
    if missing is not None:
        raise missing
    raise NotFoundError(
        ErrorDetails(
            message=f"account {client.waba_id} has no flow named {text}.",
            operation="get_flow",
            advice="List the names with: whatsapp-flows flows list.",
        )
    )


@flows.command()
@click.argument("name")
@click.option(
    "--category",
    "categories",
    metavar="CATEGORY",
    multiple=True,
    required=True,
    help=f"Category: {_categories}; repeatable.",
)
@click.option("--file", metavar="FILE", help="Upload this Flow JSON; - for stdin.")
@click.option("--publish", is_flag=True, help="Publish the flow; needs --file.")
@click.option("--clone", metavar="ID", help="Copy the Flow JSON of this flow.")
@click.option("--endpoint", metavar="URL", help="URL of the data exchange endpoint.")
@click.pass_obj
def create(
    app: App,
    name: str,
    categories: tuple[str, ...],
    file: str | None,
    publish: bool,
    clone: str | None,
    endpoint: str | None,
) -> Created:
    """Create a flow: a draft, or with --publish a published flow."""
    if publish and file is None:
        raise click.UsageError("--publish needs --file: a flow without Flow JSON cannot be published.")
    content = None if file is None else read_flow_json(app.read(file))
    with app.client(app.progress_reporter(), account=True) as client:
        try:
            created = client.create_flow(
                name, categories, flow_json=content, publish=publish, clone_flow_id=clone, endpoint_uri=endpoint
            )
        except NameTakenError as taken:
            raise _with_id(client, name, taken) from None
    return Created(name=name, created=created, published=publish)


def _with_id(client: FlowsClient, name: str, taken: NameTakenError) -> NameTakenError:
    """The error with the id of the flow that has the name, if that can be found."""
    try:
        flow = client.find_flow_by_name(name)
    except FlowsError:
        return taken
    if flow is None:
        return taken
    return taken.amended(flow_id=flow.id, advice=f"Flow {flow.id} has this name: use that flow, or another name.")


@flows.command()
@_flow_id
@click.option("--name", metavar="TEXT", help="New name.")
@click.option("--category", "categories", metavar="CATEGORY", multiple=True, help="New category; repeatable.")
@click.option("--endpoint", metavar="URL", help="URL of the data exchange endpoint.")
@click.option("--application", metavar="ID", help="Id of the connected app.")
@click.pass_obj
def update(
    app: App, flow_id: str, name: str | None, categories: tuple[str, ...], endpoint: str | None, application: str | None
) -> Completed:
    """Change the metadata of a flow. A published flow becomes a draft."""
    if not (name or categories or endpoint or application):
        raise click.UsageError("nothing to change: give --name, --category, --endpoint or --application.")
    with app.client(app.progress_reporter()) as client:
        client.update_flow(
            flow_id, name=name, categories=categories or None, endpoint_uri=endpoint, application_id=application
        )
    return Completed(done="updated", id=flow_id, note="It is a draft until you publish it.")


@flows.command()
@_flow_id
@click.argument("file", metavar="FILE|-")
@click.pass_obj
def upload(app: App, flow_id: str, file: str) -> Uploaded:
    """Upload Flow JSON to a flow. A published flow becomes a draft."""
    content = read_flow_json(app.read(file))
    with app.client(app.progress_reporter()) as client:
        return Uploaded(flow_id=flow_id, size=len(content), update=client.update_flow_json(flow_id, content))


@flows.command()
@_flow_id
@click.pass_obj
def publish(app: App, flow_id: str) -> Completed:
    """Publish a draft flow."""
    with app.client(app.progress_reporter()) as client:
        client.publish_flow(flow_id)
    return Completed(done="published", id=flow_id)


@flows.command()
@_flow_id
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@click.pass_obj
def deprecate(app: App, flow_id: str, yes: bool) -> Value:
    """Deprecate a published flow. This cannot be undone."""
    if not yes and not app.confirm(f"Deprecate flow {flow_id}? This cannot be undone."):
        return Declined(id=flow_id)
    with app.client(app.progress_reporter()) as client:
        client.deprecate_flow(flow_id)
    return Completed(done="deprecated", id=flow_id)


@flows.command()
@_flow_id
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@click.pass_obj
def delete(app: App, flow_id: str, yes: bool) -> Value:
    """Delete a draft flow. This cannot be undone."""
    if not yes and not app.confirm(f"Delete flow {flow_id}? This cannot be undone."):
        return Declined(id=flow_id)
    with app.client(app.progress_reporter()) as client:
        client.delete_flow(flow_id)
    return Completed(done="deleted", id=flow_id)


@flows.command()
@_flow_id
@click.option("--invalidate", is_flag=True, help="Invalidate the old link and create a new one.")
@click.pass_obj
def preview(app: App, flow_id: str, invalidate: bool) -> PreviewLink:
    """Show the public preview link of a flow."""
    with app.client(app.progress_reporter()) as client:
        return PreviewLink(flow_id=flow_id, preview=client.get_preview(flow_id, invalidate=invalidate))


@flows.command()
@_flow_id
@click.option("-o", "--output", metavar="FILE", help="Write to FILE instead of stdout.")
@click.pass_obj
def download(app: App, flow_id: str, output: str | None) -> Downloaded:
    """Download the Flow JSON of a flow."""
    with app.client(app.progress_reporter()) as client:
        content = client.download_flow_json(flow_id)
    file = app.write(output, content)
    return Downloaded(flow_id=flow_id, content=content, file=file, raw=content if file is None else None)


@flows.command()
@click.argument("source_waba")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.pass_obj
def migrate(app: App, source_waba: str, names: tuple[str, ...]) -> Migrated:
    """Copy flows from another account of the same business."""
    with app.client(app.progress_reporter(), account=True) as client:
        return Migrated(migration=client.migrate_flows(source_waba, names or None))
