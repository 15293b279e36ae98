"""The tables of docs/settings.md, made from the code that they are about.

`python -m tests.support.settings_reference` writes them into the page.
"""

from pathlib import Path

from engine.arguments import COUNTED, Option, opposites_of
from engine.settings import model
from engine.settings.pip_file import HONOURED
from engine.settings.variables import FOREIGN, OTHER_NAMES, variable_names

PAGE = Path(__file__).parents[2] / "docs" / "settings.md"

_BY_METAVAR = {"N": "whole number", "SECONDS": "number of seconds", "DIR": "path", "FILE": "path", "PATH": "path"}


def options() -> str:
    """Returns a row for each option that is a setting."""
    rows = ["| Key | Value | Variable | Meaning |", "|---|---|---|---|"]
    for option in model.settable_options().values():
        keys = "<br>".join(f"`{key}`" for key in model.keys(option))
        names = [*variable_names(option), *(name for name, meant in OTHER_NAMES.items() if meant == option[1])]
        variables = "<br>".join(f"`{name}`" for name in names)
        rows.append(f"| {keys} | {_value(option)} | {variables} | {_meaning(option)} |")
    return "\n".join(rows)


def _value(option: Option) -> str:
    _, name, kind, metavar, _ = option
    if name in COUNTED:
        return "0, 1 or 2"
    if kind in ("flag", "switch"):
        return "true or false"
    if isinstance(kind, tuple):
        return ", ".join(f"`{word}`" for word in kind)
    single = "path or URL" if name in model.PLACES else _BY_METAVAR.get(str(metavar), str(metavar).lower())
    if name == "python":
        single = "path or version"
    return f"list of: {single}" if kind == "list" else single.replace("url", "URL")


def _meaning(option: Option) -> str:
    text = option[4].replace("|", "\\|")
    if option[2] == "switch":
        text += f" (off: `{opposites_of(option)[0]}`)"
    return text


def foreign() -> str:
    """Returns a row for each option that other tools' variables or pip's files set."""
    rows = ["| Setting | Variables of uv and pip, the first that is set | In pip's files |", "|---|---|---|"]
    for name in dict.fromkeys([*FOREIGN.values(), *HONOURED.values()]):
        variables = ", ".join(f"`{variable}`" for variable, meant in FOREIGN.items() if meant == name)
        keys = ", ".join(f"`{key}`" for key, meant in HONOURED.items() if meant == name)
        rows.append(f"| `{name.replace('_', '-')}` | {variables} | {keys} |")
    return "\n".join(rows)


def with_tables(page: str) -> str:
    """Returns the page with its tables as they have to be."""
    for name, table in (("options", options()), ("foreign", foreign())):
        begin, end = f"<!-- {name}: made by tests/support/settings_reference.py -->\n", f"<!-- end of {name} -->"
        head, found, rest = page.partition(begin)
        _, ended, tail = rest.partition(end)
        assert found and ended, f"the page has no place for the table of {name}"
        page = f"{head}{begin}{table}\n{end}{tail}"
    return page


if __name__ == "__main__":
    PAGE.write_text(with_tables(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
