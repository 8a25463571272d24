"""whatsapp-flows 0.1.0: a package of our import name, which is why it has an environment of its own."""

import json
import os
import tempfile

from common import DOCUMENT, expect, version_path

from whatsapp_flows import FlowsManager

manager = FlowsManager("EAAinterop", os.environ["EMULATOR_WABA_ID"], os.environ["EMULATOR_PHONE_NUMBER_ID"])
manager.base_url = os.environ["EMULATOR_URL"] + version_path(manager.base_url)

with tempfile.TemporaryDirectory() as folder:
    os.chdir(folder)
    with open("flow.json", "w") as file:
        json.dump(DOCUMENT, file)
    with open("other.json", "w") as file:
        json.dump(DOCUMENT, file)
    flow_id = manager.create_flow("survey")
    expect(flow_id)
    uploaded = manager.upload_flow_json(flow_id, "flow.json").json()
    expect(uploaded == {"success": True, "validation_errors": []}, uploaded)
    # It sends the name of the file as `name`, which Meta wants to be flow.json.
    refused = manager.upload_flow_json(flow_id, "other.json")
    expect(refused.status_code == 400, refused.text)
    expect(manager.update_flow_json(flow_id, "other.json").json()["success"])
expect(manager.update_flow(flow_id, "survey 2").json() == {"success": True})
details = manager.get_flow_details(flow_id).json()
expect((details["name"], details["status"]) == ("survey 2", "DRAFT"), details)
expect("preview_url" in manager.simulate_flow(flow_id).json()["preview"])
expect([flow["id"] for flow in manager.list_flows().json()["data"]] == [flow_id])
expect(manager.get_flow_assets(flow_id).json()["data"][0]["name"] == "flow.json")
expect(manager.publish_flow(flow_id).json() == {"success": True})
expect(manager.deprecate_flow(flow_id).json() == {"success": True})
expect(manager.delete_flow(manager.create_flow("gone")).json() == {"success": True})
