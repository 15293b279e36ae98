"""Whose word counts."""

import os
from pathlib import Path

import pytest

from engine.arguments import scan_arguments
from engine.errors import ConfigurationError
from engine.locations import IndexLocation
from engine.options import LockOptions
from engine.settings.complete import Completed, complete


class Surroundings:
    """A project's folder, the user's and the system's, and pip's file."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.cwd = root / "project" / "deep"
        self.cwd.mkdir(parents=True)
        self.project = root / "project" / "engine.toml"
        self.user = root / "user" / "engine" / "engine.toml"
        self.system = root / "system" / "engine" / "engine.toml"
        self.pip = root / "pip.conf"
        self.environ = {
            "XDG_CONFIG_HOME": str(root / "user"),
            "XDG_CONFIG_DIRS": str(root / "system"),
            "PIP_CONFIG_FILE": os.devnull,
            "ENGINE_CACHE_DIR": str(root / "cache"),
            "HOME": str(root),
        }

    def write(self, path: Path, text: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        if path == self.pip:
            self.environ["PIP_CONFIG_FILE"] = str(path)

    def complete(self, *words: str, **variables: str) -> Completed:
        values = scan_arguments(["sync", "lock.txt", *words])
        assert values is not None
        return complete(values, {**self.environ, **variables}, str(self.cwd))


@pytest.fixture
def around(tmp_path: Path) -> Surroundings:
    return Surroundings(tmp_path)


def url(location: IndexLocation | None) -> str:
    return location.url if location is not None else ""


def test_nothing_is_added_where_nobody_says_anything(around: Surroundings) -> None:
    values = scan_arguments(["sync", "lock.txt"])
    done = around.complete()
    assert done.values == {**(values or {}), "cache_dir": around.environ["ENGINE_CACHE_DIR"]}
    assert (done.default_index, done.indexes, done.sources, done.warnings) == (None, [], {}, [])


def test_the_nearest_word_counts(around: Surroundings) -> None:
    seen = []
    around.write(around.system, "link-mode = 'copy'")
    seen.append(around.complete().values["link_mode"])
    around.write(around.user, "link-mode = 'clone'")
    seen.append(around.complete().values["link_mode"])
    around.write(around.project, "link-mode = 'hardlink'")
    seen.append(around.complete().values["link_mode"])
    seen.append(around.complete(UV_LINK_MODE="copy").values["link_mode"])
    seen.append(around.complete(UV_LINK_MODE="copy", ENGINE_LINK_MODE="clone").values["link_mode"])
    seen.append(around.complete("--link-mode", "hardlink", ENGINE_LINK_MODE="clone").values["link_mode"])
    assert seen == ["copy", "clone", "hardlink", "copy", "clone", "hardlink"]


def test_a_switch_that_is_on_can_be_turned_off_nearer(around: Surroundings) -> None:
    around.write(around.user, "offline = true")
    assert around.complete().values["offline"] is True
    assert around.complete("--no-offline").values["offline"] is False
    assert around.complete(ENGINE_OFFLINE="0").values["offline"] is False
    assert around.complete("--offline", ENGINE_OFFLINE="0").values["offline"] is True
    around.write(around.project, "offline = false")
    assert around.complete().values["offline"] is False


def test_a_flag_that_is_on_can_be_turned_off_nearer(around: Surroundings) -> None:
    around.write(around.user, "no-index = true\nquiet = 2")
    assert around.complete().values["no_index"] and around.complete().values["quiet"] == 2
    assert not around.complete(ENGINE_NO_INDEX="0").values["no_index"]
    assert around.complete("-q").values["quiet"] == 1


def test_of_two_options_that_contradict_each_other_the_nearer_counts(around: Surroundings) -> None:
    def asked(*words: str, **variables: str) -> tuple[bool, bool]:
        values = around.complete(*words, **variables).values
        return bool(values["require_hashes"]), bool(values["no_require_hashes"])

    around.write(around.user, "require-hashes = true")
    assert asked() == (True, False)
    assert asked("--no-require-hashes") == (False, True)
    assert asked(ENGINE_NO_REQUIRE_HASHES="1") == (False, True)
    assert asked("--require-hashes", ENGINE_NO_REQUIRE_HASHES="1") == (True, False)
    around.write(around.user, "no-verify-hashes = true")
    assert around.complete().values["no_verify_hashes"]
    assert not around.complete("--verify-hashes").values["no_verify_hashes"]


def test_where_to_install_is_said_by_the_nearest_alone(around: Surroundings) -> None:
    around.write(around.user, "prefix = '/prefix'")
    assert around.complete().values["prefix"] == "/prefix"
    for done in (
        around.complete("--target", "t"),
        around.complete(UV_SYSTEM_PYTHON="1"),
        around.complete("-p", "a", "-p", "b"),
    ):
        assert done.values["prefix"] is None
    assert around.complete("-p", "3.12", UV_SYSTEM_PYTHON="1").values["system"] is True
    assert around.complete("-p", "a", "-p", "b", UV_SYSTEM_PYTHON="1").values["system"] is None
    assert around.complete("--no-system").values["prefix"] == "/prefix"


def test_lists_of_files_are_joined_behind_those_of_the_command_line(around: Surroundings) -> None:
    around.write(around.project, "find-links = ['/a', '/b']")
    around.write(around.user, "find-links = ['/c', '/a']")
    around.write(around.pip, "[global]\nfind-links = /d")
    assert around.complete().values["find_links"] == ["/a", "/b", "/c", "/d"]
    assert around.complete(ENGINE_FIND_LINKS="/x").values["find_links"] == ["/x", "/a", "/b", "/c", "/d"]
    done = around.complete("-f", "/y", ENGINE_FIND_LINKS="/x")
    assert done.values["find_links"] == ["/y", "/a", "/b", "/c", "/d"]


def test_environments_are_those_of_the_nearest_only(around: Surroundings) -> None:
    around.write(around.project, "python = ['3.11', '3.12']")
    around.write(around.user, "python = ['3.13']")
    assert around.complete().values["python"] == ["3.11", "3.12"]
    assert around.complete(UV_PYTHON="3.10").values["python"] == ["3.10"]
    assert around.complete("-p", "3.9", UV_PYTHON="3.10").values["python"] == ["3.9"]


def test_the_default_index_of_settings_stands_apart_from_the_command_lines(around: Surroundings) -> None:
    seen = []
    around.write(around.pip, "[global]\nindex-url = https://example.com/pip")
    seen.append(url(around.complete().default_index))
    around.write(around.user, "index-url = 'https://example.com/user'")
    seen.append(url(around.complete().default_index))
    around.write(around.project, "[[index]]\nurl = 'https://example.com/project'\ndefault = true")
    seen.append(url(around.complete().default_index))
    seen.append(url(around.complete(UV_DEFAULT_INDEX="x=https://example.com/uv").default_index))
    done = around.complete("-i", "https://example.com/cli")
    assert done.values["index_url"] == "https://example.com/cli"
    assert [one.rpartition("/")[2] for one in seen] == ["pip", "user", "project", "uv"]
    assert around.complete().values["index_url"] is None


def test_indexes_of_files_are_joined_and_a_nearer_name_hides_another(around: Surroundings) -> None:
    around.write(
        around.project,
        "[[index]]\nurl = 'https://example.com/1'\nname = 'one'\nexplicit = true\n"
        "[[index]]\nurl = 'https://example.com/2'\n[sources]\na = { index = 'one' }\nb = { index = 'one' }\n",
    )
    around.write(
        around.user,
        "[[index]]\nurl = 'https://example.com/3'\nname = 'one'\n[[index]]\nurl = 'https://example.com/4'\n"
        "name = 'four'\n[sources]\nb = { index = 'four' }\nc = { index = 'four' }\n",
    )
    done = around.complete()
    assert [location.url[-1] for location in done.indexes] == ["1", "2", "4"] and done.indexes[0].explicit
    assert done.sources == {"a": "one", "b": "one", "c": "four"}
    done = around.complete("--index", "one=https://example.com/5")
    assert [location.url[-1] for location in done.indexes] == ["2", "4"]


def test_a_default_index_that_another_replaces_still_serves_what_is_pinned_to_it(around: Surroundings) -> None:
    around.write(around.project, "[[index]]\nurl = 'https://example.com/1'\nname = 'one'\ndefault = true\n")
    done = around.complete(ENGINE_INDEX_URL="https://example.com/2")
    assert url(done.default_index) == "https://example.com/2"
    (location,) = done.indexes
    assert (location.name, location.explicit, location.default) == ("one", True, False)


def test_a_named_file_takes_the_place_of_all_of_ours(around: Surroundings) -> None:
    around.write(around.project, "offline = true")
    around.write(around.user, "durable = true")
    around.write(around.pip, "[global]\nindex-url = https://example.com/pip")
    around.write(around.root / "other.toml", "link-mode = 'copy'")
    done = around.complete("--config-file", "../../other.toml")
    assert (done.values["offline"], done.values["durable"], done.values["link_mode"]) == (None, None, "copy")
    assert url(done.default_index) == "https://example.com/pip"
    assert around.complete(ENGINE_CONFIG_FILE=str(around.root / "other.toml")).values["link_mode"] == "copy"


def test_without_files_only_variables_are_asked(around: Surroundings) -> None:
    for path in (around.project, around.user, around.system, around.pip):
        around.write(path, "= nonsense")
    for done in (around.complete("--no-config", UV_OFFLINE="1"), around.complete(ENGINE_NO_CONFIG="1", UV_OFFLINE="1")):
        assert done.values["offline"] is True and not any("settings from" in line for line in done.details)
    around.write(around.root / "other.toml", "durable = true")
    assert around.complete("--no-config", "--config-file", "../../other.toml").values["durable"] is True


def test_what_counted_is_told(around: Surroundings) -> None:
    around.write(around.project, "link-mode = 'copy'")
    around.write(around.pip, "[global]\nno-index = 1")
    details = around.complete("-v", UV_OFFLINE="1", ENGINE_OFLINE="1").details
    assert details[:-1] == [
        "ENGINE_CACHE_DIR sets cache-dir",
        "UV_OFFLINE sets offline",
        "nothing reads the variable ENGINE_OFLINE; ENGINE_OFFLINE is one",
        f"settings from {around.project}",
    ]
    # The machine may have a file of pip's too.
    assert details[-1].startswith("settings from ") and details[-1].endswith(str(around.pip))


def test_a_file_that_is_the_projects_and_the_users_counts_once(around: Surroundings) -> None:
    around.write(around.user, "find-links = ['/a']")
    values = scan_arguments(["sync", "lock.txt"])
    assert values is not None
    done = complete(values, around.environ, str(around.user.parent))
    assert [line for line in done.details if "settings from" in line] == [f"settings from {around.user}"]


def test_a_command_takes_the_settings_of_its_options_only(around: Surroundings) -> None:
    around.write(around.project, "cache-dir = 'there'\nlink-mode = 'copy'\n[[index]]\nurl = 'https://example.com/'\n")
    del around.environ["ENGINE_CACHE_DIR"]
    values = scan_arguments(["cache", "dir"])
    assert values is not None
    done = complete(values, {**around.environ, "ENGINE_DURABLE": "nonsense"}, str(around.cwd))
    assert done.values == {**values, "cache_dir": os.path.join(around.project.parent, "there")}


def test_the_places_of_pip_count_together_as_pip_has_them(around: Surroundings) -> None:
    around.write(around.pip, "[global]\nextra-index-url = https://example.com/b\nfind-links = /file")
    done = around.complete(PIP_INDEX_URL="https://example.com/a", PIP_FIND_LINKS="/variable")
    assert url(done.default_index) == "https://example.com/a"
    assert done.values["extra_index_url"] == ["https://example.com/b"]
    assert done.values["find_links"] == ["/variable"], "a variable of pip's stands for the same word of its files"
    assert done.values["index_strategy"] == "unsafe-best-match"
    strict = around.complete("--index-strategy", "first-index")
    assert strict.values["index_strategy"] == "first-index"
    assert strict.values["extra_index_url"] == ["https://example.com/b"]


@pytest.mark.parametrize("nearer", ["option", "ENGINE_INDEX_URL", "UV_DEFAULT_INDEX", "file"])
def test_who_names_the_default_index_does_not_mean_the_places_of_pip(around: Surroundings, nearer: str) -> None:
    around.write(around.pip, "[global]\nextra-index-url = https://example.com/b\nfind-links = /d\nno-index = 1")
    words: list[str] = []
    variables = {"PIP_EXTRA_INDEX_URL": "https://example.com/c"}
    if nearer == "option":
        words = ["-i", "https://example.com/mine"]
    elif nearer == "file":
        around.write(around.project, "index-url = 'https://example.com/mine'")
    else:
        variables[nearer] = "https://example.com/mine"
    done = around.complete(*words, **variables)
    assert done.values["extra_index_url"] == [] and done.values["find_links"] == []
    assert not done.values["no_index"] and done.values["index_strategy"] is None


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "SSL_CERT_DIR"])
def test_the_variables_of_openssl_are_nearer_than_what_pip_was_told(around: Surroundings, variable: str) -> None:
    around.write(around.pip, "[global]\ncert = /file.pem")
    assert around.complete().values["cert"] == "/file.pem"
    assert around.complete(PIP_CERT="/variable.pem").values["cert"] == "/variable.pem"
    assert around.complete(PIP_CERT="/variable.pem", **{variable: "/mine"}).values["cert"] is None
    assert around.complete("--cert", "/option.pem", **{variable: "/mine"}).values["cert"] == "/option.pem"


@pytest.mark.parametrize("variable", ["UV_NO_VERIFY_HASHES", "ENGINE_NO_VERIFY_HASHES"])
def test_who_asks_for_hashes_has_them_looked_at_whatever_is_said_further_away(
    around: Surroundings, variable: str
) -> None:
    values = around.complete("--require-hashes", **{variable: "1"}).values
    assert (values["require_hashes"], values["no_verify_hashes"]) == (True, False)
    around.write(around.project, "no-verify-hashes = true\n")
    assert LockOptions.from_words(around.complete(PIP_REQUIRE_HASHES="1").values).verify_hashes
    near = around.complete("--no-verify-hashes", PIP_REQUIRE_HASHES="1").values
    assert not LockOptions.from_words(near).verify_hashes


def test_sources_with_an_index_that_nobody_named_are_refused_with_their_lines(around: Surroundings) -> None:
    text = "[[index]]\nurl = 'https://example.com/1'\nname = 'Corp'\n[sources]\nA_b = { index = '%s' }\n"
    around.write(around.project, text % "corq")
    with pytest.raises(ConfigurationError) as caught:
        around.complete()
    told = f'{around.project}:5: sources.A_b names the index "corq", and there is none of this name'
    assert str(caught.value).startswith(told)
    around.complete("--no-index")
    around.complete("--index", "corq=https://example.com/2")
    around.complete("--index-url", "corq=https://example.com/2")
    around.write(around.project, text % "corp")
    assert around.complete().sources == {"a-b": "corp"}


def test_a_nearer_name_hides_another_however_it_is_cased(around: Surroundings) -> None:
    around.write(around.project, "[[index]]\nurl = 'https://example.com/1'\nname = 'Corp'\n")
    around.write(around.user, "[[index]]\nurl = 'https://example.com/2'\nname = 'corp'\n")
    assert [location.url for location in around.complete().indexes] == ["https://example.com/1"]
