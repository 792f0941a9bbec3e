"""Who calls the HTTP API, and what they may do."""

import enum

import msgspec


class Role(enum.Enum):
    """Each covers those before it."""

    READ = "Factory.Read"
    OPERATE = "Factory.Operate"
    ADMIN = "Factory.Admin"

    def covers(self, other: "Role") -> bool:
        order = list(Role)
        return order.index(self) >= order.index(other)


class Caller(msgspec.Struct, frozen=True):
    """Somebody the platform has let in."""

    by: str
    """As the journal names them."""
    role: Role | None
    """The highest they have; None for somebody who is known and has no role of the factory."""

    def may(self, role: Role) -> bool:
        return self.role is not None and self.role.covers(role)
