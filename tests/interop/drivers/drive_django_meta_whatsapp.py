"""django-meta-whatsapp: its Graph URL is a constant of each module; an account is anything with its attributes."""

import os
from types import SimpleNamespace

from common import DOCUMENT, PEM, expect, version_path
from django.conf import settings

settings.configure()

from django_meta_whatsapp import flows

flows._GRAPH_BASE = os.environ["EMULATOR_URL"] + version_path(flows._GRAPH_BASE)
account = SimpleNamespace(
    access_token="EAAinterop",
    waba_id=os.environ["EMULATOR_WABA_ID"],
    phone_number_id=os.environ["EMULATOR_PHONE_NUMBER_ID"],
)

flow_id = flows.create_flow("survey", ["SURVEY"], account)["id"]
uploaded = flows.upload_flow_json(SimpleNamespace(meta_flow_id=flow_id, flow_json=DOCUMENT), account)
expect(uploaded == {"success": True, "validation_errors": []}, uploaded)
expect(flows.get_flow(flow_id, account)["status"] == "DRAFT")
expect(flows.publish_flow(flow_id, account) == {"success": True})
expect([flow["status"] for flow in flows.list_flows_from_meta(account)] == ["PUBLISHED"])
expect(flows.deprecate_flow(flow_id, account) == {"success": True})
draft = flows.create_flow("draft", ["OTHER"], account)["id"]
expect(flows.delete_flow(draft, account) == {"success": True})
expect(flows.upload_rsa_public_key(PEM, account) == {"success": True})
for name, template in flows.FLOW_TEMPLATES.items():
    made = flows.create_flow(f"template {name}", template["categories"], account)["id"]
    found = flows.upload_flow_json(SimpleNamespace(meta_flow_id=made, flow_json=template["json"]), account)
    print(name, [error["error"] for error in found["validation_errors"]])
try:
    flows.publish_flow(flow_id, account)
except ValueError as refusal:
    expect("Only a Flow in DRAFT can be published" in str(refusal), refusal)
