"""facebook-business, Meta's own SDK for Python: its Graph URL is an attribute of the session's class."""

import json
import os

from common import DOCUMENT, expect
from facebook_business.adobjects.whatsappbusinessaccount import WhatsAppBusinessAccount
from facebook_business.api import FacebookAdsApi
from facebook_business.exceptions import FacebookRequestError
from facebook_business.session import FacebookSession

FacebookSession.GRAPH = os.environ["EMULATOR_URL"]
api = FacebookAdsApi(FacebookSession(access_token="EAAinterop"))
account = WhatsAppBusinessAccount(os.environ["EMULATOR_WABA_ID"], api=api)

fields = [
    name for key, name in vars(WhatsAppBusinessAccount.Field).items() if not key.startswith("_") and name != "analytics"
]
account.api_get(fields=fields)
expect(account["timezone_id"] == "1", account)
created = account.create_flow(
    fields=["id", "name", "status"],
    params={"name": "survey", "categories": ["SHOPPING"], "flow_json": json.dumps(DOCUMENT), "publish": True},
)
expect((created["name"], created["status"]) == ("survey", "PUBLISHED"), created)
clone = account.create_flow(params={"name": "clone", "categories": ["OTHER"], "clone_flow_id": created["id"]})
expect(sorted(flow["name"] for flow in account.get_flows(fields=["name"], params={"limit": 1})) == ["clone", "survey"])
expect([number["id"] for number in account.get_phone_numbers()] == [os.environ["EMULATOR_PHONE_NUMBER_ID"]])

uri = "https://hooks.example/wa"
account.create_subscribed_app(params={"override_callback_uri": uri, "verify_token": "verify"})
expect(account.get_subscribed_apps()[0]["override_callback_uri"] == uri)
account.delete_subscribed_apps()

other = WhatsAppBusinessAccount(os.environ["EMULATOR_OTHER_WABA_ID"], api=api)
migrated = other.create_migrate_flow(params={"source_waba_id": account["id"], "source_flow_names": ["survey"]})
expect(migrated, migrated)

# A batch: each operation has its own answer.
answers, failures = [], []
batch = api.new_batch()
same = {"name": "batched", "categories": ["OTHER"]}
account.api_get(fields=["name"], batch=batch, success=lambda answer: answers.append(answer.json()))
account.create_flow(
    params={"name": "batched", "categories": ["OTHER"]},
    batch=batch,
    success=lambda answer: answers.append(answer.json()),
)
account.create_flow(
    params={"name": "batched", "categories": ["OTHER"]},
    batch=batch,
    failure=lambda answer: failures.append(answer.error()),
)
batch.add("GET", (clone["id"],), params={"fields": "name"}, success=lambda answer: answers.append(answer.json()))
batch.execute()
expect([answer.get("name") for answer in answers] == [f"Account {account['id']}", None, "clone"], answers)
expect([failure.api_error_subcode() for failure in failures] == [4016019], failures)

try:
    account.create_flow(params={"name": "survey", "categories": ["OTHER"]})
except FacebookRequestError as refusal:
    expect((refusal.api_error_code(), refusal.api_error_subcode()) == (100, 4016019), refusal)
else:
    expect(False, "the name was taken")
