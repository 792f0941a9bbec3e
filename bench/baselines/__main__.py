"""`python -m bench.baselines NAME SOURCE_URL TARGET_URL SECONDS`, with the app's settings in the environment.

After so many seconds nobody waits any longer: a sample that is refused sleeps before it tries again, and a
copy that meets the limits of the service takes minutes that way.
"""

import contextlib
import importlib
import json
import signal
import sys
import time

from azure.identity import DefaultAzureCredential
from azure.storage.blob import BlobClient, ExponentialRetry


class Enough(BaseException):
    """Not an Exception: the SDK would take that for a broken connection, and try again."""


def main(name: str, source_url: str, target_url: str, patience: str) -> None:
    credential = DefaultAzureCredential()
    bearer = "Bearer " + credential.get_token("https://storage.azure.com/.default").token
    # The SDK's own first back-off is 15 s: nothing would come of a copy here.
    retry = ExponentialRetry(initial_backoff=1, increment_base=2, retry_total=10)
    source = BlobClient.from_blob_url(source_url, credential=credential, retry_policy=retry)
    target = BlobClient.from_blob_url(target_url, credential=credential, retry_policy=retry)
    script = importlib.import_module(f"bench.baselines.{name}")
    signal.signal(signal.SIGALRM, _give_up)
    signal.setitimer(signal.ITIMER_REAL, float(patience))
    began = time.monotonic()
    with contextlib.suppress(Enough):
        script.copy(source, target, bearer)
    seconds = time.monotonic() - began
    signal.setitimer(signal.ITIMER_REAL, 0)
    arrived = sum(r["end"] + 1 - r["start"] for r in target.list_page_ranges())
    print(json.dumps({"seconds": seconds, "copied": arrived}))


def _give_up(*_: object) -> None:
    raise Enough


if __name__ == "__main__":
    main(*sys.argv[1:])
