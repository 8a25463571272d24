"""pywa, asynchronous: the same calls as in pywa_sync.py, awaited."""

import asyncio
import os

import httpx
from common import DOCUMENT, PEM, expect, version_path
from pywa_async import WhatsApp
from pywa_async.types import FlowCategory

URL, WABA, NUMBER = os.environ["EMULATOR_URL"], os.environ["EMULATOR_WABA_ID"], os.environ["EMULATOR_PHONE_NUMBER_ID"]


async def main():
    async with httpx.AsyncClient() as session:
        wa = WhatsApp(phone_id=NUMBER, token="EAAinterop", session=session, waba_id=WABA)
        session.base_url = URL + version_path(str(session.base_url))

        expect((await wa.get_business_account()).id == WABA)
        expect((await wa.get_business_phone_number()).id == NUMBER)
        created = await wa.create_flow("pywa", [FlowCategory.OTHER])
        update = await wa.update_flow_json(created.id, DOCUMENT)
        expect(update.success and not update.validation_errors, update)
        faulty = await wa.update_flow_json(created.id, {"version": "7.3", "screens": []})
        expect([error.error for error in faulty.validation_errors] == ["MIN_ITEMS_REQUIRED"], faulty)
        await wa.update_flow_json(created.id, DOCUMENT)
        await wa.update_flow_metadata(created.id, name="pywa 2", application_id=20300000000000002)
        flow = await wa.get_flow(created.id)
        expect((flow.name, flow.status) == ("pywa 2", "DRAFT"), flow)
        flows = [each.name for each in await wa.get_flows()]
        expect(flows == ["pywa 2"], flows)
        assets = [asset.name for asset in await wa.get_flow_assets(created.id)]
        expect(assets == ["flow.json"], assets)
        await wa.publish_flow(created.id)
        await wa.deprecate_flow(created.id)
        draft = await wa.create_flow("pywa draft", [FlowCategory.OTHER], flow_json=DOCUMENT)
        await wa.delete_flow(draft.id)
        expect((await wa.set_business_public_key(PEM)).success)


asyncio.run(main())
