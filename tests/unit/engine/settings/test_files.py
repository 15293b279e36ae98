"""Where settings files are looked for, and what is refused unread."""

import os
from pathlib import Path

import pytest

from engine.errors import ConfigurationError
from engine.settings import files
from engine.settings.memory import Memory

posix = pytest.mark.skipif(os.name == "nt", reason="file modes of POSIX")


def project(cwd: Path, warnings: list[str] | None = None) -> str | None:
    """Returns the settings file of a project, below the folder that the test has made."""
    layer = files.project_layer(str(cwd), Memory(None), [] if warnings is None else warnings)
    return layer.path if layer is not None else None


def test_the_nearest_folder_with_settings_is_the_projects(tmp_path: Path) -> None:
    deep = tmp_path / "a" / "b" / "c"
    deep.mkdir(parents=True)
    (tmp_path / "pyproject.toml").write_text("[tool.engine]\n")
    assert project(deep) == str(tmp_path / "pyproject.toml")
    (tmp_path / "a" / "engine.toml").write_text("")
    assert project(deep) == str(tmp_path / "a" / "engine.toml")
    (deep / "pyproject.toml").write_text('[project]\nname = "engine"\n[tool.other]\n')
    assert project(deep) == str(tmp_path / "a" / "engine.toml")
    (deep / "pyproject.toml").write_text('[tool."engine".sources]\n')
    assert project(deep) == str(deep / "pyproject.toml")


def test_engine_toml_counts_before_the_pyproject_beside_it_and_says_so(tmp_path: Path) -> None:
    (tmp_path / "engine.toml").write_text("")
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "engine"\n')
    warnings: list[str] = []
    assert project(tmp_path, warnings) == str(tmp_path / "engine.toml") and warnings == []
    (tmp_path / "pyproject.toml").write_text("[tool.engine]\noffline = true\n")
    assert project(tmp_path, warnings) == str(tmp_path / "engine.toml")
    (warning,) = warnings
    assert str(tmp_path / "engine.toml") in warning


def test_a_pyproject_that_cannot_be_toml_matters_only_if_it_may_hold_our_table(tmp_path: Path) -> None:
    path = tmp_path / "pyproject.toml"
    path.write_text("= engine")
    assert project(tmp_path) != str(path)
    path.write_text("[tool.engine]\n= 1")
    with pytest.raises(ConfigurationError, match=r"pyproject\.toml:2: not TOML"):
        project(tmp_path)


def give_away(path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("needs to give a file away")
    os.chown(path, 12345, -1, follow_symlinks=False)


@posix
@pytest.mark.parametrize("name", ["engine.toml", "pyproject.toml"])
def test_a_file_that_a_stranger_could_plant_is_passed_over(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("[tool.engine]" if name == "pyproject.toml" else "")
    give_away(tmp_path / name)
    warnings: list[str] = []
    assert project(tmp_path, warnings) == str(tmp_path / name) and warnings == []
    tmp_path.chmod(0o1777)
    assert project(tmp_path, warnings) != str(tmp_path / name)
    assert "another user" in warnings[0]


@posix
@pytest.mark.parametrize("leads_to", ["own.toml", "engine.toml"])
def test_a_link_that_a_stranger_could_plant_is_not_followed(tmp_path: Path, leads_to: str) -> None:
    (tmp_path / "own.toml").write_text("offline = true")
    (tmp_path / "engine.toml").symlink_to(leads_to)
    give_away(tmp_path / "engine.toml")
    tmp_path.chmod(0o1777)
    warnings: list[str] = []
    assert project(tmp_path, warnings) != str(tmp_path / "engine.toml") and len(warnings) == 1


@posix
def test_what_a_stranger_plants_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pyproject.toml")
    give_away(tmp_path / "pyproject.toml")
    tmp_path.chmod(0o1777)
    warnings: list[str] = []
    assert project(tmp_path, warnings) != str(tmp_path / "pyproject.toml") and warnings == []


@posix
def test_a_file_of_ones_own_in_a_shared_folder_counts(tmp_path: Path) -> None:
    (tmp_path / "engine.toml").write_text("")
    tmp_path.chmod(0o1777)
    assert project(tmp_path) == str(tmp_path / "engine.toml")


@posix
def test_what_is_no_file_is_refused_without_waiting_for_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "engine.toml")
    with pytest.raises(ConfigurationError, match=r"engine\.toml is not a file"):
        project(tmp_path)


@posix
def test_a_link_is_followed_and_one_that_leads_nowhere_is_none(tmp_path: Path) -> None:
    (tmp_path / "engine.toml").symlink_to(tmp_path / "other.toml")
    assert project(tmp_path) != str(tmp_path / "engine.toml")
    (tmp_path / "other.toml").write_text("cache-dir = 'x'")
    layer = files.project_layer(str(tmp_path), Memory(None), [])
    assert layer is not None and layer.values == {"cache_dir": str(tmp_path / "x")}


@posix
def test_a_link_to_itself_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "engine.toml").symlink_to("engine.toml")
    with pytest.raises(ConfigurationError, match=r"engine\.toml cannot be read"):
        project(tmp_path)


@posix
def test_an_unreadable_file_is_an_error(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root reads everything")
    (tmp_path / "engine.toml").write_text("")
    (tmp_path / "engine.toml").chmod(0)
    with pytest.raises(ConfigurationError, match=r"engine\.toml cannot be read"):
        project(tmp_path)


def test_a_file_that_is_far_too_large_is_refused(tmp_path: Path) -> None:
    (tmp_path / "engine.toml").write_bytes(b"#" * (files.LIMIT_BYTES + 1))
    with pytest.raises(ConfigurationError, match="too large"):
        project(tmp_path)


def test_a_named_file_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="there is no settings file"):
        files.named_layer(str(tmp_path / "none.toml"), Memory(None))
    (tmp_path / "pyproject.toml").write_text("[tool.other]\n")
    with pytest.raises(ConfigurationError, match="has no table"):
        files.named_layer(str(tmp_path / "pyproject.toml"), Memory(None))
    (tmp_path / "pyproject.toml").write_text("[tool.engine]\noffline = true\n")
    layer = files.named_layer(str(tmp_path / "pyproject.toml"), Memory(None))
    assert layer.values == {"offline": True}


def test_the_users_file() -> None:
    assert files.user_file({"HOME": "/home/a"}, platform="linux") == "/home/a/.config/engine/engine.toml"
    assert files.user_file({"HOME": "/home/a", "XDG_CONFIG_HOME": "/x"}, platform="darwin") == "/x/engine/engine.toml"
    relative = {"HOME": "/home/a", "XDG_CONFIG_HOME": "x"}
    assert files.user_file(relative, platform="linux") == "/home/a/.config/engine/engine.toml"
    assert files.user_file({"APPDATA": "roaming"}, platform="win32") == os.path.join("roaming", "engine", "engine.toml")


def test_the_systems_files() -> None:
    assert files.system_files({}, platform="linux") == ["/etc/xdg/engine/engine.toml", "/etc/engine/engine.toml"]
    found = files.system_files({"XDG_CONFIG_DIRS": os.pathsep.join(["/a", "b", "/c"])}, platform="linux")
    assert found == ["/a/engine/engine.toml", "/c/engine/engine.toml", "/etc/engine/engine.toml"]
    assert files.system_files({"PROGRAMDATA": "all"}, platform="win32") == [
        os.path.join("all", "engine", "engine.toml")
    ]


def test_the_users_file_comes_before_the_first_of_the_system(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("user", "one", "two")]
    for folder in folders:
        (folder / "engine").mkdir(parents=True)
        (folder / "engine" / "engine.toml").write_text("")
    environ = {"XDG_CONFIG_HOME": str(folders[0]), "XDG_CONFIG_DIRS": os.pathsep.join(map(str, folders[1:]))}
    found = [layer.path for layer in files.standing_layers(environ, Memory(None))]
    assert found == [str(folder / "engine" / "engine.toml") for folder in folders[:2]]


def test_pip_files_of_linux() -> None:
    assert files.pip_files({"HOME": "/home/a"}, platform="linux") == [
        "/etc/xdg/pip/pip.conf",
        "/etc/pip.conf",
        "/home/a/.pip/pip.conf",
        "/home/a/.config/pip/pip.conf",
    ]
    environ = {"HOME": "/home/a", "XDG_CONFIG_HOME": "/x", "XDG_CONFIG_DIRS": os.pathsep.join(["/y", "", "/z"])}
    assert files.pip_files(environ, platform="linux") == [
        "/y/pip/pip.conf",
        "/z/pip/pip.conf",
        "/etc/pip.conf",
        "/home/a/.pip/pip.conf",
        "/x/pip/pip.conf",
    ]


def test_pip_files_of_macos_depend_on_the_folder_that_is_there(tmp_path: Path) -> None:
    environ = {"HOME": str(tmp_path)}
    assert files.pip_files(environ, platform="darwin")[-1] == str(tmp_path / ".config" / "pip" / "pip.conf")
    folder = tmp_path / "Library" / "Application Support" / "pip"
    folder.mkdir(parents=True)
    found = files.pip_files(environ, platform="darwin")
    assert found[0] == "/Library/Application Support/pip/pip.conf"
    assert found[-1] == str(folder / "pip.conf")


def test_pip_files_of_windows() -> None:
    environ = {"USERPROFILE": "home", "APPDATA": "roaming", "PROGRAMDATA": "shared", "HOME": "other"}
    assert files.pip_files(environ, platform="win32") == [
        os.path.join("shared", "pip", "pip.ini"),
        os.path.join("home", "pip", "pip.ini"),
        os.path.join("roaming", "pip", "pip.ini"),
    ]


def test_pip_config_file_takes_the_place_of_the_users_files(tmp_path: Path) -> None:
    named = tmp_path / "pip.conf"
    environ = {"HOME": "/home/a", "PIP_CONFIG_FILE": str(named)}
    assert files.pip_files(environ, platform="linux")[-1] == "/home/a/.config/pip/pip.conf"
    named.touch()
    assert files.pip_files(environ, platform="linux") == ["/etc/xdg/pip/pip.conf", "/etc/pip.conf", str(named)]


def test_the_null_device_switches_pip_files_off() -> None:
    assert files.pip_files({"HOME": "/home/a", "PIP_CONFIG_FILE": os.devnull}) == []


def test_a_later_file_of_pip_wins_and_the_install_section_of_any(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("one", "two", "home")]
    environ = {
        "XDG_CONFIG_DIRS": os.pathsep.join(map(str, folders[:2])),
        "XDG_CONFIG_HOME": str(folders[2]),
        "HOME": "/nowhere",
    }
    texts = [
        ("[global]\nindex-url = 1\n[install]\nno-index = false\n", "1"),
        ("[install]\nindex-url = 2\n", "2"),
        ("[global]\nindex-url = 3\n", "2"),
    ]
    for folder, (text, expected) in zip(folders, texts, strict=True):
        (folder / "pip").mkdir(parents=True)
        (folder / "pip" / "pip.conf").write_text(text)
        layer = files.pip_layer(environ, Memory(None))
        assert layer is not None and layer.values["index_url"] == expected
        assert layer.values["no_index"] is False
