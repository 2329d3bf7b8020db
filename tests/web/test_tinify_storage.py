"""The Tinify API with any storage: the upload is kept and read again."""

from __future__ import annotations

from tests.pictures import opened, snapshot
from tests.service import Client

AUTH = ("api", "any key")


def test_further_results_are_made_of_an_upload_with_any_storage(client: Client) -> None:
    data = snapshot()
    first, again = (client.http.post("/shrink", content=data, auth=AUTH) for _ in range(2))
    assert first.status_code == again.status_code == 201, first.text
    assert first.headers["location"] != again.headers["location"]
    told = first.json()["output"]
    result = client.http.get(first.headers["location"])
    assert len(result.content) == told["size"]
    assert opened(result.content).size == (told["width"], told["height"])
    body = {"resize": {"method": "fit", "width": 90, "height": 90}, "convert": {"type": "*/*"}}
    small = client.http.post(again.headers["location"], json=body, auth=AUTH)
    assert small.status_code == 200, small.text
    assert opened(small.content).size == (90, 60)
    assert int(small.headers["content-length"]) == len(small.content)
