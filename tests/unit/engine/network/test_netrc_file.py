"""netrc: found, read once, and no trouble for those who have none."""

import os
from pathlib import Path

import pytest

from engine.network.netrc_file import NetrcFile
from engine.network.origin import Credentials


def write(folder: Path, text: str, name: str = ".netrc") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_credentials_come_with_the_path_of_the_file(tmp_path: Path) -> None:
    path = write(tmp_path, "machine example.com\n  login user\n  password secret\n")
    netrc = NetrcFile({"HOME": str(tmp_path)}, [])
    assert netrc.find("example.com") == Credentials("user", "secret", str(path))
    assert netrc.find("example.org") is None
    assert netrc.find("example.com", "another") is None


def test_a_variable_names_the_file(tmp_path: Path) -> None:
    path = write(tmp_path, "default login user password secret", "other")
    netrc = NetrcFile({"HOME": str(tmp_path / "empty"), "NETRC": str(path)}, [])
    assert netrc.find("anything.example.com") == Credentials("user", "secret", str(path))


def test_no_file_is_no_reason_for_a_warning(tmp_path: Path) -> None:
    warnings: list[str] = []
    assert NetrcFile({"HOME": str(tmp_path)}, warnings).find("example.com") is None
    assert warnings == []


def test_a_file_is_read_once(tmp_path: Path) -> None:
    path = write(tmp_path, "machine example.com login user password secret\n")
    netrc = NetrcFile({"HOME": str(tmp_path)}, [])
    assert netrc.find("example.org") is None
    path.unlink()
    path.mkdir()
    assert netrc.find("other.example.org") is None


def test_a_file_that_makes_no_sense_is_a_warning_without_a_word_of_it(tmp_path: Path) -> None:
    write(tmp_path, "machine example.com login user passwort secret\n")
    warnings: list[str] = []
    netrc = NetrcFile({"HOME": str(tmp_path)}, warnings)
    assert netrc.find("example.com") is None and netrc.find("example.com") is None
    (warning,) = warnings
    assert "line" in warning and ".netrc" in warning
    assert "secret" not in warning and "passwort" not in warning


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="nothing is unreadable")
def test_a_file_that_cannot_be_read_is_a_warning(tmp_path: Path) -> None:
    write(tmp_path, "").chmod(0)
    warnings: list[str] = []
    assert NetrcFile({"HOME": str(tmp_path)}, warnings).find("example.com") is None
    assert len(warnings) == 1


def test_a_folder_in_its_place_is_a_warning(tmp_path: Path) -> None:
    (tmp_path / ".netrc").mkdir()
    warnings: list[str] = []
    assert NetrcFile({"HOME": str(tmp_path)}, warnings).find("example.com") is None
    assert len(warnings) == 1
