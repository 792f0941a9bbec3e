"""A small app that lives on the sandbox like the real one: tokens by DefaultAzureCredential, one SDK each."""

import json
import os

import azure.functions as func
from azure.identity import DefaultAzureCredential
from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueClient, TextBase64EncodePolicy

QUEUES = "FactoryStorage__queueServiceUri"

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)


@app.route("v1/health", methods=["GET"])
def health(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("well")


@app.route("containers/{account}", methods=["GET"])
def containers(req: func.HttpRequest) -> func.HttpResponse:
    account = os.environ["IMAGE_FACTORY_BLOB_ENDPOINT"].format(account=req.route_params["account"])
    with BlobServiceClient(account, credential=DefaultAzureCredential()) as client:
        return func.HttpResponse(json.dumps([each.name for each in client.list_containers()]))


@app.event_grid_trigger("event")
def changed(event: func.EventGridEvent) -> None:
    """Pass the event on to a queue, as the real app does."""
    account = os.environ[QUEUES]
    encode = TextBase64EncodePolicy()
    with QueueClient(
        account, "builds", credential=DefaultAzureCredential(), message_encode_policy=encode
    ) as queue:
        queue.send_message(event.subject, time_to_live=-1)


@app.queue_trigger("message", "builds", "FactoryStorage")
def look(message: func.QueueMessage) -> None:
    account = os.environ["IMAGE_FACTORY_BLOB_ENDPOINT"].format(account="archive")
    with BlobServiceClient(account, credential=DefaultAzureCredential()) as client:
        name = message.get_body().decode().replace("/", "_")
        client.get_blob_client("images", name).upload_blob(b"seen", overwrite=True)
