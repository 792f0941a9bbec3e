"""What a deployment makes before the app runs: queues, tables, containers, scripts, role assignments."""

from pathlib import Path
from typing import Final

from sandbox.arm.roles import IMAGE_FACTORY, Roles
from sandbox.arm.storage import BlobAddress
from sandbox.azure import Setting
from sandbox.identity.tokens import FACTORY
from sandbox.storage.writer import Writer

LANES: Final = ("sources", "builds", "archive", "releases", "retention")
QUEUES: Final = tuple(f"{lane}{suffix}" for lane in LANES for suffix in ("", "-poison"))
TABLES: Final = ("ledger",)
CONTAINERS: Final = (("archive", "images"), ("scripts", "scripts"))

# What the app's identity may do, and where: {subscription}, {group} and {account} are filled in.
_GROUP: Final = "/subscriptions/{subscription}/resourceGroups/{group}"
_ACCOUNT: Final = f"{_GROUP}/providers/Microsoft.Storage/storageAccounts"
FACTORY_ASSIGNMENTS: Final = (
    (IMAGE_FACTORY.name, "/subscriptions/{subscription}"),
    ("Storage Blob Data Contributor", f"{_ACCOUNT}/factory"),
    ("Storage Queue Data Contributor", f"{_ACCOUNT}/factory"),
    ("Storage Table Data Contributor", f"{_ACCOUNT}/factory"),
    ("Storage Blob Data Contributor", f"{_ACCOUNT}/archive"),
    # Staging accounts have names that nobody knows beforehand.
    ("Storage Blob Data Reader", "/subscriptions/{subscription}"),
    ("EventGrid Data Sender", f"{_GROUP}/providers/Microsoft.EventGrid/topics/image-factory"),
)


def provision(writer: Writer, config: Path) -> list[str]:
    """Make what is missing; return the names of the scripts that were uploaded."""
    for queue in QUEUES:
        writer.create_queue("factory", queue)
    for table in TABLES:
        writer.create_table("factory", table)
    for account, container in CONTAINERS:
        writer.create_container(account, container)
    folder = config.parent / "scripts"
    scripts = sorted(path for path in folder.glob("**/*") if path.is_file())
    names = [path.relative_to(folder).as_posix() for path in scripts]
    for path, name in zip(scripts, names, strict=True):
        writer.write_bytes(BlobAddress("scripts", "scripts", name), path.read_bytes())
    return names


def assign_roles(roles: Roles, setting: Setting) -> None:
    """Give the app's identity exactly these roles."""
    roles.revoke(FACTORY)
    for role, scope in FACTORY_ASSIGNMENTS:
        roles.assign(FACTORY, role, scope.format(subscription=setting.subscription, group=setting.group))
