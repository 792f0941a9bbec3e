"""A small app with one function of each kind, for the host's own tests."""

import asyncio
import json
import logging
import os
import threading
from pathlib import Path

import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)


def note(**said: object) -> None:
    """Leave a line for the test that looks at what was called."""
    with Path(os.environ["HOST_TEST_NOTES"]).open("a") as file:
        file.write(json.dumps(said) + "\n")


@app.route("items/{name}/{number:int?}", methods=["GET", "POST"])
def items(req: func.HttpRequest) -> func.HttpResponse:
    if req.params.get("fail"):
        raise RuntimeError("asked to fail")
    answer = {"route": dict(req.route_params), "method": req.method, "body": req.get_body().decode()}
    return func.HttpResponse(json.dumps(answer), status_code=201, mimetype="application/json")


@app.route("special", auth_level=func.AuthLevel.ANONYMOUS)
async def special(req: func.HttpRequest, context: func.Context) -> str:
    await asyncio.sleep(0)
    logging.getLogger("app").warning("special was asked")
    return f"{context.function_name} {bool(context.invocation_id)} {context.trace_context.trace_parent}"


@app.route("secrets/{*path}", auth_level=func.AuthLevel.ADMIN)
def secrets(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse(req.route_params["path"], headers={"Set-Cookie": "a=1"})


@app.timer_trigger("timer", "%HOST_TEST_SCHEDULE%")
def tick(timer: func.TimerRequest) -> None:
    note(function="tick", past_due=timer.past_due)


@app.queue_trigger("message", "builds", "TestStorage")
def build(message: func.QueueMessage) -> None:
    said = message.get_json()
    note(function="build", said=said, count=message.dequeue_count, id=message.id)
    if said.get("hang") and message.dequeue_count == 1:
        threading.Event().wait(60)
    if said.get("fail", 0) >= (message.dequeue_count or 0):
        raise RuntimeError("asked to fail")


@app.queue_trigger("message", "builds-poison", "TestStorage")
async def build_poison(message: func.QueueMessage) -> None:
    note(function="build_poison", said=message.get_json(), count=message.dequeue_count)


@app.event_grid_trigger("event")
def seen(event: func.EventGridEvent) -> None:
    note(function="seen", id=event.id, type=event.event_type, data=event.get_json())
    if event.subject == "fail":
        raise RuntimeError("asked to fail")
