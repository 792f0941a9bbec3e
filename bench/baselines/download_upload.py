"""The usual sample: download every allocated range, upload it, go on to the next."""

from azure.storage.blob import BlobClient

CHUNK = 4 * 1024 * 1024


def copy(source: BlobClient, target: BlobClient, authorization: str) -> None:
    target.create_page_blob(source.get_blob_properties().size)
    for page_range in source.list_page_ranges():
        start, end = page_range["start"], page_range["end"] + 1
        for offset in range(start, end, CHUNK):
            length = min(CHUNK, end - offset)
            content = source.download_blob(offset=offset, length=length).readall()
            target.upload_page(content, offset=offset, length=length)
