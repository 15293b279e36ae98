"""The words of outcomes and errors, as lines; `cli` prints them.  Pure, and on the warm path.

Rules: text from outside is escaped before it becomes part of a line, so that no
terminal obeys it and nothing hides in it.  Where a GitHub Actions runner reads
the lines, none of them is a workflow command but the annotations made here.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from engine.annotations import Annotator
    from engine.errors import EngineError
    from engine.recording import Artifact
    from engine.reporting import Outcome

RED, GREEN, YELLOW, CYAN = "31", "32", "33", "36"


class Style:
    """How lines look.

    Args:
        color: use color.
        annotator: makes annotations for the runner that reads the lines, or None.
    """

    __slots__ = ("annotator", "color")

    def __init__(self, *, color: bool = False, annotator: "Annotator | None" = None) -> None:
        self.color = color
        self.annotator = annotator

    def paint(self, text: str, color: str) -> str:
        """Returns `text` in a color, or as it is."""
        return f"\x1b[{color}m{text}\x1b[0m" if self.color else text

    def sealed(self, lines: "Iterable[str]") -> list[str]:
        """Returns lines of which no runner takes any for a command."""
        if self.annotator is None:
            return list(lines)
        from engine.annotations import disarm

        return [disarm(line) for line in lines]

    def annotations(self, kind: str, texts: "Sequence[str]", hint: str = "") -> list[str]:
        """Returns annotations, where a runner reads them.

        Args:
            kind: `error` or `warning`.
            texts: as they came; they are escaped here.
            hint: what helps, for the last of them, or "".
        """
        if self.annotator is None:
            return []
        *others, last = texts or [""]
        made = [self.annotator.annotation(kind, text) for text in others]
        return [*made, self.annotator.annotation(kind, last, hint)] if texts else []


def choose_style(choice: str, environ: "Mapping[str, str]", cwd: str, *, is_terminal: bool) -> Style:
    """Returns how lines should look.

    Args:
        choice: `--color`: auto, always or never.
        environ: the environment variables.
        cwd: absolute path that relative paths start from.
        is_terminal: whether lines go to a terminal.
    """
    annotator = None
    if environ.get("GITHUB_ACTIONS") == "true":
        from engine.annotations import Annotator

        annotator = Annotator(environ.get("GITHUB_WORKSPACE", ""), cwd)
    return Style(color=wants_color(choice, environ, is_terminal=is_terminal), annotator=annotator)


def wants_color(choice: str, environ: "Mapping[str, str]", *, is_terminal: bool) -> bool:
    """Tells whether to use color: `--color` first, then NO_COLOR, then what forces it, then where the lines go."""
    if choice != "auto":
        return choice == "always"
    if environ.get("NO_COLOR"):
        return False
    if environ.get("FORCE_COLOR") or environ.get("CLICOLOR_FORCE", "0") not in ("", "0"):
        return True
    return is_terminal and environ.get("TERM") != "dumb" and environ.get("CLICOLOR") != "0"


def escape(text: str) -> str:
    """Returns `text` with everything that a terminal could obey, or that hides, made visible."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in text)


def outcome_lines(
    outcome: "Outcome",
    style: Style,
    *,
    several: bool,
    dry_run: bool,
    quiet: int,
    seconds: float,
    check: bool = False,
) -> list[str]:
    """Returns what to say about one environment.

    Args:
        outcome: what happened.
        style: how it should look.
        several: the run had other environments too.
        dry_run: nothing was changed.
        quiet: how often less was asked for.
        seconds: how long the run took.
        check: a difference is what the run was to find, and is told even to those who want less.
    """
    lines: list[str] = []
    if quiet < 2:
        lines += warning_lines(outcome.warnings, style)
    if outcome.error is not None:
        if several:
            lines += style.sealed([f"{escape(outcome.prefix)} was left as it was:"])
        return lines + error_lines(outcome.error, style)
    differs = f"{outcome.prefix} differs from the lock" if check and (outcome.added or outcome.removed) else ""
    if not quiet:
        lines += style.sealed(_changes(outcome, style, several=several, dry_run=dry_run, seconds=seconds))
    elif differs and quiet < 2:
        lines += style.sealed([escape(differs)])
    return lines + (style.annotations("error", [differs]) if differs else [])


def _changes(outcome: "Outcome", style: Style, *, several: bool, dry_run: bool, seconds: float) -> list[str]:
    lines = []
    where = f" in {escape(outcome.prefix)}" if several else ""
    if outcome.created and not dry_run:
        lines.append(f"Created an environment at {escape(outcome.prefix)}")
    if outcome.recovered:
        lines.append(f"Finished what an interrupted run had left{where}")
    took = "" if dry_run else f" in {seconds * 1000:.0f} ms" if seconds < 1 else f" in {seconds:.2f} s"
    if not (outcome.added or outcome.removed):
        return [*lines, f"Nothing to do{where}: {count(outcome.kept)} in place, checked{took}"]
    if outcome.removed:
        verb = "Would remove" if dry_run else "Removed"
        lines.append(f"{verb} {count(len(outcome.removed))}{where}{'' if outcome.added else took}")
    if outcome.added:
        verb = "Would install" if dry_run else "Installed"
        lines.append(f"{verb} {count(len(outcome.added))}{where}{took}")
    changes = [(name, 0, version) for name, version in outcome.removed]
    changes += [(name, 1, version) for name, version in outcome.added]
    for name, sign, version in sorted(changes):
        mark = style.paint("+", GREEN) if sign else style.paint("-", RED)
        lines.append(f" {mark} {escape(name)}=={escape(version)}")
    return lines


def detail_lines(outcomes: "Iterable[Outcome]", style: Style) -> list[str]:
    """Returns what only those want to know who asked for more; each line once."""
    details = dict.fromkeys(line for outcome in outcomes for line in outcome.details)
    return style.sealed(detail(line) for line in details)


def detail(text: str) -> str:
    """Returns a line for those who asked for more."""
    return f"   {escape(text)}"


def wheel_lines(artifacts: "Iterable[Artifact]", style: Style) -> list[str]:
    """Returns a line for each wheel of the run: where it came from, and what took how long."""
    lines = []
    for artifact in artifacts:
        words = [f"{artifact.size_bytes} bytes"] if artifact.size_bytes is not None else []
        words += ["from the cache"] if artifact.cached else []
        words += [f"{artifact.attempts} attempts"] if artifact.attempts > 1 else []
        words += [f"{phase} {spent / 1e6:.1f} ms" for phase, spent in artifact.spent_ns.items()]
        words += [f"{number} {way}" for way, number in artifact.links.items()]
        lines.append(f"   {escape(artifact.filename or artifact.name)}: {', '.join(words) or 'not begun'}")
    return style.sealed(lines)


def count(number: int) -> str:
    """Returns a number of distributions in words."""
    return f"{number} distribution{'' if number == 1 else 's'}"


def warning_lines(warnings: "Iterable[str]", style: Style) -> list[str]:
    """Returns what to print for warnings, each once."""
    once = list(dict.fromkeys(warnings))
    lines = style.sealed(f"{style.paint('warning', YELLOW)}: {escape(warning)}" for warning in once)
    return lines + style.annotations("warning", once)


def error_lines(error: "EngineError", style: Style) -> list[str]:
    """Returns what to say about an error: a line for each problem, and the hint."""
    lines: list[str] = []
    problems = getattr(error, "problems", None) or [str(error)]
    for problem in problems:
        first, *rest = problem.splitlines() or [""]
        lines.append(f"{style.paint('error', RED)}: {escape(first)}")
        lines.extend(f"  {escape(line)}" for line in rest)
    if error.hint:
        lines.append(f"{style.paint('hint', CYAN)}: {escape(error.hint)}")
    return style.sealed(lines) + style.annotations("error", problems, error.hint or "")
