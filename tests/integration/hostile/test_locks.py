"""Hostile and broken locks: what they name is refused, and nothing changes."""

import codecs
import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.local import file_url
from tests.support.index import Fault, Index
from tests.support.oracle import OLD, SECRET, Oracle
from tests.support.wheels import make_wheel

BAD = make_wheel("bad", "1.0")
OTHER = "0" * 64


def served(index: Index, path: str, content: bytes) -> str:
    """Puts any file on the server; returns its URL."""
    index.fault(path, Fault(status=200, body=content, headers={"Content-Type": "text/plain"}))
    return f"http://127.0.0.1:{index.port}{path}"


# -- 55 to 57: hashes and sizes ------------------------------------------------


def test_55_a_wheel_that_is_not_what_the_lock_lists_is_refused(refusing: Oracle, index: Index) -> None:
    index.add(BAD, hashes=None)
    said = refusing.refused(f"bad==1.0 --hash=sha256:{OTHER}", options=("--no-require-hashes",))
    assert "lock.txt:2" in said and BAD.filename in said and BAD.sha256 in said


@pytest.mark.parametrize("where", ["web", "folder"])
@pytest.mark.parametrize("how", ["fragment", "option"])
def test_55_a_wheel_named_directly_has_the_hash_that_the_line_says(
    how: str, where: str, refusing: Oracle, index: Index
) -> None:
    url = served(index, f"/direct/{BAD.filename}", BAD.content)
    if where == "folder":
        (refusing.tool.folder / BAD.filename).write_bytes(BAD.content)
        url = f"./{BAD.filename}"
    line = f"{url}#sha256={OTHER}" if how == "fragment" else f"{url} --hash=sha256:{OTHER}"
    said = refusing.refused(line, options=("--no-require-hashes",))
    assert "lock.txt:2" in said and BAD.filename in said


def test_55_a_wheel_in_the_cache_is_not_taken_for_one_with_another_promise(refusing: Oracle, index: Index) -> None:
    url = served(index, f"/direct/{BAD.filename}", BAD.content)
    other = hashlib.sha512(b"other").hexdigest()
    right = hashlib.sha512(BAD.content).hexdigest()
    for digest, code in ((right, 0), (other, 1)):
        lock = refusing.tool.write_lock(OLD.pin, f"bad @ {url}#sha512={digest}", name="direct.txt")
        result = refusing.sync(lock, "--no-require-hashes", "--dry-run" if code == 0 else "--durable")
        assert result.code == code, result.err


def test_56_a_wheel_of_another_size_than_the_lock_says_is_refused(refusing: Oracle, index: Index) -> None:
    url = served(index, f"/direct/{BAD.filename}", BAD.content)
    for size in (len(BAD.content) - 1, len(BAD.content) + 1):
        said = refusing.refused_lock(pylock(refusing, wheel(url, size=size)), code=1)
        assert "pylock.toml:3" in said and str(size) in said


@pytest.mark.parametrize("digest", ["md5:" + "0" * 32, "sha1:" + "0" * 40])
def test_57_a_hash_that_protects_nothing_is_refused(digest: str, refusing: Oracle) -> None:
    said = refusing.refused(f"bad==1.0 --hash={digest}", code=2)
    assert "lock.txt:2" in said and "protects nothing" in said


def test_57_a_weak_hash_in_a_pylock_is_refused(refusing: Oracle, index: Index) -> None:
    url = served(index, f"/direct/{BAD.filename}", BAD.content)
    md5 = hashlib.md5(BAD.content, usedforsecurity=False).hexdigest()
    said = refusing.refused_lock(pylock(refusing, wheel(url, hashes=f'md5 = "{md5}"')))
    assert "pylock.toml:3" in said and "md5" in said


def test_57_a_weak_fragment_is_no_hash(refusing: Oracle) -> None:
    line = f"https://example.com/{BAD.filename}#md5={'0' * 32}"
    said = refusing.refused_lock(refusing.tool.write_lock(f"{OLD.pin} --hash=sha256:{OLD.sha256}", line))
    assert "lock.txt:2" in said and "has no hash" in said


# -- 69: pylock.toml -----------------------------------------------------------

HEAD = 'lock-version = "1.0"\ncreated-by = "test"\n'


def package(body: str, *, name: str = "bad", version: str = 'version = "1.0"') -> str:
    return f'[[packages]]\nname = "{name}"\n{version}\n{body}\n'


def wheel(url: str, *, size: int | None = None, hashes: str = f'sha256 = "{BAD.sha256}"', key: str = "url") -> str:
    length = "" if size is None else f"size = {size}, "
    return package(f'wheels = [{{ name = "{BAD.filename}", {key} = "{url}", {length}hashes = {{ {hashes} }} }}]')


def pylock(oracle: Oracle, packages: str, head: str = HEAD) -> Path:
    path = oracle.tool.folder / "pylock.toml"
    path.write_text(head + packages)
    return path


URL = f"https://example.com/{BAD.filename}"
GOOD_WHEEL = wheel(URL)

PYLOCKS: dict[str, tuple[str, str]] = {
    "major-version": (HEAD.replace("1.0", "2.0") + GOOD_WHEEL, "2.0"),
    "no-version": ('created-by = "test"\n' + GOOD_WHEEL, "lock-version"),
    "no-packages": (HEAD, "packages"),
    "packages-of-another-type": (HEAD + 'packages = "x"\n', "packages"),
    "double": (HEAD + GOOD_WHEEL + GOOD_WHEEL, "bad"),
    "double-by-markers": (HEAD + GOOD_WHEEL + GOOD_WHEEL + "marker = \"python_version > '3'\"\n", "bad"),
    "wheel-and-vcs": (
        HEAD + GOOD_WHEEL + '[packages.vcs]\ntype = "git"\nurl = "https://example.com/x"\ncommit-id = "1"\n',
        "vcs",
    ),
    "name": (HEAD + GOOD_WHEEL.replace('name = "bad"', 'name = "B_ad"'), "B_ad"),
    "other-project": (HEAD + GOOD_WHEEL.replace('name = "bad"', 'name = "good"'), "bad-1.0"),
    "no-hash": (HEAD + wheel(URL, hashes=""), "hash"),
    "bad-hash": (HEAD + wheel(URL, hashes='sha256 = "zz"'), "sha256"),
    "no-place": (HEAD + wheel("", key="url"), "url"),
    "strange-url": (HEAD + wheel(f"ftp://example.com/{BAD.filename}"), "ftp"),
    "negative-size": (HEAD + wheel(URL, size=-1), "-1"),
    "requires-python": (HEAD + 'requires-python = ">=99"\n' + GOOD_WHEEL, ">=99"),
    "package-requires-python": (HEAD + GOOD_WHEEL + 'requires-python = ">=99"\n', ">=99"),
    "environments": (HEAD + "environments = [\"sys_platform == 'never'\"]\n" + GOOD_WHEEL, "environment"),
    "marker": (HEAD + GOOD_WHEEL + 'marker = "nonsense"\n', "marker"),
    "deep-marker": (HEAD + GOOD_WHEEL + f'marker = "{"(" * 5000}"\n', "marker"),
    "only-a-source": (
        HEAD + package(f'sdist = {{ name = "bad-1.0.tar.gz", url = "{URL}", hashes = {{ sha256 = "{OTHER}" }} }}'),
        "source distribution",
    ),
    "folder": (HEAD + package('directory = { path = "." }', version=""), "folder"),
    "version-control": (
        HEAD + package('vcs = { type = "git", url = "https://example.com/x", commit-id = "1" }', version=""),
        "version control",
    ),
    "archive-of-sources": (
        HEAD
        + package(
            f'archive = {{ url = "https://example.com/bad.zip", hashes = {{ sha256 = "{OTHER}" }} }}', version=""
        ),
        "bad.zip",
    ),
    "no-toml": ("[[packages", "pylock.toml"),
    "deep-toml": (HEAD + "x = " + "[" * 20_000, "pylock.toml"),
    "binary": ("\ud800", "UTF-8"),
    "other-platform": (HEAD + GOOD_WHEEL.replace("py3-none-any", "cp27-cp27m-win32"), "bad"),
    "empty-file": ("", "lock-version"),
}


@pytest.mark.parametrize("name", PYLOCKS)
def test_69_a_wrong_pylock_is_refused(name: str, refusing: Oracle) -> None:
    content, word = PYLOCKS[name]
    path = refusing.tool.folder / "pylock.toml"
    path.write_bytes(content.encode("utf-8", "surrogatepass"))
    said = refusing.refused_lock(path)
    assert "pylock.toml" in said and word in said


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("path", f"../{BAD.filename}"),
        ("path", f"a/../../{BAD.filename}"),
        ("path", f"a\\..\\..\\{BAD.filename}"),
        ("path", f"/srv/{BAD.filename}"),
        ("path", f"https://example.com/{BAD.filename}"),
        ("url", f"file:///srv/{BAD.filename}"),
    ],
)
def test_69_a_lock_from_the_network_names_nothing_of_this_machine_and_nothing_beside_its_folder(
    key: str, value: str, refusing: Oracle, index: Index
) -> None:
    url = served(index, "/locks/deep/pylock.toml", (HEAD + wheel(value.replace("\\", "\\\\"), key=key)).encode())
    said = refuse_url(refusing, url)
    assert "pylock.toml:3: bad" in said
    assert [path for path in index.requests if path != "/locks/deep/pylock.toml"] == []


def refuse_url(oracle: Oracle, url: str, code: int = 2) -> str:
    """Syncs a lock at a web address that must fail; returns what was said."""
    lock = oracle.tool.write_lock(f"-r {url}", name="unused.txt")
    before = oracle.ground.before()
    command = oracle.tool.command(lock, [oracle.ground.target])
    result = oracle.tool.run(*[url if word == str(lock) else word for word in command])
    assert result.code == code, result.err
    assert result.err.count("error: ") == 1 and "Traceback" not in result.err and SECRET not in result.err
    assert oracle.ground.before() == before
    return result.err


# -- 70: requirements files ----------------------------------------------------


def test_70_files_that_include_each_other_are_refused_with_the_chain(refusing: Oracle) -> None:
    refusing.tool.write_lock("-c sub/c.txt", name="b.txt")
    (refusing.tool.folder / "sub").mkdir()
    refusing.tool.write_lock("-r ../lock.txt", name="sub/c.txt")
    said = refusing.refused("-r b.txt", code=2)
    _, itself, chain = said.partition(" includes itself: ")
    steps = [chain.index(step) for step in ("lock.txt:2 -> ", "b.txt:1 -> ", "c.txt:1")]
    assert itself and steps == sorted(steps)


def test_70_includes_that_double_at_every_step_are_read_once(refusing: Oracle) -> None:
    for number in range(40):
        refusing.tool.write_lock(f"-r {number + 1}.txt", f"-r {number + 1}.txt", name=f"{number}.txt")
    refusing.tool.write_lock("bad>1", name="40.txt")
    assert refusing.refused("-r 0.txt", code=2).count("40.txt:1") == 1


@pytest.mark.parametrize("lines", [("-r missing.txt",), ("-r sub",), ("-r a\0b",), ("-c https://127.0.0.1:1/c.txt",)])
def test_70_an_include_that_cannot_be_read_is_named(lines: tuple[str, ...], refusing: Oracle) -> None:
    (refusing.tool.folder / "sub").mkdir()
    said = refusing.refused(*lines, code=1 if "https" in lines[0] else 2)
    assert "lock.txt:2" in said or "127.0.0.1:1" in said


ENCODINGS: dict[str, tuple[Callable[[str], bytes], bool]] = {
    "utf-8": (lambda text: codecs.BOM_UTF8 + text.encode(), True),
    "utf-16-le": (lambda text: codecs.BOM_UTF16_LE + text.encode("utf-16-le"), True),
    "utf-16-be": (lambda text: codecs.BOM_UTF16_BE + text.encode("utf-16-be"), True),
    "utf-32-le": (lambda text: codecs.BOM_UTF32_LE + text.encode("utf-32-le"), True),
    "utf-32-be": (lambda text: codecs.BOM_UTF32_BE + text.encode("utf-32-be"), True),
    "declared": (lambda text: f"# -*- coding: latin-1 -*-\n# é\n{text}".encode("latin-1"), True),
    "not-utf-8": (lambda text: b"# \xe9\n" + text.encode(), False),
    "half-utf-16": (lambda text: codecs.BOM_UTF16_LE + text.encode("utf-16-le")[:-1], False),
    "unknown": (lambda text: f"# coding: nonsense\n{text}".encode(), False),
    "no-text": (lambda text: f"# coding: hex\n{text}".encode(), False),
}


@pytest.mark.parametrize("name", ENCODINGS)
def test_70_the_encoding_is_what_the_file_says_or_the_file_is_refused(name: str, refusing: Oracle) -> None:
    encode, is_right = ENCODINGS[name]
    path = refusing.tool.folder / "lock.txt"
    path.write_bytes(encode("bad>1\n"))
    said = refusing.refused_lock(path)
    assert ("bad is not pinned" in said) == is_right


def test_70_a_variable_is_not_told_to_the_network_nor_printed(refusing: Oracle, index: Index) -> None:
    remote = served(index, "/locks/remote.txt", b"-i https://${HOME}.example.com/\nbad==1.0\n")
    assert "a file from the network does not get" in refuse_url(refusing, remote)
    result = refusing.tool.sync(
        refusing.tool.write_lock("bad ${TOKEN}", "--${TOKEN}", "bad @ https://example.com/${TOKEN}"),
        refusing.ground.target,
        environ={"TOKEN": "value-of-the-token"},
    )
    assert result.code == 2 and result.err.count("${TOKEN}") == 3 and "value-of-the-token" not in result.err


def test_70_a_file_from_the_network_includes_nothing_of_this_machine(refusing: Oracle, index: Index) -> None:
    there = refusing.tool.write_lock("bad==1.0", name="there.txt")
    remote = served(index, "/locks/remote.txt", f"-r {file_url(str(there))}\n".encode())
    assert "cannot include one of this machine" in refuse_url(refusing, remote)


def test_70_a_lock_at_a_web_address_is_bounded_and_its_credentials_are_not_shown(
    refusing: Oracle, index: Index
) -> None:
    index.fault("/locks/missing.txt", Fault(status=404, times=1))
    said = refuse_url(refusing, f"http://someone:{SECRET}@127.0.0.1:{index.port}/locks/missing.txt", code=1)
    assert "404" in said
    index.fault("/locks/packed.txt", Fault(status=200, body=b"bad==1.0\n", headers={"Content-Encoding": "gzip"}))
    assert "compressed" in refuse_url(refusing, f"http://127.0.0.1:{index.port}/locks/packed.txt", code=1)


@pytest.mark.parametrize("name", ["pyproject.toml", "uv.lock", "poetry.lock", "lock.toml"])
def test_a_file_of_another_format_is_named_with_a_way_out(name: str, refusing: Oracle) -> None:
    path = refusing.tool.folder / name
    path.write_text("[project]\n")
    said = refusing.refused_lock(path)
    assert name in said and "hint: " in said
