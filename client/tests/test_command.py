"""The command: what it takes, where results go, what it says, how it ends."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from client.tests.command import started, tinyimage
from client.tests.standin import RESULT, Answer, Request, Standin, choosing
from tests.pictures import opened, photograph, unique
from tests.service import Service


@pytest.fixture(autouse=True)
def _server(monkeypatch: pytest.MonkeyPatch, fake: Standin) -> None:
    """The stand-in is the server, unless a test names another."""
    monkeypatch.setenv("TINYIMAGE_SERVER", fake.url)


def put(path: Path, size: int = 1000) -> Path:
    """A file that the stand-in takes for a picture, of that many bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(os.urandom(size))
    return path


def files(folder: Path) -> set[str]:
    """What is below a folder."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_a_file_is_compressed_beside_itself(folder: Path, server: Service) -> None:
    original = unique(photograph("rocket"))
    (folder / "rocket.jpg").write_bytes(original)
    ended = tinyimage("rocket.jpg", "--server", server.url)
    assert (ended.status, ended.out) == (0, b"")
    assert files(folder) == {"rocket.jpg", "rocket-tiny.webp"}
    assert (folder / "rocket.jpg").read_bytes() == original
    result = folder / "rocket-tiny.webp"
    assert opened(result.read_bytes()).format == "WEBP"
    first, last = ended.err.splitlines()
    assert first.startswith("rocket.jpg → rocket-tiny.webp  112.5 KB → ")
    assert last.startswith("1 picture: 112.5 KB → ")
    assert last.endswith("%, 1 sent")


def test_a_result_has_the_ending_of_the_format_that_came_out(folder: Path, server: Service) -> None:
    opened(photograph("coffee")).reduce(2).save(folder / "coffee.png")
    arguments = ("coffee.png", "-f", "auto", "--server", server.url, "--json")
    (told,) = tinyimage(*arguments).objects.values()
    (made,) = files(folder) - {"coffee.png"}
    assert made in ("coffee-tiny.avif", "coffee-tiny.webp")
    assert Path(told["target"]).name == made
    assert opened((folder / made).read_bytes()).format == made.rpartition(".")[2].upper()
    again = tinyimage(*arguments, "--overwrite", "never").objects["coffee.png"]
    assert (again["status"], again["code"]) == ("skipped", "exists")


def put_for(format: str, path: Path) -> Path:
    """A picture of which a stand-in that chooses makes this format."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(f"{format}:".encode() + os.urandom(100))
    return path


def test_results_of_different_formats_do_not_collide(folder: Path, fake: Standin) -> None:
    fake.hook = choosing(fake)
    for format, name in (("avif", "logo.jpg"), ("webp", "logo.png"), ("avif", "logo.tif")):
        put_for(format, folder / "two" / name)
    for overwrite in ("never", "all", "all"):
        ended = tinyimage("two", "-o", "out", "-f", "auto", "--json", "--overwrite", overwrite)
        assert ended.status == 1
        told = ended.objects
        targets = {name: (one["target"], one.get("code", "")) for name, one in told.items()}
        assert targets == {
            "logo.jpg": ("out/logo.avif", ""),
            "logo.png": ("out/logo.webp", ""),
            "logo.tif": ("out/logo.avif", "target_taken"),
        }
        assert told["logo.tif"]["reason"] == "logo.avif is the result of logo.jpg already"
        assert files(folder / "out") == {"logo.avif", "logo.webp"}
    ended = tinyimage("two", "-o", "out", "-f", "auto", "--json", "--overwrite", "never")
    assert [one["code"] for one in ended.objects.values()] == ["exists"] * 3


def test_a_picture_is_not_skipped_for_the_result_of_its_sibling(
    folder: Path, fake: Standin
) -> None:
    fake.hook = choosing(fake)
    arguments = (".", "-f", "auto", "--overwrite", "never", "--json")
    put_for("avif", folder / "logo.jpg")
    tinyimage(*arguments)
    put_for("webp", folder / "logo.PNG")
    put_for("avif", folder / "logo.tif")
    kept = {name: (folder / name).stat().st_mtime_ns for name in files(folder)}
    told = tinyimage(*arguments).objects
    assert {name: (one["status"], one["target"]) for name, one in told.items()} == {
        "logo.jpg": ("skipped", "logo-tiny.avif"),
        "logo.PNG": ("written", "logo-tiny.webp"),
        "logo.tif": ("skipped", "logo-tiny.avif"),
    }
    assert {name: (folder / name).stat().st_mtime_ns for name in kept} == kept
    # Alone it is skipped before it is read.
    put_for("webp", folder / "alone.png")
    tinyimage("alone.png", "-f", "auto")
    before = len(fake.requests)
    told = tinyimage("alone.png", *arguments[1:]).objects
    assert told["alone.png"]["code"] == "exists"
    assert not [r for r in fake.requests[before:] if r.path.startswith(("/upload", "/status"))]


def test_of_two_results_with_one_name_it_is_always_the_first_that_is_written(
    folder: Path, fake: Standin
) -> None:
    choose = choosing(fake)
    first = put_for("webp", folder / "logo.jpg").read_bytes()

    def hook(request: Request) -> Answer | None:
        if request.path == "/upload" and request.picture == first:
            time.sleep(0.3)  # in which the other would be done
        return choose(request)

    fake.hook = hook
    put_for("webp", folder / "logo.png")
    told = tinyimage("logo.jpg", "logo.png", "-f", "avif,webp", "--json").objects
    assert [told[name]["status"] for name in ("logo.jpg", "logo.png")] == ["written", "failed"]
    assert told["logo.png"]["reason"] == "logo-tiny.webp is the result of logo.jpg already"


def test_a_place_is_free_where_the_first_result_saves_too_little(
    folder: Path, fake: Standin
) -> None:
    fake.hook = choosing(fake)
    (folder / "logo.jpg").write_bytes(b"webp:")
    put_for("webp", folder / "logo.png")
    told = tinyimage("logo.jpg", "logo.png", "-f", "auto", "--min-savings", "5%", "--json").objects
    assert (told["logo.jpg"]["code"], told["logo.png"]["status"]) == ("savings", "written")
    assert told["logo.jpg"]["target"] == told["logo.png"]["target"] == "logo-tiny.webp"


def test_no_result_takes_the_place_of_an_original_whatever_its_format(
    folder: Path, fake: Standin
) -> None:
    fake.hook = choosing(fake)
    names = ("a.png", "a.avif", "b.png", "b.jpg", "c.jpeg")
    originals = {name: put_for("avif", folder / name).read_bytes() for name in names}
    put_for("jpg", folder / "d.jpeg")
    told = tinyimage(*names, "d.jpeg", "-o", ".", "-f", "avif,jpg", "--json").objects
    assert {name: one.get("reason", one["target"]) for name, one in told.items()} == {
        "a.png": "a.avif is an original, and is not written over",
        "a.avif": "a.avif is an original, and is not written over",
        "b.png": "b.avif",
        "b.jpg": "b.avif is the result of b.png already",
        "c.jpeg": "c.avif",
        "d.jpeg": "d.jpeg is an original, and is not written over",
    }
    assert {name: (folder / name).read_bytes() for name in names} == originals


def test_no_place_is_told_of_a_result_that_never_was(folder: Path, fake: Standin) -> None:
    choose = choosing(fake)
    refused = Answer(415, {"error": "not_an_image", "message": "The file is not a picture"})
    fake.hook = lambda request: refused if request.path == "/upload" else choose(request)
    put_for("avif", folder / "logo.jpg")
    (failed,) = tinyimage("logo.jpg", "-f", "auto", "--json").objects.values()
    assert failed == {
        **{"path": "logo.jpg", "status": "failed"},
        **{"code": "not_an_image", "reason": "The file is not a picture"},
    }


def test_folders_and_patterns_are_looked_through(folder: Path) -> None:
    for name in ("a/1.jpg", "a/b/2.PNG", "a/b/notes.txt", "a/.hidden/3.jpg", "a/.4.jpg", "5.jpg"):
        put(folder / name)
    (folder / "a" / "loop").symlink_to(folder / "a")
    ended = tinyimage("a", "*.jpg", "a/1.jpg", "-f", "webp", "--json")
    assert set(ended.objects) == {"1.jpg", "2.PNG", "5.jpg"}
    assert {one["status"] for one in ended.objects.values()} == {"written"}
    assert ended.status == 0
    again = tinyimage("a", "**/*.jpg", "--json")
    assert set(again.objects) == {"1.jpg", "2.PNG", "5.jpg"} | (
        set(again.objects) & {"1-tiny.webp"}
    )


def test_the_tree_is_kept_in_another_folder(folder: Path) -> None:
    for name in ("in/1.jpg", "in/b/2.webp", "other/1.jpg"):
        put(folder / name)
    assert tinyimage("in", "-o", "out").status == 0
    assert files(folder / "out") == {"1.webp", "b/2.webp"}
    assert tinyimage("in", "other", "-o", "both", "--suffix", "_s").status == 0
    assert files(folder / "both") == {"in/1_s.webp", "in/b/2_s.webp", "other/1_s.webp"}
    # A folder of results that is among the originals is not looked through.
    assert tinyimage(".", "-o", "out", "--quiet").status == 0
    assert files(folder / "out") == {
        *("1.webp", "b/2.webp", "in/1.webp", "in/b/2.webp"),
        *("other/1.webp", "both/in/1_s.webp", "both/in/b/2_s.webp", "both/other/1_s.webp"),
    }


def test_originals_are_replaced_where_it_saves_something(folder: Path, server: Service) -> None:
    large, small = folder / "large.png", folder / "small.png"
    large.write_bytes(unique(photograph("coffee")))
    small.write_bytes(RESULT)
    os.utime(large, (1_000_000_000, 1_000_000_000))
    large.chmod(0o640)
    ended = tinyimage("large.png", "--in-place", "--keep-dates", "--server", server.url)
    assert ended.status == 0, ended.err
    assert opened(large.read_bytes()).format == "PNG"
    assert large.stat().st_size < len(photograph("coffee"))
    assert large.stat().st_mtime == 1_000_000_000
    assert large.stat().st_mode & 0o777 == 0o640
    ended = tinyimage("small.png", "--in-place", "--json")
    assert ended.objects["small.png"]["code"] == "savings"
    assert small.read_bytes() == RESULT
    assert files(folder) == {"large.png", "small.png"}


def test_an_original_that_was_cut_off_is_not_replaced(folder: Path, server: Service) -> None:
    data = unique(photograph("rocket"))
    broken = folder / "broken.jpg"
    broken.write_bytes(data[: len(data) // 2])
    ended = tinyimage("broken.jpg", "--in-place", "--json", "--server", server.url)
    assert ended.status == 1, ended.err
    assert ended.objects["broken.jpg"]["code"] == "damaged"
    assert broken.read_bytes() == data[: len(data) // 2]
    assert tinyimage("broken.jpg", "--server", server.url).status == 0
    assert files(folder) == {"broken.jpg", "broken-tiny.webp"}


def test_what_has_replaced_its_original_is_not_compressed_again(
    folder: Path, fake: Standin
) -> None:
    put(folder / "1.webp")
    assert tinyimage("1.webp", "--in-place").status == 0
    assert (folder / "1.webp").read_bytes() == RESULT
    before = len(fake.seen("/status/"))
    ended = tinyimage("1.webp", "--in-place", "--json")
    assert ended.objects["1.webp"]["code"] == "compressed"
    assert len(fake.seen("/status/")) == before
    assert tinyimage("1.webp", "--in-place", "-q", "50").status == 0
    assert len(fake.seen("/status/")) > before


def test_a_second_run_sends_nothing(folder: Path, fake: Standin) -> None:
    for number in range(30):
        put(folder / "in" / str(number % 3) / f"{number}.jpg")
    first = tinyimage("in", "-o", "out", "--json").objects
    assert len(fake.seen("/upload")) == 30
    written = {name: (folder / one["target"]).stat().st_mtime_ns for name, one in first.items()}
    second = tinyimage("in", "-o", "out", "--json").objects
    assert len(fake.seen("/upload")) == 30
    assert {one["status"] for one in first.values()} == {"written"}
    assert {(one["status"], one["sent"]) for one in second.values()} == {("unchanged", False)}
    now = {name: (folder / one["target"]).stat().st_mtime_ns for name, one in second.items()}
    assert now == written


def test_standard_input_becomes_standard_output(folder: Path, server: Service) -> None:
    ended = tinyimage(
        *("-", "-f", "png", "--width", "64", "--server", server.url),
        stdin=unique(photograph("rocket")),
    )
    assert ended.status == 0
    assert (opened(ended.out).format, opened(ended.out).width) == ("PNG", 64)
    assert ended.err == ""
    ended = tinyimage("-", "--server", server.url, stdin=b"no picture")
    assert (ended.status, ended.out) == (1, b"")
    assert ended.err == "-: failed: The file is not a picture\n"
    assert files(folder) == set()


def test_options_reach_the_server(folder: Path, fake: Standin) -> None:
    put(folder / "1.jpg")
    tinyimage("1.jpg", "-f", "JPG", "-q", "auto", "--max-bytes", "20KB", "--width", "300")
    assert fake.seen("/upload")[0].fields == {
        "format": "jpg",
        "q": "auto",
        "max_bytes": "20000",
        "width": "300",
    }


def test_all_options_are_the_servers_own(folder: Path, server: Service) -> None:
    (folder / "1.jpg").write_bytes(unique(photograph("coffee")))
    arguments = ["--width", "90", "--height", "60", "--fit", "cover", "--effort", "fast"]
    ended = tinyimage(
        *("1.jpg", "-f", "avif", "-q", "70", "--keep", "copyright,icc", *arguments),
        *("--server", server.url),
    )
    assert ended.status == 0, ended.err
    assert opened((folder / "1-tiny.avif").read_bytes()).size == (90, 60)
    assert tinyimage("1.jpg", "--lossless", "--server", server.url).status == 0


def test_what_the_server_finds_by_itself_goes_together(folder: Path, server: Service) -> None:
    # As small as one may be whose quality is looked for.
    corner = opened(photograph("rocket")).crop((0, 0, 240, 240))
    corner.save(folder / "1.jpg", quality=92, comment=os.urandom(8))
    arguments = ("1.jpg", "-f", "webp,jpg", "-q", "auto", "--max-bytes", "4KB", "--effort", "fast")
    first, again = (
        tinyimage(*arguments, "--server", server.url, "--json").objects["1.jpg"] for _ in range(2)
    )
    assert (first["status"], first["sent"]) == ("written", True)
    assert 0 < first["after"] <= 4_000
    result = folder / str(first["target"])
    assert str(opened(result.read_bytes()).format).lower().replace("jpeg", "jpg") in result.suffix
    assert (again["status"], again["sent"]) == ("unchanged", False)


def test_a_result_that_saves_too_little_is_not_written(folder: Path) -> None:
    put(folder / "little.jpg", len(RESULT) + 1)
    put(folder / "much.jpg")
    ended = tinyimage(".", "--min-savings", "5%", "--json")
    assert {name: one["status"] for name, one in ended.objects.items()} == {
        "little.jpg": "skipped",
        "much.jpg": "written",
    }
    assert ended.objects["little.jpg"]["saved_percent"] == 3.8
    assert files(folder) == {"little.jpg", "much.jpg", "much-tiny.webp"}
    assert tinyimage("much.jpg", "--min-savings", "0.9KB", "--json").objects["much.jpg"]["after"]
    assert ended.status == 0


def test_a_result_that_is_larger_is_said_to_be(folder: Path) -> None:
    put(folder / "icon.png", 20)
    put(folder / "1.jpg")
    ended = tinyimage(".", "-o", "out")
    assert "icon.png → out/icon.webp  20 B → 25 B  +25.0 %  (larger than the original)" in ended.err
    assert "1 result is larger than the original: --min-savings 0% writes none such" in ended.err
    assert ended.err.count("larger") == 2
    ended = tinyimage(".", "-o", "none", "--min-savings", "0%", "--json")
    assert ended.objects["icon.png"]["status"] == "skipped"
    assert ended.objects["1.jpg"]["status"] == "written"


def test_a_dry_run_says_what_it_would_save_and_writes_nothing(folder: Path) -> None:
    put(folder / "1.jpg")
    before = files(folder)
    ended = tinyimage("1.jpg", "--dry-run", "-o", "out")
    assert "1.jpg → out/1.webp  1.0 KB → 25 B  −97.5 %  (not written)" in ended.err
    assert "nothing is written" in ended.err
    assert files(folder) == before
    assert not (folder / "out").exists()
    assert tinyimage("1.jpg", "--dry-run", "--json").objects["1.jpg"]["dry_run"] is True


@pytest.mark.parametrize(
    ("policy", "size", "replaced"),
    [("all", 5, True), ("never", 5000, False), ("bigger", 5000, True), ("bigger", 5, False)],
)
def test_files_where_results_go_are_replaced_as_asked_for(
    folder: Path, policy: str, size: int, replaced: bool
) -> None:
    put(folder / "1.jpg")
    put(folder / "1-tiny.webp", size)
    ended = tinyimage("1.jpg", "--overwrite", policy, "--json")
    assert ended.objects["1.jpg"]["status"] == ("written" if replaced else "skipped")
    assert ((folder / "1-tiny.webp").read_bytes() == RESULT) == replaced


def test_quiet_says_what_fails_and_nothing_else(folder: Path, fake: Standin) -> None:
    put(folder / "1.jpg")
    assert tinyimage("1.jpg", "--quiet").err == ""
    ended = tinyimage("1.jpg", "gone.jpg", "--quiet")
    assert ended.err == "gone.jpg: failed: no such file or directory\n"
    assert ended.status == 1


def test_json_is_one_object_a_line_and_the_rest_goes_to_standard_error(folder: Path) -> None:
    put(folder / "1.jpg")
    ended = tinyimage("1.jpg", "gone*.jpg", "--json")
    assert ended.objects == {
        "1.jpg": {
            **{"path": "1.jpg", "status": "written", "target": "1-tiny.webp"},
            **{"before": 1000, "after": 25, "saved_percent": 97.5, "sent": True},
        },
        "gone*.jpg": {
            **{"path": "gone*.jpg", "status": "failed"},
            **{"code": "no_match", "reason": "nothing matches"},
        },
    }
    assert ended.err == "1 picture: 1.0 KB → 25 B, −97.5 %, 1 sent, 1 failed\n"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "at least one"),
        (["1.jpg", "-q", "0"], "from 1 to 100, or one of auto"),
        (["1.jpg", "-q", "x"], "from 1 to 100, or one of auto"),
        (["1.jpg", "--max-bytes", "many"], "should be a size"),
        (["1.jpg", "--max-bytes", "1.5"], "should be a size"),
        (["1.jpg", "--min-savings", "101%"], "100% at most"),
        (["1.jpg", "--min-savings", "five"], "such as 5% or 10KB"),
        (["1.jpg", "--fit", "cover"], "needs --width or --height"),
        (["1.jpg", "--in-place", "-f", "webp"], "leave --format out"),
        (["1.jpg", "--in-place", "-o", "out"], "neither --output nor --suffix"),
        (["1.jpg", "--suffix", ""], "with --output alone"),
        (["1.jpg", "--suffix", "a/b"], "part of a name"),
        (["1.jpg", "--jobs", "0"], "1<=x<=64"),
        (["1.jpg", "--lossless", "-q", "5"], "exclude each other"),
        (["1.jpg", "--server", "localhost"], "address of the server"),
        (["1.jpg", "--server", "http://key@localhost"], "key does not belong"),
        (["1.jpg", "--key", "secret"], "No such option"),
        ([".", "-o", "."], "folder of originals"),
        (["1.jpg", "-o", "1.jpg"], "is not a folder"),
        (["-", "1.jpg"], "stands alone"),
        (["-", "--json"], "--json does not go with -"),
        (["1.jpg", "-f", "bmp"], "format should be one of webp, jpg, same"),
        (["1.jpg", "-f", " , "], "--format names no format"),
        (["1.jpg", "--keep", "\udcff"], "keep should be Unicode"),
        (["1.jpg", "--effort", "small"], "no option 'effort'"),
    ],
)
def test_wrong_arguments_are_told_and_nothing_is_done(
    folder: Path, fake: Standin, arguments: list[str], says: str
) -> None:
    put(folder / "1.jpg")
    ended = tinyimage(*arguments)
    assert ended.status == 2
    assert says in " ".join(ended.err.split())
    assert fake.seen("/upload") == []
    assert files(folder) == {"1.jpg"}


def test_a_server_that_cannot_be_used_ends_all_with_3(folder: Path, fake: Standin) -> None:
    put(folder / "1.jpg")
    ended = tinyimage("1.jpg", "--server", "http://127.0.0.1:1")
    assert ended.status == 3
    assert "cannot be reached" in ended.err
    body = {"error": "unauthorized", "message": "An API key is required"}
    fake.hook = lambda request: Answer(401, body)
    ended = tinyimage("1.jpg")
    assert (ended.status, ended.err.count("\n")) == (3, 1)
    assert "An API key is required: set TINYIMAGE_API_KEY" in ended.err
    fake.hook = lambda request: Answer(body=b"<html>")
    assert tinyimage("1.jpg").status == 3


def test_a_key_that_is_refused_in_the_middle_ends_all(folder: Path, fake: Standin) -> None:
    for number in range(20):
        put(folder / f"{number}.jpg")

    def hook(request: Request) -> Answer | None:
        if request.path == "/upload":
            return Answer(401, {"error": "unauthorized", "message": "The API key is unknown"})
        return None

    fake.hook = hook
    ended = tinyimage(".", "--jobs", "2")
    assert ended.status == 3
    assert len(fake.seen("/upload")) <= 2


def test_the_key_comes_from_a_file_the_environment_or_the_keyring(
    folder: Path, fake: Standin, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(folder / "1.jpg")

    def key() -> str | None:
        fake.requests.clear()
        assert tinyimage("1.jpg", "--quiet").status == 0
        return fake.requests[0].headers.get("authorization")

    modules = folder / "modules"
    modules.mkdir()
    (modules / "keyring.py").write_text(
        "def get_password(service, user): return f'{service} {user}'\n"
    )
    assert key() is None
    monkeypatch.syspath_prepend(str(modules))
    assert key() == f"Bearer tinyimage {fake.url}"
    monkeypatch.setenv("TINYIMAGE_API_KEY", "of the environment")
    assert key() == "Bearer of the environment"
    (folder / "key").write_text("of the file\nand a comment\n")
    monkeypatch.setenv("TINYIMAGE_API_KEY_FILE", "key")
    assert key() == "Bearer of the file"
    (folder / "key").write_text("\n")
    ended = tinyimage("1.jpg")
    assert (ended.status, ended.err) == (3, "the key in key: the first line is empty\n")


def test_a_picture_that_is_too_large_for_the_server_is_not_sent(
    folder: Path, fake: Standin
) -> None:
    with put(folder / "1.jpg").open("r+b") as file:
        file.truncate(20_000_000)
    (folder / "empty.jpg").touch()
    ended = tinyimage(".")
    assert ended.status == 1
    assert "1.jpg: failed: it has 20.0 MB, and the server takes 10.0 MB" in ended.err
    assert "empty.jpg: failed: the file is empty" in ended.err
    assert fake.seen("/upload") == []


def test_a_busy_server_is_told_of_once(folder: Path, fake: Standin) -> None:
    for number in range(8):
        put(folder / f"{number}.jpg")
    refusals = iter([True])

    def hook(request: Request) -> Answer | None:
        if request.path == "/upload" and next(refusals, False):
            body = {"error": "queue_full", "message": "300 pictures are waiting"}
            return Answer(503, body, {"Retry-After": "1"})
        return None

    fake.hook = hook
    ended = tinyimage(".")
    assert ended.status == 0
    assert ended.err.count("waiting: again in 1 s") == 1


def test_a_reader_that_goes_ends_it_without_a_trace(folder: Path, fake: Standin) -> None:
    for number in range(30):
        put(folder / f"{number}.jpg")
    process = started(".", "--json", "--server", fake.url, "--jobs", "1", cwd=folder)
    assert process.stdout is not None
    process.stdout.readline()
    process.stdout.close()
    assert process.wait(20) == 130
    assert process.stderr is not None
    assert b"Traceback" not in process.stderr.read()
    assert 0 < len(list(folder.glob("*.webp"))) < 30
