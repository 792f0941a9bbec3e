"""Orders about the Functions host: it can be stopped, killed and started while the world goes on."""

from typing import TYPE_CHECKING

from sandbox.control.orders import HostOrder, Refused

if TYPE_CHECKING:
    from sandbox.hostprocess import HostProcess
    from sandbox.running import RunningSandbox


class Hosting:
    def __init__(self, sandbox: "RunningSandbox") -> None:
        self._sandbox = sandbox

    def status(self) -> object:
        host = self._host()
        return {
            "pid": host.pid,
            "running": host.pid is not None,
            "starts": host.starts,
            "last_exit": host.last_exit,
            "restart": host.restart,
        }

    def policy(self, order: HostOrder) -> object:
        self._host().restart = order.restart
        return self.status()

    async def order(self, name: str) -> object:
        host = self._host()
        match name:
            case "kill":
                host.kill()
            case "start":
                await host.start()
            case "stop":
                await host.stop()
            case "restart":
                await host.stop()
                await host.start()
            case _:
                raise Refused(f"The host can be told kill, start, stop or restart, not {name!r}.", 404)
        return self.status()

    def _host(self) -> "HostProcess":
        if self._sandbox.host is None:
            raise Refused("This sandbox runs --without-functions: the host is not its child.", 409)
        return self._sandbox.host
