"""The sweep: what no event told is found all the same."""

import azure.functions as func

from shared.bootstrap import worker

from . import boundary

blueprint = func.Blueprint()


@blueprint.function_name("sweep")
@blueprint.timer_trigger("timer", schedule="%IMAGE_FACTORY_SWEEP_SCHEDULE%")
def on_sweep_timer(timer: func.TimerRequest) -> None:
    from shared.usecases.sweep import sweep  # here: to import the app must stay cheap

    boundary.on_time(worker(), sweep)
