"""kapso-whatsapp-cloud-api: asynchronous; its base URL is an option."""

import asyncio
import os

from common import DOCUMENT, expect
from kapso_whatsapp import WhatsAppClient

URL, WABA = os.environ["EMULATOR_URL"], os.environ["EMULATOR_WABA_ID"]


async def main():
    async with WhatsAppClient(access_token="EAAinterop", base_url=URL, max_retries=0) as client:
        flows = client.flows
        # Its `deploy` creates without categories, which Meta demands.
        try:
            await flows.deploy(DOCUMENT, waba_id=WABA, name="deployed")
        except Exception as refusal:
            expect("categories" in str(refusal), refusal)
        else:
            expect(False, "a flow without categories was created")
        created = await flows.create(waba_id=WABA, name="survey", categories=["SURVEY"])
        expect((await flows.update_asset(flow_id=created["id"], asset=DOCUMENT))["success"])
        again = await flows.deploy(DOCUMENT, waba_id=WABA, name="survey")
        expect(again["published"] and again["flow_id"] == created["id"], again)
        expect((await flows.get(flow_id=created["id"]))["status"] == "PUBLISHED")
        expect([flow["name"] for flow in (await flows.list(waba_id=WABA))["data"]] == ["survey"])
        # Its preview is asked for as an edge, which no page of Meta's knows.
        try:
            await flows.get_preview(flow_id=created["id"])
        except Exception as refusal:
            expect("Unknown path components" in str(refusal), refusal)
        else:
            expect(False, "there is no edge named preview")
        await flows.deprecate(flow_id=created["id"])
        draft = await flows.create(waba_id=WABA, name="draft", categories=["OTHER"])
        await flows.delete(flow_id=draft["id"])


asyncio.run(main())
