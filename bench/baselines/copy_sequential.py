"""The next step that samples take: copy every range from its URL, one after the other.

No byte comes through the client, but each call waits for the one before.
"""

from azure.storage.blob import BlobClient

CHUNK = 4 * 1024 * 1024


def copy(source: BlobClient, target: BlobClient, authorization: str) -> None:
    target.create_page_blob(source.get_blob_properties().size)
    for page_range in source.list_page_ranges():
        start, end = page_range["start"], page_range["end"] + 1
        for offset in range(start, end, CHUNK):
            target.upload_pages_from_url(
                source.url,
                offset=offset,
                length=min(CHUNK, end - offset),
                source_offset=offset,
                source_authorization=authorization,
            )
