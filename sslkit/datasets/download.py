"""Files from the network: several mirrors, resumed, verified, and in place only when complete.

Standard library only. A file is written as `name.part` until its MD5 is right.
"""

from __future__ import annotations

import hashlib
import http.client
import os
import shutil
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path

from sslkit.progress import progress

CHUNK = 1 << 18
TRIES = 4  # attempts in a row, per mirror, that bring no new byte
TEMPORARY = (408, 425, 429, 500, 502, 503, 504)


class DownloadError(OSError):
    """No mirror gave the file; the text lists each mirror and what it answered."""


class _Refused(Exception):
    """This mirror will not give the file."""


class _Slow(Exception):
    """This mirror is throttled; `rate` in bytes/s."""

    def __init__(self, rate: float):
        super().__init__(f"only {rate / 1e3:.0f} kB/s")
        self.rate = rate


def md5_of(path: Path) -> str:
    """MD5 of a file, in hexadecimal: what authors publish. It guards against damage, not against malice."""
    digest = hashlib.md5(usedforsecurity=False)
    with open(path, "rb") as file:
        while block := file.read(1 << 22):
            digest.update(block)
    return digest.hexdigest()


def fetch(
    urls: Sequence[str],
    path: Path,
    md5: str,
    *,
    timeout: float = 20.0,
    slow: float = 300e3,
    patience: float = 15.0,
    pause: float = 1.0,
) -> Path:
    """Download `path` from the first of `urls` that gives it with this MD5. Raises DownloadError.

    What was received is kept, between attempts, mirrors and runs: only the rest is asked for (HTTP Range).

    timeout   seconds without a byte before a connection counts as dead
    slow      bytes/s below which, over `patience` seconds, the next mirror is tried; if all are slow, the
              fastest of them is used
    pause     seconds before the second attempt at a mirror, doubled for each further one
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    problems, throttled = [], []

    def attempt(url: str, floor: float) -> bool:
        try:
            _from_mirror(url, part, md5, timeout, floor, patience, pause)
        except _Slow as error:
            throttled.append((error.rate, url))
            problems.append(f"{url}: {error}")
        except _Refused as error:
            problems.append(f"{url}: {error}")
        else:
            os.replace(part, path)
            return True
        print(f"{path.name}: {problems[-1]}", flush=True)
        return False

    # A mirror is judged slow only where another is left; the second round takes what the first one put off.
    if any(attempt(url, slow if len(urls) > 1 else 0.0) for url in urls):
        return path
    if any(attempt(url, 0.0) for _, url in sorted(throttled, reverse=True)):
        return path
    raise DownloadError(f"could not download {path.name}:\n  " + "\n  ".join(problems))


def _from_mirror(url, part, md5, timeout, floor, patience, pause) -> None:
    """Fill `part` from one URL and verify it; raises _Refused or _Slow."""
    failures, reason, best, restarted = 0, "", _size(part), False
    while failures < TRIES:
        if failures:
            time.sleep(pause * 2 ** (failures - 1))
        resumed = _size(part) > 0
        try:
            _transfer(url, part, timeout, floor, patience)
        except urllib.error.HTTPError as error:
            reason = f"HTTP {error.code} {error.reason}"
            if error.code in TEMPORARY:
                failures += 1
                continue
            if error.code != 416:  # 416 answers a Range: there is nothing left to send, so verify
                raise _Refused(reason) from error
        except (OSError, http.client.HTTPException) as error:
            reason = _in_words(error)
            if _final(error):
                raise _Refused(reason) from error
            failures = 0 if _size(part) > best else failures + 1
            best = max(best, _size(part))
            continue
        if md5_of(part) == md5:
            return
        part.unlink()
        reason = "the file's checksum is wrong"
        if not resumed or restarted:
            break
        best, restarted = 0, True  # what an earlier run or mirror left may be at fault: once more from zero
    raise _Refused(reason)


def _transfer(url, part, timeout, floor, patience) -> None:
    start = _size(part)
    headers = {"User-Agent": "sslkit", "Accept-Encoding": "identity"}
    if start:
        headers["Range"] = f"bytes={start}-"
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=timeout) as answer:
        if "text/html" in answer.headers.get("Content-Type", ""):
            raise _Refused("answered with a web page instead of the file (the login page of a network?)")
        if start and answer.status != 206:  # the server knows no ranges and sends all
            start = 0
        length = answer.headers.get("Content-Length")
        total = start + int(length) if length else 0
        _check_room(part, total - start)
        show = progress(f"downloading {part.stem}", total / 1e6, "MB")
        done, mark, marked = start, time.monotonic(), start
        with open(part, "ab" if start else "wb") as file:
            while block := answer.read1(CHUNK):
                file.write(block)
                done += len(block)
                show(done / 1e6)
                elapsed = time.monotonic() - mark
                if elapsed >= patience:
                    rate = (done - marked) / elapsed
                    if rate < floor:
                        raise _Slow(rate)
                    mark, marked = time.monotonic(), done
        if total and done < total:
            raise ConnectionError(f"the connection was cut at {done / 1e6:.1f} of {total / 1e6:.1f} MB")


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _check_room(path: Path, needed: int) -> None:
    free = shutil.disk_usage(path.parent).free
    if needed > free:
        raise _Refused(f"{path.parent} has {free / 1e6:.0f} MB free, {needed / 1e6:.0f} MB are needed")


def _cause(error: BaseException) -> BaseException:
    reason = getattr(error, "reason", None)
    return reason if isinstance(reason, BaseException) else error


def _final(error: BaseException) -> bool:
    """Whether trying again at once is pointless: no such host, nobody listens, certificate refused."""
    cause = _cause(error)
    return type(cause).__name__ in ("gaierror", "ConnectionRefusedError", "SSLCertVerificationError")


def _in_words(error: BaseException) -> str:
    cause = _cause(error)
    words = {
        "gaierror": "no such host, or no network",
        "ConnectionRefusedError": "nobody answers there",
        "TimeoutError": "no answer in time",
        "SSLCertVerificationError": f"its certificate was refused ({cause}); on macOS run Python's "
        "'Install Certificates.command'",
    }
    return words.get(type(cause).__name__, str(cause) or type(cause).__name__)
