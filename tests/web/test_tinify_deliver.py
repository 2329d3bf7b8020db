"""Results sent to a bucket that a client names."""

from __future__ import annotations

import asyncio
import secrets
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import obstore
import pytest
from obstore.store import S3Store

from app.core.errors import DeliveryFailed, InvalidOption
from app.outgoing.rules import Rules
from app.web.tinify.deliver import Deliveries
from app.web.tinify.delivery import GOOGLE, parse_delivery
from tests.hosts import host
from tests.s3 import BUCKET, KEY_ID, SECRET, S3Server

RULES = Rules(allowed_networks=("127.0.0.1/32",))
DATA = bytes(range(256)) * 100


def _given(server: S3Server | None = None, **more: Any) -> dict[str, Any]:
    return {
        "service": "s3",
        "aws_access_key_id": KEY_ID,
        "aws_secret_access_key": SECRET,
        "region": "us-east-1",
        "path": f"{BUCKET}/delivered/{secrets.token_hex(4)} ä+&=(1).png",
        **({"endpoint": server.url} if server else {}),
        **more,
    }


def _send(given: dict[str, Any], rules: Rules = RULES, *, own_endpoints: bool = True) -> str:
    async def scenario() -> str:
        deliveries = Deliveries(rules, own_endpoints=own_endpoints)
        return await deliveries.deliver(parse_delivery(given), DATA, "image/png")

    return asyncio.run(scenario())


@pytest.mark.parametrize("acl", [None, "no-acl", "public-read"])
def test_a_result_is_stored_in_s3(acl: str | None, session_s3: S3Server) -> None:
    given = _given(session_s3, acl=acl, headers={"Cache-Control": "public,  max-age=31536000"})
    url = _send(given)
    key = given["path"].partition("/")[2]
    assert url.startswith(f"{session_s3.url}/{BUCKET}/delivered/")
    store = S3Store(
        BUCKET,
        endpoint=session_s3.url,
        region="us-east-1",
        access_key_id=KEY_ID,
        secret_access_key=SECRET,
        virtual_hosted_style_request=False,
        client_options={"allow_http": True},
    )
    result = obstore.get(store, key)
    assert bytes(result.bytes()) == DATA
    assert result.attributes["Content-Type"] == "image/png"


def test_what_the_server_refuses_is_said(session_s3: S3Server) -> None:
    with pytest.raises(DeliveryFailed) as failed:
        _send(_given(session_s3, aws_secret_access_key="another-secret"))
    assert "signature" in str(failed.value).lower() or "403" in str(failed.value)
    with pytest.raises(DeliveryFailed):
        _send(_given(session_s3, path="nowhere/to/be.png"))


def test_an_endpoint_is_held_to_the_rules_of_all_requests(session_s3: S3Server) -> None:
    with pytest.raises(InvalidOption, match="does not lead to a public address"):
        _send(_given(session_s3), Rules())
    with pytest.raises(InvalidOption, match="is not allowed here"):
        _send(_given(session_s3), own_endpoints=False)


def test_the_places_are_those_of_the_clouds() -> None:
    s3 = parse_delivery(_given(path="bucket/a b/c.png", region="eu-central-1", acl="private"))
    assert s3.url == "https://s3.eu-central-1.amazonaws.com/bucket/a%20b/c.png"
    assert s3.headers == {"x-amz-acl": "private"}
    gcs = parse_delivery(
        {"service": "gcs", "gcp_access_token": "a-token", "path": "bucket/c.png", "headers": {}}
    )
    assert gcs.url == f"{GOOGLE}/bucket/c.png"
    for delivery in (s3, gcs):
        assert SECRET not in repr(delivery)
        assert "a-token" not in repr(delivery)


@pytest.mark.parametrize(
    "wrong",
    [
        *({"service": name} for name in ("azure", None, 5)),
        *(
            {"path": path}
            for path in ("", "bucket", "bucket/", "b/../c", "bucket//c", "bucket/a\nb")
        ),
        *({"path": path} for path in (5, "buck et/a", "bucket/" + "a" * 2000, "../b/a", "bu?x/a")),
        *({"region": region} for region in ("", "evil.example.org/", "US", None, ["us-east-1"])),
        *({"endpoint": place} for place in ("", "ftp://a", "http://u:p@a", "http://a/b", 5)),
        *({"aws_access_key_id": key} for key in (None, "", "a\r\nb", "ä", 7)),
        {"acl": "everybody"},
        *({"headers": {name: "a"}} for name in ("Host", "Authorization", "x-amz-acl", "a\r\nb")),
        *({"headers": {"Cache-Control": value}} for value in ("a\r\nb: c", 5, "ä")),
        {"headers": ["a"]},
    ],
)
def test_what_is_wrong_is_said_without_its_value(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidOption) as refused:
        parse_delivery(_given(**wrong))
    assert str(refused.value).startswith("'store")
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize("given", [None, "s3", [], {"service": "gcs", "path": "bucket/a"}])
def test_what_is_no_delivery_is_refused(given: object) -> None:
    with pytest.raises(InvalidOption):
        parse_delivery(given)


def test_google_is_sent_the_token_and_the_headers() -> None:
    given = {
        "service": "gcs",
        "gcp_access_token": "a-token",
        "path": "bucket/c.png",
        "headers": {"Cache-Control": "no-store"},
    }

    async def scenario(url: str) -> str:
        delivery = replace(parse_delivery(given), endpoint=url)
        return await Deliveries(RULES, own_endpoints=False).deliver(delivery, DATA, "image/png")

    with host() as server:
        assert asyncio.run(scenario(server.url)) == f"{server.url}/bucket/c.png"
        ((path, headers),) = server.requests
    assert path == "/bucket/c.png"
    assert headers["authorization"] == "Bearer a-token"
    assert headers["cache-control"] == "no-store"
    assert headers["content-type"] == "image/png"
    assert headers["content-length"] == str(len(DATA))


def test_a_server_that_hangs_holds_up_no_thread_of_the_storage() -> None:
    async def scenario() -> None:
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))
        connected, over = asyncio.Event(), asyncio.Event()

        async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            connected.set()
            await over.wait()
            writer.close()

        server = await asyncio.start_server(hang, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        delivery = parse_delivery(_given(endpoint=f"http://127.0.0.1:{port}"))
        deliveries = Deliveries(RULES, own_endpoints=True)
        sending = asyncio.create_task(deliveries.deliver(delivery, DATA, "image/png"))
        try:
            await connected.wait()
            sending.cancel()  # its client has gone
            await asyncio.wait_for(asyncio.to_thread(int), 5)
        finally:
            over.set()
            server.close()

    asyncio.run(scenario())
