"""What an image is made from now: its source, its template, and the scripts that the template names.

Asked only where a run would be requested and the schedule starts one `if_changed`: one read per script.
"""

from collections.abc import Iterator

import msgspec

from shared.domain.errors import FactoryError
from shared.domain.factory import Image
from shared.domain.ingredients import Ingredient, digest
from shared.domain.records import ImageRecord
from shared.ports import Outside


def ingredients(out: Outside, image: Image, record: ImageRecord) -> tuple[Ingredient, ...]:
    return tuple(_found(out, image, record))


def _found(out: Outside, image: Image, record: ImageRecord) -> Iterator[Ingredient]:
    body = msgspec.json.encode(msgspec.json.decode(image.body), order="deterministic")
    yield Ingredient("its template", digest(body.decode()))
    version = record.wanted or record.baseline
    if version:
        yield Ingredient("its source", version.text)
    for address in image.scripts:
        try:
            etag = out.scripts.etag(address)
        except FactoryError as error:
            yield Ingredient(address, "", str(error)[:200])
        else:
            if etag is not None:
                yield Ingredient(address, digest(etag))
