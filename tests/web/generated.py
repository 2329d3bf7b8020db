"""What a program does with the client that was generated: run with its package on the path.

    python generated.py URL KEY PICTURE

Prints what came of it as JSON.
"""

from __future__ import annotations

import hashlib
import io
import json
import sys
import time
from pathlib import Path

from generated_client import AuthenticatedClient, Client
from generated_client.api.pictures import (
    download_picture,
    get_queue,
    get_status,
    head_picture,
    upload_picture,
)
from generated_client.api.server import get_about, get_health
from generated_client.models import (
    About,
    Accepted,
    AskedFormat,
    DownloadFormat,
    Error,
    ErrorCode,
    Fit,
    Health,
    State,
    Status,
    Upload,
)
from generated_client.types import File


def main(url: str, key: str, picture: Path) -> None:
    """Upload, wait, download, and be refused."""
    stranger = Client(base_url=url, timeout=60)
    client = AuthenticatedClient(base_url=url, token=key, timeout=60)

    assert isinstance(get_health.sync(client=stranger), Health)
    refused = get_about.sync(client=stranger)
    assert isinstance(refused, Error)
    assert refused.error is ErrorCode.UNAUTHORIZED
    about = get_about.sync(client=client)
    assert isinstance(about, About)
    assert picture.stat().st_size < about.max_upload_size_bytes

    def file() -> File:
        return File(io.BytesIO(picture.read_bytes()), picture.name, "image/jpeg")

    plain = upload_picture.sync(client=client, body=Upload(picture=file()))
    assert isinstance(plain, Accepted)
    small = Upload(
        picture=file(), format_=AskedFormat.AVIF, width=60, height=40, fit=Fit.COVER, q=50
    )
    sized = upload_picture.sync(client=client, body=small)
    assert isinstance(sized, Accepted)
    assert sized.options.width == 60
    assert plain.md5 == sized.md5 == hashlib.md5(picture.read_bytes()).hexdigest()

    deadline = time.monotonic() + 60
    while True:
        jobs = get_status.sync(sized.md5, client=client)
        assert all(isinstance(job, Status) for job in jobs)
        if all(job.status is State.DONE for job in jobs):
            break
        assert time.monotonic() < deadline, jobs
        time.sleep(0.05)
    nothing = get_queue.sync(sized.md5, client=client)
    assert isinstance(nothing, Error)
    assert nothing.error is ErrorCode.NOT_FOUND

    webp = download_picture.sync_detailed(sized.md5, client=client, format_=DownloadFormat.WEBP)
    assert isinstance(webp.parsed, File)
    avif = download_picture.sync(
        sized.md5,
        client=client,
        format_=DownloadFormat.AVIF,
        width=60,
        height=40,
        fit=Fit.COVER,
        q=50,
    )
    part = download_picture.sync_detailed(
        sized.md5, client=client, format_=DownloadFormat.WEBP, range_="bytes=0-9"
    )
    head = head_picture.sync_detailed(sized.md5, client=client, format_=DownloadFormat.WEBP)
    assert head.headers["etag"] == webp.headers["etag"]
    missing = download_picture.sync_detailed(sized.md5, client=client, format_=DownloadFormat.GIF)

    wrong = Upload(picture=file(), width=0)
    wrongs = [
        upload_picture.sync_detailed(client=client, body=wrong),
        upload_picture.sync_detailed(
            client=client, body=Upload(picture=File(io.BytesIO(b"no"), "no.jpg"))
        ),
        missing,
    ]
    assert all(isinstance(answer.parsed, Error) for answer in wrongs)
    folder = picture.parent
    (folder / "plain.webp").write_bytes(webp.parsed.payload.read())
    (folder / "small.avif").write_bytes(avif.payload.read())
    print(
        json.dumps(
            {
                "formats": [job.format_.value for job in jobs],
                "errors": [[int(a.status_code), a.parsed.error.value] for a in wrongs],
                "part": [int(part.status_code), len(part.parsed.payload.read())],
                "head": int(head.status_code),
            }
        )
    )


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
