"""Operations on the account: migration, phone numbers, webhooks, public keys."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from .._classify import unexpected
from .._wire import Operation, Script
from ..errors import FlowsError
from ..models import FlowStatus, MigratedFlow, Migration, PhoneNumber, PublicKey, SubscribedApp
from ._arguments import name_list, path_id, public_pem
from ._flows import list_flows
from ._graph import Api, all_items, read_list, read_object, send_and_parse, write

MIGRATE_BATCH_SIZE: Final = 100  # flows in one request ("Flows API", Migrate Flows)
_MIGRATE_FAILED: Final = 4233041  # has two meanings, which only Meta's message distinguishes
_SAME_NAME: Final = "same name"  # "Flow with the same name exists in destination WABA"


def migrate_flows(api: Api, source_waba_id: str, names: Sequence[str] | None) -> tuple[Operation[Migration], ...]:
    """Copy another account's flows: one operation for each 100 names, or one for all flows."""
    path_id("source_waba_id", source_waba_id)
    if names is None:
        return (_migrate(api, {"source_waba_id": source_waba_id}),)
    batches = [names[start : start + MIGRATE_BATCH_SIZE] for start in range(0, len(names) or 1, MIGRATE_BATCH_SIZE)]
    forms = [{"source_waba_id": source_waba_id, "source_flow_names": name_list(batch)} for batch in batches]
    return tuple(_migrate(api, form) for form in forms)


def merge_migrations(migrations: Iterable[Migration]) -> Migration:
    """The results of several requests as one."""
    parts = tuple(migrations)
    return Migration(
        migrated=tuple(flow for migration in parts for flow in migration.migrated),
        failed=tuple(failure for migration in parts for failure in migration.failed),
        raw=tuple(answer for migration in parts for answer in migration.raw),
    )


def _migrate(api: Api, form: Mapping[str, str]) -> Operation[Migration]:
    """
    One request to copy flows.

    After a lost answer it is sent again. Names that Meta then refuses because they exist are looked up.
    """
    request = api.post("migrate_flows", f"{api.account()}/migrate_flows", form)

    def script(_: int) -> Script[Migration]:
        answer = yield request
        found = read_object(answer, request)
        if "migrated_flows" not in found and "failed_flows" not in found:
            raise unexpected("Meta's answer names no flows.", request, answer)
        return Migration.parse(found)

    def recover(_: tuple[FlowsError, ...]) -> Script[Migration | None]:
        migration = yield from script(1)
        existing: dict[str, str] = {}
        if any(_name_exists(failure.error_code, failure.error_message) for failure in migration.failed):
            flows = yield from all_items(list_flows(api, fields="id,name,status"))
            existing = {flow.name: flow.id for flow in flows if flow.status != FlowStatus.DEPRECATED}
        adopted = tuple(
            MigratedFlow(source_name=it.source_name, source_id=None, migrated_id=existing[it.source_name], adopted=True)
            for it in migration.failed
            if it.source_name in existing and _name_exists(it.error_code, it.error_message)
        )
        names_adopted = {flow.source_name for flow in adopted}
        return Migration(
            migrated=migration.migrated + adopted,
            failed=tuple(it for it in migration.failed if it.source_name not in names_adopted),
            raw=migration.raw,
        )

    return Operation(
        name="migrate_flows",
        script=script,
        subject=f"source WABA ID: {form['source_waba_id']}",
        idempotent=False,
        recover=recover,
    )


def _name_exists(code: int | None, message: str) -> bool:
    return code == _MIGRATE_FAILED and _SAME_NAME in message.lower()


def list_phone_numbers(api: Api) -> Operation[tuple[PhoneNumber, ...]]:
    """The account's phone numbers, all of them."""
    account = api.account()
    request = api.get("list_phone_numbers", f"{account}/phone_numbers")
    return read_list(request, PhoneNumber.parse, f"WABA ID: {account}")


def subscribe_app(api: Api) -> Operation[bool]:
    """Subscribe the token's app to the account's webhooks, as publishing a flow with an endpoint requires."""
    account = api.account()
    return write(api.post("subscribe_app", f"{account}/subscribed_apps"), f"WABA ID: {account}")


def list_subscribed_apps(api: Api) -> Operation[tuple[SubscribedApp, ...]]:
    """The apps that receive the account's webhooks."""
    account = api.account()
    request = api.get("list_subscribed_apps", f"{account}/subscribed_apps")
    return read_list(request, SubscribedApp.parse, f"WABA ID: {account}")


def set_public_key(api: Api, phone_number_id: str, pem: str | bytes) -> Operation[bool]:
    """Upload the key that Meta encrypts with for a phone number; it replaces the previous one."""
    path = f"{path_id('phone_number_id', phone_number_id)}/whatsapp_business_encryption"
    request = api.post("set_public_key", path, {"business_public_key": public_pem(pem)})
    return write(request, f"phone number ID: {phone_number_id}")


def get_public_key(api: Api, phone_number_id: str) -> Operation[PublicKey]:
    """The key that Meta holds for a phone number, and whether its signature is valid."""
    path = f"{path_id('phone_number_id', phone_number_id)}/whatsapp_business_encryption"
    request = api.get("get_public_key", path)
    return Operation(
        name="get_public_key",
        script=lambda _: send_and_parse(request, PublicKey.parse),
        subject=f"phone number ID: {phone_number_id}",
    )
