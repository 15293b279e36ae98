"""`install` as a user runs it: what is wanted and what that needs, in an environment that has something already."""

import json
from collections.abc import Callable

import pytest

from tests.support.index import Index
from tests.support.tool import Result, Target, Tool
from tests.support.wheels import make_wheel

NewTarget = Callable[[str], Target]


@pytest.fixture(autouse=True)
def projects(index: Index) -> None:
    """`app` 2 needs a `base` that `tool` does not let it have."""
    index.add(
        make_wheel("app", "1.0", requires=["base"]),
        make_wheel("app", "2.0", requires=["base>=2", 'extra-thing; extra == "more"']),
        make_wheel("tool", "1.0", requires=["base<2"]),
        make_wheel("base", "1.0"),
        make_wheel("base", "2.0"),
        make_wheel("extra-thing", "1.0"),
        make_wheel("other", "1.0"),
    )


def pages(index: Index) -> list[str]:
    """Returns the projects whose pages were asked for since the last time."""
    asked = [path.split("/")[2] for path in index.requests if path.startswith("/simple/")]
    index.requests.clear()
    return asked


def succeed(result: Result) -> Result:
    assert result.code == 0, result.err
    return result


def test_what_is_named_is_installed_with_what_it_needs_and_nothing_else_changes(tool: Tool, target: Target) -> None:
    succeed(tool.install(target, "other"))
    result = succeed(tool.install(target, "app[more]"))
    assert target.installed() == {"app-2.0", "base-2.0", "extra_thing-1.0", "other-1.0"}
    assert "Installed 3 distributions" in result.err and "other" not in result.err


def test_requirements_files_constraints_overrides_and_excludes_count(tool: Tool, new_target: NewTarget) -> None:
    wanted = str(tool.write_lock("app", name="requirements.txt"))
    for option, line, expected in (
        ("--constraint", "base<2", {"app-1.0", "base-1.0"}),
        ("--override", "base==1.0", {"app-2.0", "base-1.0"}),
        ("--exclude", "base", {"app-2.0"}),
    ):
        target = new_target(option)
        succeed(tool.install(target, "-r", wanted, option, str(tool.write_lock(line, name=f"{option[2:]}.txt"))))
        assert target.installed() == expected


def test_where_what_is_installed_meets_what_is_wanted_nobody_is_asked(tool: Tool, target: Target, index: Index) -> None:
    succeed(tool.install(target, "app==1.0", "base==1.0"))
    index.requests.clear()
    for words in (["app"], ["app"], ["base<2", "app"]):  # the second time from memory
        assert "Nothing to do" in succeed(tool.install(target, *words)).err
    assert index.requests == []
    assert target.installed() == {"app-1.0", "base-1.0"}


def test_only_what_is_new_is_asked_for_where_what_is_installed_stays(tool: Tool, target: Target, index: Index) -> None:
    succeed(tool.install(target, "base==1.0"))
    index.requests.clear()
    succeed(tool.install(target, "tool"))
    assert pages(index) == ["tool"]
    assert target.installed() == {"base-1.0", "tool-1.0"}


def test_the_newest_of_what_is_new_goes_before_what_is_installed(tool: Tool, target: Target) -> None:
    succeed(tool.install(target, "base==1.0"))
    succeed(tool.install(target, "app"))
    assert target.installed() == {"app-2.0", "base-2.0"}


def test_a_distribution_that_is_changed_by_hand_is_seen_in_spite_of_what_is_remembered(
    tool: Tool, target: Target
) -> None:
    succeed(tool.install(target, "app"))
    succeed(tool.install(target, "base==1.0", "--no-deps"))
    assert target.installed() == {"app-2.0", "base-1.0"}
    succeed(tool.install(target, "app"))
    assert target.installed() == {"app-2.0", "base-2.0"}


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ([], {"app-1.0", "base-1.0"}),
        (["--upgrade"], {"app-2.0", "base-2.0"}),
        (["-P", "base"], {"app-1.0", "base-2.0"}),
        (["-U", "--resolution", "lowest"], {"app-1.0", "base-1.0"}),
    ],
)
def test_what_is_installed_stays_until_it_is_to_be_upgraded(
    tool: Tool, target: Target, options: list[str], expected: set[str]
) -> None:
    succeed(tool.install(target, "app==1.0", "base==1.0"))
    succeed(tool.install(target, "app", *options))
    assert target.installed() == expected


def test_what_is_needed_is_upgraded_with_what_is_named_only_where_that_was_asked_for(
    tool: Tool, target: Target
) -> None:
    succeed(tool.install(target, "app==1.0", "base==1.0"))
    succeed(tool.install(target, "app<2", "--upgrade"))
    assert target.installed() == {"app-1.0", "base-1.0"}
    succeed(tool.install(target, "app<2", "--upgrade", "--upgrade-strategy", "eager"))
    assert target.installed() == {"app-1.0", "base-2.0"}


def test_a_second_environment_is_linked_from_what_is_remembered(
    tool: Tool, new_target: NewTarget, index: Index
) -> None:
    first, second = new_target("first"), new_target("second")
    succeed(tool.install(first, "app"))
    index.requests.clear()
    assert "the resolution is remembered" in succeed(tool.install(second, "app", "-v")).err
    assert index.requests == [] and second.installed() == {"app-2.0", "base-2.0"}


def test_what_is_remembered_is_forgotten_with_the_freshness_of_its_pages(
    tool: Tool, new_target: NewTarget, index: Index
) -> None:
    index.max_age_seconds = 0
    succeed(tool.install(new_target("first"), "app"))
    index.add(make_wheel("base", "2.1"))
    target = new_target("second")
    succeed(tool.install(target, "app"))
    assert target.installed() == {"app-2.0", "base-2.1"}


def test_what_is_remembered_does_not_count_where_another_version_is_there(tool: Tool, new_target: NewTarget) -> None:
    succeed(tool.install(new_target("first"), "app<2"))
    target = new_target("second")
    succeed(tool.install(target, "base==1.0"))
    succeed(tool.install(target, "app<2"))
    assert target.installed() == {"app-1.0", "base-1.0"}


def test_what_is_remembered_does_not_count_for_other_bytes_of_a_file(tool: Tool, new_target: NewTarget) -> None:
    inner = tool.write_lock("base<2", name="inner.txt")
    wanted = str(tool.write_lock("-r inner.txt", "app", name="requirements.txt"))
    first, second = new_target("first"), new_target("second")
    succeed(tool.install(first, "-r", wanted))
    inner.write_text("base\n")
    succeed(tool.install(second, "-r", wanted))
    assert first.installed() == {"app-1.0", "base-1.0"} and second.installed() == {"app-2.0", "base-2.0"}


def test_several_environments_are_installed_in_one_run(tool: Tool, new_target: NewTarget, index: Index) -> None:
    first, second = new_target("first"), new_target("second")
    succeed(tool.install(first, "app", "--python", str(second.prefix)))
    assert first.installed() == second.installed() == {"app-2.0", "base-2.0"}
    assert sorted(pages(index)) == ["app", "base"]


def test_a_dry_run_changes_nothing_and_says_what_it_would(tool: Tool, target: Target) -> None:
    before = target.tree()
    result = succeed(tool.install(target, "app", "--dry-run"))
    assert "Would install 2 distributions" in result.err and "app==2.0" in result.err
    assert target.tree() == before


def test_force_reinstall_installs_again_what_is_there(tool: Tool, target: Target) -> None:
    succeed(tool.install(target, "app"))
    assert "Installed 2 distributions" in succeed(tool.install(target, "app", "--force-reinstall")).err
    assert "Installed 1 distribution " in succeed(tool.install(target, "app", "--reinstall-package", "base")).err


def test_exact_removes_what_nothing_asks_for(tool: Tool, target: Target) -> None:
    succeed(tool.install(target, "app", "other"))
    succeed(tool.install(target, "base", "--exact"))
    assert target.installed() == {"base-2.0"}


def test_a_wheel_of_this_machine_is_installed_with_what_it_needs(tool: Tool, target: Target) -> None:
    wheel = make_wheel("mine", "1.0", requires=["base<2"])
    path = tool.folder / wheel.filename
    path.write_bytes(wheel.content)
    succeed(tool.install(target, str(path)))
    assert target.installed() == {"mine-1.0", "base-1.0"}
    (found,) = target.site.glob("mine-*/direct_url.json")
    assert json.loads(found.read_text())["url"] == path.as_uri()
    assert "Nothing to do" in succeed(tool.install(target, str(path))).err


def test_a_wheel_behind_a_url_is_installed_with_what_it_needs(tool: Tool, target: Target, index: Index) -> None:
    url = index.url.replace("/simple/", "/files/app-1.0-py3-none-any.whl")
    succeed(tool.install(target, f"app @ {url}"))
    assert target.installed() == {"app-1.0", "base-2.0"}
    assert "Nothing to do" in succeed(tool.install(target, "app")).err


def test_hashes_are_demanded_of_everything_where_one_thing_has_one(tool: Tool, target: Target) -> None:
    app, base = make_wheel("app", "2.0"), make_wheel("base", "2.0")
    app = make_wheel("app", "2.0", requires=["base>=2", 'extra-thing; extra == "more"'])
    wanted = tool.write_lock(f"app==2.0 --hash=sha256:{app.sha256}", name="requirements.txt")
    result = tool.install(target, "-r", str(wanted))
    assert result.code == 2 and "base==2.0 has no hash" in result.err and target.installed() == set()
    wanted.write_text(f"{wanted.read_text()}base==2.0 --hash=sha256:{base.sha256}\n")
    succeed(tool.install(target, "-r", str(wanted)))
    assert target.installed() == {"app-2.0", "base-2.0"}


def test_a_wheel_with_another_hash_is_refused(tool: Tool, target: Target) -> None:
    wanted = tool.write_lock(f"base==2.0 --hash=sha256:{'0' * 64}", name="requirements.txt")
    result = tool.install(target, "-r", str(wanted))
    assert result.code == 1 and "base" in result.err and target.installed() == set()


def test_what_cannot_be_met_changes_nothing(tool: Tool, target: Target) -> None:
    succeed(tool.install(target, "other"))
    before = target.tree()
    result = tool.install(target, "app>=2", "tool")
    assert result.code == 1 and "app>=2" in result.err and "tool" in result.err
    assert target.tree() == before


def test_without_a_network_the_cache_answers(tool: Tool, new_target: NewTarget, index: Index) -> None:
    succeed(tool.install(new_target("first"), "app"))
    index.requests.clear()
    target = new_target("second")
    succeed(tool.install(target, "app<3", "--offline"))
    assert target.installed() == {"app-2.0", "base-2.0"} and index.requests == []
    result = tool.install(new_target("third"), "other", "--offline")
    assert result.code == 1 and "other" in result.err


def test_nothing_named_is_an_error_that_says_what_to_name(tool: Tool, target: Target) -> None:
    result = tool.install(target)
    assert result.code == 2 and "nothing to install" in result.err and "-r" in result.err


def test_the_report_has_what_was_installed(tool: Tool, target: Target) -> None:
    succeed(tool.install(target, "app", "--report", "report.json"))
    report = json.loads((tool.folder / "report.json").read_text())
    assert {item["metadata"]["name"]: item["requested"] for item in report["install"]} == {"app": True, "base": False}
    assert [path.parent.name for path in target.site.glob("*/REQUESTED")] == ["app-2.0.dist-info"]
    assert all(item["download_info"]["archive_info"]["hash"] for item in report["install"])
