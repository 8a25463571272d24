"""
Flows deployed like infrastructure: what is wanted, what is there, a plan, and its application.

    workspace = read_workspace(Path("flows.toml"))
    lock = Lock(workspace.lock_file, account_id=client.waba_id)
    plan = diff(workspace.flows, take_snapshot(client, workspace.flows, lock))
    results = apply(client, plan, lock=lock, jobs=8)
"""
