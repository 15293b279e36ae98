import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from engine.errors import ConfigurationError
from engine.index.default import configured_index_url, distlib_index_url, pip_configuration_files, pip_index_url

ORDER = ["ENGINE_INDEX_URL", "UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL"]


def test_variables_count_in_their_order() -> None:
    environ = {name: f"https://example.com/{name}/" for name in ORDER}
    for name in ORDER:
        assert configured_index_url(environ) == environ.pop(name)
    assert configured_index_url(environ) is None


def test_a_blank_variable_counts_as_unset() -> None:
    assert (
        configured_index_url({"ENGINE_INDEX_URL": " ", "PIP_INDEX_URL": " https://example.com/ "})
        == "https://example.com/"
    )


@pytest.mark.parametrize(
    ("value", "url"),
    [
        ("private=https://example.com/", "https://example.com/"),
        ("https://example.com/?a=b", "https://example.com/?a=b"),
        ("https://example.com/", "https://example.com/"),
    ],
)
def test_a_named_default_index_loses_its_name(value: str, url: str) -> None:
    assert configured_index_url({"UV_DEFAULT_INDEX": value}) == url


def test_pip_files_of_linux(tmp_path: Path) -> None:
    assert pip_configuration_files({"HOME": "/home/a"}, platform="linux") == [
        "/etc/xdg/pip/pip.conf",
        "/etc/pip.conf",
        "/home/a/.pip/pip.conf",
        "/home/a/.config/pip/pip.conf",
    ]
    environ = {"HOME": "/home/a", "XDG_CONFIG_HOME": "/x", "XDG_CONFIG_DIRS": os.pathsep.join(["/y", "", "/z"])}
    assert pip_configuration_files(environ, platform="linux") == [
        "/y/pip/pip.conf",
        "/z/pip/pip.conf",
        "/etc/pip.conf",
        "/home/a/.pip/pip.conf",
        "/x/pip/pip.conf",
    ]


def test_pip_files_of_macos_depend_on_the_folder_that_is_there(tmp_path: Path) -> None:
    environ = {"HOME": str(tmp_path)}
    assert pip_configuration_files(environ, platform="darwin")[-1] == str(tmp_path / ".config" / "pip" / "pip.conf")
    folder = tmp_path / "Library" / "Application Support" / "pip"
    folder.mkdir(parents=True)
    found = pip_configuration_files(environ, platform="darwin")
    assert found[0] == "/Library/Application Support/pip/pip.conf"
    assert found[-1] == str(folder / "pip.conf")


def test_pip_files_of_windows() -> None:
    environ = {"USERPROFILE": "home", "APPDATA": "roaming", "PROGRAMDATA": "shared", "HOME": "other"}
    assert pip_configuration_files(environ, platform="win32") == [
        os.path.join("shared", "pip", "pip.ini"),
        os.path.join("home", "pip", "pip.ini"),
        os.path.join("roaming", "pip", "pip.ini"),
    ]


def test_pip_config_file_takes_the_place_of_the_users_files(tmp_path: Path) -> None:
    named = tmp_path / "pip.conf"
    environ = {"HOME": "/home/a", "PIP_CONFIG_FILE": str(named)}
    assert pip_configuration_files(environ, platform="linux")[-1] == "/home/a/.config/pip/pip.conf"
    named.touch()
    assert pip_configuration_files(environ, platform="linux") == ["/etc/xdg/pip/pip.conf", "/etc/pip.conf", str(named)]


def test_the_null_device_switches_pip_files_off() -> None:
    assert pip_configuration_files({"HOME": "/home/a", "PIP_CONFIG_FILE": os.devnull}) == []


def test_later_files_and_the_install_section_win(tmp_path: Path) -> None:
    texts = [
        "[global]\nindex-url = https://example.com/1/\n[install]\nno-index = false\n",
        "\ufeff[GLOBAL]\nindex-url = no\n[global]\nINDEX_URL = https://example.com/2%20/\n",
        "[global]\nindex-url =\ntimeout = 5\n",
        "[install]\nindex-url = https://example.com/3/\n",
        "[global]\nindex-url = https://example.com/4/\n",
    ]
    paths = []
    expected = ["1", "2%20", "2%20", "3", "3"]
    for number, text in enumerate(texts):
        path = tmp_path / f"{number}.conf"
        path.write_text(text, encoding="utf-8")
        paths.append(str(path))
        assert pip_index_url(paths) == f"https://example.com/{expected[number]}/"


def test_missing_files_configure_nothing(tmp_path: Path) -> None:
    assert pip_index_url([str(tmp_path / "missing"), str(tmp_path)]) is None
    assert pip_index_url([]) is None


@pytest.mark.parametrize("content", [b"index-url = a", b"[global]\n\xff", b"[global]\na=1\na=2\n"])
def test_a_broken_file_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "pip.conf"
    path.write_bytes(content)
    with pytest.raises(ConfigurationError) as caught:
        pip_index_url([str(path)])
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


def test_the_last_resort_is_the_simple_api_of_distlibs_index() -> None:
    from distlib.index import DEFAULT_INDEX

    url, default = urlsplit(distlib_index_url()), urlsplit(DEFAULT_INDEX)
    assert (url.scheme, url.netloc, url.path) == (default.scheme, default.netloc, "/simple/")


def test_asking_variables_imports_nothing_heavy() -> None:
    script = (
        "import sys; from engine.index.default import *;"
        "configured_index_url({}); pip_configuration_files({'HOME': '/'}); pip_index_url([]);"
        "print({'re', 'typing', 'configparser', 'urllib', 'distlib', 'collections'} & set(sys.modules))"
    )
    root = str(Path(__file__).parents[4])
    ran = subprocess.run(
        [sys.executable, "-S", "-c", script],
        env={**os.environ, "PYTHONPATH": root},
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout == "set()\n"
