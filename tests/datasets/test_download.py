"""Downloads against a server on this machine that cuts, stalls, lies and refuses."""

import hashlib
import io
import os
import subprocess
import sys
import tarfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from running import free_port

from sslkit.datasets.archives import Archive, obtain, only_one, unpack
from sslkit.datasets.download import DownloadError, fetch

BODY = os.urandom(3_000_000)
MD5 = hashlib.md5(BODY).hexdigest()


class Handler(BaseHTTPRequestHandler):
    """The first word of a path says what happens: /good, /cut (an answer stops after 1 MB), /slow ..."""

    def do_GET(self):
        server, kind = self.server, self.path.split("/")[1]
        given = self.headers.get("Range")
        server.requests.append((self.path, given))
        start = int(given.removeprefix("bytes=").rstrip("-")) if given and "norange" not in kind else 0
        body = server.bodies.get(self.path, BODY)
        if kind == "gone":
            return self.send_error(404)
        if kind == "late":
            time.sleep(0.3)
        if kind == "busy" and len(server.requests) < 3:
            return self.send_error(503)
        if start >= len(body):
            return self.send_error(416)
        if kind == "portal":
            body, start = b"<html>please log in</html>", 0
        if kind == "wrong":
            body = bytes(len(body))
        self.send_response(206 if start else 200)
        self.send_header("Content-Type", "text/html" if kind == "portal" else "application/gzip")
        self.send_header("Content-Length", str(len(body) - start))
        self.end_headers()
        if kind.startswith("cut"):
            self.wfile.write(body[start : start + 1_000_000])
            return None
        if kind == "slow":
            for at in range(start, len(body), 20_000):
                self.wfile.write(body[at : at + 20_000])
                time.sleep(0.05)
            return None
        if kind == "stall":
            self.wfile.write(body[start : start + 500_000])
            self.wfile.flush()
            server.hold.wait(60)
            return None
        self.wfile.write(body[start:])

    def log_message(self, *_):
        pass


class Quiet(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        """The client hangs up on purpose in some tests."""


@pytest.fixture
def server():
    server = Quiet(("127.0.0.1", 0), Handler)
    server.requests, server.bodies, server.hold = [], {}, threading.Event()
    server.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.hold.set()
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def dead_url():
    return f"http://127.0.0.1:{free_port()}/file.bin"


def get(urls, path, **options):
    return fetch(urls, path, MD5, **dict(pause=0.01, timeout=2, patience=0.2) | options)


def test_a_file_arrives_whole(server, tmp_path):
    path = get([server.url + "/good/file.bin"], tmp_path / "new" / "file.bin")
    assert path.read_bytes() == BODY and [p.name for p in path.parent.iterdir()] == ["file.bin"]


def test_a_cut_connection_is_resumed(server, tmp_path):
    path = get([server.url + "/cut/file.bin"], tmp_path / "file.bin")
    assert path.read_bytes() == BODY
    assert [given for _, given in server.requests] == [None, "bytes=1000000-", "bytes=2000000-"]


def test_an_earlier_run_is_resumed(server, tmp_path):
    (tmp_path / "file.bin.part").write_bytes(BODY[:2_500_000])
    get([server.url + "/good/file.bin"], tmp_path / "file.bin")
    assert server.requests == [("/good/file.bin", "bytes=2500000-")]


def test_a_complete_part_needs_no_byte_more(server, tmp_path):
    (tmp_path / "file.bin.part").write_bytes(BODY)
    assert get([server.url + "/good/file.bin"], tmp_path / "file.bin").read_bytes() == BODY


def test_a_server_without_ranges_starts_over(server, tmp_path):
    (tmp_path / "file.bin.part").write_bytes(b"x" * 1000)
    assert get([server.url + "/norange/file.bin"], tmp_path / "file.bin").read_bytes() == BODY


def test_a_server_that_always_cuts_and_cannot_resume_is_given_up(server, tmp_path):
    with pytest.raises(DownloadError, match="cut at 1.0 of 3.0 MB"):
        get([server.url + "/cut-norange/file.bin"], tmp_path / "file.bin")
    assert len(server.requests) <= 6


def test_a_bad_part_is_thrown_away_once(server, tmp_path):
    (tmp_path / "file.bin.part").write_bytes(b"x" * 1000)
    assert get([server.url + "/good/file.bin"], tmp_path / "file.bin").read_bytes() == BODY
    assert [given for _, given in server.requests] == ["bytes=1000-", None]


def test_a_wrong_checksum_is_refused_and_the_next_mirror_tried(server, tmp_path):
    path = get([server.url + "/wrong/file.bin", server.url + "/good/file.bin"], tmp_path / "file.bin")
    assert path.read_bytes() == BODY
    with pytest.raises(DownloadError, match="checksum"):
        get([server.url + "/wrong/file.bin"], tmp_path / "other.bin")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file.bin"]


def test_cut_and_wrong_ends(server, tmp_path):
    server.bodies["/cut/wrong.bin"] = b"y" * 1_500_000
    with pytest.raises(DownloadError, match="checksum"):
        get([server.url + "/cut/wrong.bin"], tmp_path / "file.bin")
    assert len(server.requests) <= 5


def test_dead_mirrors_are_passed_over(server, dead_url, tmp_path):
    urls = [dead_url, *(f"{server.url}/{kind}/file.bin" for kind in ("gone", "portal", "good"))]
    assert get(urls, tmp_path / "file.bin").read_bytes() == BODY
    assert len(server.requests) == 3  # none of them is asked twice


def test_a_busy_server_is_asked_again(server, tmp_path):
    assert get([server.url + "/busy/file.bin"], tmp_path / "file.bin").read_bytes() == BODY


def test_each_mirror_is_named_when_all_fail(server, dead_url, tmp_path, monkeypatch):
    naps = []
    monkeypatch.setattr("sslkit.datasets.download.time.sleep", naps.append)
    urls = [dead_url, server.url + "/gone/file.bin", server.url + "/portal/file.bin"]
    with pytest.raises(DownloadError) as caught:
        get(urls, tmp_path / "file.bin")
    assert naps == []  # nothing is gained by asking these again
    text = str(caught.value)
    assert all(url in text for url in urls)
    assert "nobody answers" in text and "404" in text and "login page" in text
    assert not (tmp_path / "file.bin").exists()


def test_a_throttled_mirror_gives_way_and_its_bytes_are_kept(server, tmp_path):
    urls = [server.url + "/slow/file.bin", server.url + "/good/file.bin"]
    assert get(urls, tmp_path / "file.bin", slow=1e6).read_bytes() == BODY
    assert server.requests[0] == ("/slow/file.bin", None) and server.requests[1][0] == "/good/file.bin"
    assert int(server.requests[1][1].removeprefix("bytes=").rstrip("-")) > 0


def test_a_throttled_mirror_is_used_when_it_is_all_there_is(server, dead_url, tmp_path):
    server.bodies["/slow/file.bin"] = BODY[:400_000]
    path = fetch(
        [server.url + "/slow/file.bin", dead_url],
        tmp_path / "file.bin",
        hashlib.md5(BODY[:400_000]).hexdigest(),
        slow=5e6,
        patience=0.1,
        pause=0.01,
    )
    assert path.stat().st_size == 400_000


def test_a_stalled_connection_times_out_and_is_resumed_elsewhere(server, tmp_path):
    urls = [server.url + "/stall/file.bin", server.url + "/good/file.bin"]
    assert get(urls, tmp_path / "file.bin", timeout=0.15).read_bytes() == BODY  # the stalled server would hold for ever


def tar_of(path, files):
    with tarfile.open(path, "w:gz") as tar:
        for name, content in files.items():
            info = content if isinstance(content, tarfile.TarInfo) else tarfile.TarInfo(name)
            if not isinstance(content, tarfile.TarInfo):
                info.size = len(content)
            tar.addfile(info, None if isinstance(content, tarfile.TarInfo) else io.BytesIO(content))
    return path


def link(name, target, kind=tarfile.SYMTYPE):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


def test_unpacking(tmp_path):
    archive = tar_of(tmp_path / "a.tgz", {"set/x.bin": b"1", "set/deep/y.bin": b"22", "./set/z": b"3"})
    folder = unpack(archive, tmp_path / "out", "set")
    assert (folder / "deep" / "y.bin").read_bytes() == b"22" and (folder / "z").read_bytes() == b"3"
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["set"]


@pytest.mark.parametrize(
    "files",
    [
        {"set/x": b"1", "../evil": b"2"},
        {"/tmp/sslkit_evil": b"2"},
        {"other/x": b"1"},
        {"set/link": link("set/link", "/etc/passwd")},
        {"set/hard": link("set/hard", "../../evil", tarfile.LNKTYPE)},
        {"set/pipe": link("set/pipe", "", tarfile.FIFOTYPE)},
    ],
)
def test_a_harmful_or_wrong_archive_leaves_nothing(tmp_path, files):
    archive = tar_of(tmp_path / "a.tgz", files)
    with pytest.raises(ValueError, match="a.tgz"):
        unpack(archive, tmp_path / "out", "set")
    assert list((tmp_path / "out").iterdir()) == [] and not (tmp_path / "evil").exists()
    assert not os.path.exists("/tmp/sslkit_evil")


def a_set(server, tmp_path, kinds=("good",)):
    packed = tar_of(tmp_path / "made.tgz", {"set/x.bin": b"12", "set/y.bin": b"3"}).read_bytes()
    urls = tuple(f"{server.url}/{kind}/set.tgz" for kind in kinds)
    for kind in kinds:
        server.bodies[f"/{kind}/set.tgz"] = packed
    return (Archive("set.tgz", hashlib.md5(packed).hexdigest(), urls, "set", ("x.bin", "y.bin"), 1),), packed


def test_obtain_downloads_once(server, tmp_path):
    archives_, _ = a_set(server, tmp_path)
    root = tmp_path / "data"
    _, folder = obtain("toy", archives_, root)
    assert folder == root / "downloads" / "set" and (folder / "x.bin").read_bytes() == b"12"
    assert {p.name for p in folder.parent.iterdir()} - {".toy.lock"} == {"set"}  # no archive or part is left
    obtain("toy", archives_, root)
    assert len(server.requests) == 1


def test_obtain_uses_what_is_on_disk(server, tmp_path):
    archives_, packed = a_set(server, tmp_path)
    for place in ("", "downloads"):
        root = tmp_path / f"archive{place}"
        (root / place).mkdir(parents=True)
        (root / place / "set.tgz").write_bytes(packed)
        assert (obtain("toy", archives_, root)[1] / "y.bin").read_bytes() == b"3"
        assert (root / place / "set.tgz").exists()  # it is the user's
    unpack(tmp_path / "made.tgz", tmp_path / "ready", "set")
    assert obtain("toy", archives_, tmp_path / "ready")[1] == tmp_path / "ready" / "set"
    assert server.requests == []


def test_obtain_refuses_a_damaged_archive_and_an_incomplete_folder(server, tmp_path):
    archives_, packed = a_set(server, tmp_path)
    (tmp_path / "set.tgz").write_bytes(packed[:-5])
    with pytest.raises(ValueError, match="damaged.*Delete it"):
        obtain("toy", archives_, tmp_path)
    root = tmp_path / "half"
    (root / "downloads" / "set").mkdir(parents=True)
    (root / "downloads" / "set" / "x.bin").write_bytes(b"12")
    with pytest.raises(FileExistsError, match="incomplete: delete it"):
        obtain("toy", archives_, root)


def test_obtain_tells_the_ways_without_a_network(dead_url, tmp_path):
    archives_ = (Archive("set.tgz", MD5, (dead_url,), "set", ("x.bin",), 1),)
    with pytest.raises(DownloadError) as caught:
        obtain("toy", archives_, tmp_path / "data")
    text = str(caught.value)
    told = (dead_url, "set/", "set.tgz", str(tmp_path / "data"), "SSLKIT_DATA", "emoji", "scenes", "fashion")
    assert [words for words in told if words not in text] == []
    assert {p.name for p in (tmp_path / "data" / "downloads").iterdir()} <= {".toy.lock"}


def test_obtain_falls_back_to_another_version(server, dead_url, tmp_path):
    good, _ = a_set(server, tmp_path)
    first = Archive("first.tgz", MD5, (dead_url,), "first", ("x.bin",), 1)
    assert obtain("toy", (first, *good), tmp_path / "data")[0] == good[0]


def test_two_at_once_download_once(server, tmp_path):
    archives_, _ = a_set(server, tmp_path, kinds=("late",))
    found = []

    def run():
        found.append(obtain("toy", archives_, tmp_path / "d"))

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 3 and len(server.requests) == 1


@pytest.mark.slow
def test_a_lock_of_a_dead_process_blocks_nobody(tmp_path):
    """Held while its process lives; when that is killed, the next one enters, however old the file is."""
    code = "import sys; from pathlib import Path; from sslkit.datasets.archives import only_one\n"
    code += "with only_one(Path(sys.argv[1])): print('in', flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", code, str(tmp_path / "x")]
    holder = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert holder.stdout.readline() == "in\n"
    entered = threading.Event()

    def enter():
        with only_one(tmp_path / "x"):
            entered.set()

    waiting = threading.Thread(target=enter)
    waiting.start()
    assert not entered.wait(0.3)
    holder.kill()
    assert entered.wait(30)
    waiting.join()
    holder.communicate()


def test_a_cut_archive_is_refused_in_words(tmp_path):
    whole = tar_of(tmp_path / "a.tgz", {"set/x.bin": BODY[:9999]}).read_bytes()
    for part in (0, 9, len(whole) // 2):
        (tmp_path / "a.tgz").write_bytes(whole[:part])
        with pytest.raises(ValueError, match="a.tgz is damaged or harmful, and not unpacked"):
            unpack(tmp_path / "a.tgz", tmp_path / "out", "set")
