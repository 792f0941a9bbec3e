"""The Functions app: every function of the Image Factory, registered."""

import azure.functions as func

from functions import api, archive, builds, poison, releases, retention, sources, sweep
from shared import telemetry

telemetry.configure()
app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)
for room in (sources, builds, archive, releases, retention, sweep, poison, api):
    app.register_functions(room.blueprint)
