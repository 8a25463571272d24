"""pywa, synchronous: its httpx session is given the emulator as its base URL once pywa has set its own."""

import os

import httpx
from common import DOCUMENT, PEM, expect, version_path
from pywa import WhatsApp
from pywa.types import FlowCategory, FlowMetricGranularity, FlowMetricName

URL, WABA, NUMBER = os.environ["EMULATOR_URL"], os.environ["EMULATOR_WABA_ID"], os.environ["EMULATOR_PHONE_NUMBER_ID"]

with httpx.Client() as session:
    wa = WhatsApp(phone_id=NUMBER, token="EAAinterop", session=session, waba_id=WABA)
    session.base_url = URL + version_path(str(session.base_url))

    account = wa.get_business_account()
    expect(account.id == WABA, account)
    expect(wa.get_business_phone_number().id == NUMBER)
    expect([number.id for number in wa.get_business_phone_numbers()] == [NUMBER])

    created = wa.create_flow("pywa", [FlowCategory.OTHER])
    update = wa.update_flow_json(created.id, DOCUMENT)
    expect(update.success, update)
    expect(not update.validation_errors, update)
    faulty = wa.update_flow_json(created.id, {"version": "7.3", "screens": []})
    expect([error.error for error in faulty.validation_errors] == ["MIN_ITEMS_REQUIRED"], faulty)
    unknown = wa.update_flow_json(created.id, {**DOCUMENT, "version": "99.0"})
    expect([error.error for error in unknown.validation_errors] == ["INVALID_FLOW_JSON_VERSION"], unknown)
    wa.update_flow_json(created.id, DOCUMENT)
    wa.update_flow_metadata(
        created.id, name="pywa 2", categories=[FlowCategory.SURVEY], application_id=20300000000000002
    )
    flow = wa.get_flow(created.id, phone_number_id=NUMBER)
    expect((flow.name, flow.status) == ("pywa 2", "DRAFT"), flow)
    expect(flow.application is not None and flow.application.id == "20300000000000002", flow)
    expect(len(list(wa.get_flows())) == 1)
    expect([asset.name for asset in wa.get_flow_assets(created.id)] == ["flow.json"])
    clone = wa.create_flow("pywa clone", [FlowCategory.OTHER], clone_flow_id=created.id)
    whole = wa.create_flow("pywa whole", [FlowCategory.OTHER], flow_json=DOCUMENT, publish=True)
    expect(wa.get_flow(whole.id).status == "PUBLISHED")
    wa.publish_flow(created.id)
    wa.deprecate_flow(created.id)
    wa.delete_flow(clone.id)
    try:
        wa.get_flow_metrics(created.id, FlowMetricName.ENDPOINT_REQUEST_COUNT, FlowMetricGranularity.DAY)
    except Exception as refusal:
        expect("139006" in str(refusal) or getattr(refusal, "code", None) == 139006, refusal)
    other = os.environ["EMULATOR_OTHER_WABA_ID"]
    migrated = wa.migrate_flows(WABA, ["pywa 2", "nonsense"], destination_waba_id=other)
    expect(len(migrated.migrated_flows) == 1 and len(migrated.failed_flows) == 1, migrated)
    expect(wa.set_business_public_key(PEM).success)
    expect(wa.override_waba_callback_url("https://hooks.example/wa", "verify").success)
    expect(wa.delete_waba_callback_url().success)
