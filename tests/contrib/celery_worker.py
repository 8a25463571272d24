"""What a worker process of the tests is started with: `celery -A tests.contrib.celery_worker:app worker`."""

from __future__ import annotations

import json
import os

from tests.contrib.celery_host import host

app = host(json.loads(os.environ["FLOWS_TEST_HOST"])).deploy_flow.app
