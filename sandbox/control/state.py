"""What is going on in the world, on one page."""

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from sandbox.arm.imagebuilder.template import Template
    from sandbox.running import RunningSandbox


def summary(sandbox: "RunningSandbox") -> dict[str, object]:
    azure = sandbox.azure
    published = msgspec.structs.asdict(sandbox.published)
    services = ("arm", "identity", "blob", "queue", "table", "eventgrid", "functions", "control", "ca")
    return {
        "time": azure.clock.now(),
        "speed": sandbox.options.speed,
        "endpoints": {name: published[name] for name in services},
        "subscribed": sandbox.subscribed.is_set(),
        "host": sandbox.host.pid if sandbox.host else None,
        "storage_accounts": sorted(sandbox.storage.accounts),
        "templates": [_template(each) for each in azure.imagebuilder.templates()],
        "next_due": azure.next_due(),
        "events_pending": len(azure.eventgrid.outbox.pending()),
        "events_dead": len(azure.eventgrid.outbox.dead),
        "faults": [fault.id for fault in azure.faults.list()],
        "calls": len(azure.calls),
    }


def _template(template: "Template") -> dict[str, object]:
    last = template.last_run
    return {
        "id": template.id,
        "provisioning_state": template.state,
        "running": template.run is not None,
        "last_run": last,
        "planned": len(template.planned),
    }
