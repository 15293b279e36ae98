"""What a run did and when: spans of time, and what became of each wheel.  Reports and traces are made from it.

Exists only where a report or a trace was asked for; elsewhere a run pays one
test for None.  Does not read anything and does not write anything.

Times are those of the monotonic clock in ns.  On Linux, macOS and Windows it is
one clock for all processes of the machine; Python promises that nowhere, so what
another process says is moved to before the moment at which it was said where it
would lie in the future, or before the run.
"""

from time import monotonic_ns

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType

    from cache.plans import PlannedEntry
    from engine.chosen import Chosen
    from engine.lock.pins import Pin
    from engine.parallel import Job, Timing
    from engine.reporting import Outcome
    from engine.sync import Run, Target

#: What a process that does one thing after the other says of a span: (phase, start, end, job, details).
Lap = tuple[str, int, int, int, dict[str, object]]


class Span:
    """Something that took time.

    Attributes:
        phase: what was done, in one word, such as `download`.
        subject: what it was done to.
        start_ns, end_ns: of the monotonic clock.
        process: of another process, or 0 for the one that records.
        details: what else is worth knowing, as JSON could have it.
    """

    __slots__ = ("details", "end_ns", "phase", "process", "start_ns", "subject")

    def __init__(
        self, phase: str, subject: str, start_ns: int, end_ns: int, process: int, details: dict[str, object]
    ) -> None:
        self.phase = phase
        self.subject = subject
        self.start_ns = start_ns
        self.end_ns = end_ns
        self.process = process
        self.details = details


class Artifact:
    """A wheel of the run, and what became of it.

    Attributes:
        url: where it comes from, credentials included; "" when that is not known.
        size_bytes: as the index, the lock or the download says, or None.
        sha256: lower-case hex, or "" while it is not known.
        cached: it was in the cache; None while that is not known.
        yanked: its index advises against it.
        is_direct: the lock names its URL.
        extras: those that the lock asks for.
        attempts: how many downloads were started.
        links: how its files came from the cache, summed over all environments.
        spent_ns: phase to time, summed.
    """

    __slots__ = (
        "attempts",
        "cached",
        "extras",
        "filename",
        "is_direct",
        "links",
        "name",
        "sha256",
        "size_bytes",
        "spent_ns",
        "url",
        "yanked",
    )

    def __init__(self, name: str) -> None:
        self.name = name
        self.filename = ""
        self.url = ""
        self.size_bytes: int | None = None
        self.sha256 = ""
        self.yanked = False
        self.is_direct = False
        self.extras: set[str] = set()
        self.cached: bool | None = None
        self.attempts = 0
        self.links: dict[str, int] = {}
        self.spent_ns: dict[str, int] = {}

    def add_links(self, counts: dict[str, int]) -> None:
        """Adds to how files came from the cache."""
        for way, count in counts.items():
            if count:
                self.links[way] = self.links.get(way, 0) + count


class Recorder:
    """Collects what a run does.

    Attributes:
        started_ns: when recording began.
        spans: in the order in which they ended, or were told of.
        artifacts: by a key that tells wheels apart: URL, or sha256.
        wheels: (environment's prefix, project) to the key of its wheel.
        entries: (environment's prefix, project) to what is created there.
        run, targets: what is run, once it is known.
        outcomes: what happened, once it has.
        error: what ended the run early, or None.
        repeated_pages: project to how often its page was asked for again after a failure.
    """

    def __init__(self) -> None:
        self.started_ns = monotonic_ns()
        self.spans: list[Span] = []
        self.artifacts: dict[str, Artifact] = {}
        self.wheels: dict[tuple[str, str], str] = {}
        self.entries: dict[tuple[str, str], PlannedEntry] = {}
        self.run: Run | None = None
        self.targets: list[Target] = []
        self.outcomes: list[Outcome] = []
        self.error: BaseException | None = None
        self.repeated_pages: dict[str, int] = {}
        self._jobs: dict[int, Artifact] = {}
        self._questions: dict[int, str] = {}

    @staticmethod
    def now() -> int:
        """Returns the time, in ns of the monotonic clock."""
        return monotonic_ns()

    @staticmethod
    def laps() -> "Laps":
        """Returns what another process notes its times in."""
        return Laps()

    def add(
        self,
        phase: str,
        subject: str,
        start_ns: int,
        end_ns: int = 0,
        *,
        process: int = 0,
        artifact: Artifact | None = None,
        details: dict[str, object] | None = None,
    ) -> None:
        """Adds a span.

        Args:
            phase: what was done, in one word.
            subject: what it was done to.
            start_ns: as `now` gave it.
            end_ns: likewise; 0 means now.
            process: the process that did it, where that is another one.
            artifact: the wheel that it was done for.
            details: what else is worth knowing.
        """
        end_ns = end_ns or monotonic_ns()
        self.spans.append(Span(phase, subject, start_ns, end_ns, process, details or {}))
        if artifact is not None:
            artifact.spent_ns[phase] = artifact.spent_ns.get(phase, 0) + end_ns - start_ns
            artifact.attempts += phase == "download"

    def add_laps(self, process: int, laps: list[Lap]) -> None:
        """Adds what another process has just told.

        Args:
            process: its number.
            laps: in the order in which they happened.
        """
        late = self.shift_ns(laps[0][1], laps[-1][2]) if laps else 0
        for phase, start_ns, end_ns, job, details in laps:
            subject, artifact = "", self._jobs.get(job)
            if artifact is not None:
                subject, details = artifact.filename, {"project": artifact.name, "cached": artifact.cached}
            elif project := self._questions.get(job, ""):
                subject, details = project, {"project": project}
            self.add(
                phase, subject, start_ns - late, end_ns - late, process=process, artifact=artifact, details=details
            )

    def shift_ns(self, first_ns: int, last_ns: int) -> int:
        """Returns what to take from another process's times: 0 where it has the same clock."""
        now = monotonic_ns()
        return 0 if self.started_ns <= first_ns and last_ns <= now else last_ns - now

    def choose(self, prefix: str, pin: "Pin", choice: "Chosen") -> None:
        """Notes which wheel an environment gets."""
        project = pin.name
        artifact = self.artifacts.setdefault(choice.url, Artifact(project))
        artifact.extras |= pin.extras
        artifact.is_direct = pin.file is not None and pin.file.direct
        artifact.yanked = bool(choice.yanked)
        artifact.filename, artifact.url = choice.filename, choice.url
        artifact.size_bytes, artifact.sha256 = choice.size_bytes, choice.sha256 or ""
        self.wheels[prefix, project] = choice.url

    def expect(self, project: str, choice: "Chosen") -> None:
        """Notes that a wheel is fetched before any environment is known to get it."""
        artifact = self.artifacts.setdefault(choice.url, Artifact(project))
        artifact.filename, artifact.url = choice.filename, choice.url
        artifact.size_bytes, artifact.sha256 = choice.size_bytes, choice.sha256 or ""

    def plan(self, prefix: str, entry: "PlannedEntry") -> None:
        """Notes that an environment gets a wheel that a plan names."""
        if not entry.sha256:
            return
        artifact = self.artifacts.setdefault(entry.sha256, Artifact(entry.name))
        artifact.sha256, artifact.cached = entry.sha256, True
        artifact.url, artifact.size_bytes = entry.url, entry.size_bytes or None
        self.wheels[prefix, entry.name] = entry.sha256
        self.entries[prefix, entry.name] = entry

    def commit(self, prefix: str, entries: "list[PlannedEntry]", start_ns: int) -> None:
        """Notes that an environment was committed, or that this failed.

        Args:
            prefix: the environment.
            entries: what was staged for it.
            start_ns: when the commit began.
        """
        self.entries.update(((prefix, entry.name), entry) for entry in entries)
        self.add("commit", prefix, start_ns, details={"distributions": len(entries)})

    def add_staged(self, jobs: "list[Job]", timings: "Iterable[Timing]") -> None:
        """Adds what staging by plans has taken."""
        for index, process, start_ns, end_ns, counts in timings:
            entry = jobs[index][0]
            artifact = self.artifacts[entry.sha256]
            artifact.add_links(counts)
            self.add(
                "stage",
                f"{entry.name} {entry.version}",
                start_ns,
                end_ns,
                process=process,
                artifact=artifact,
                details={"files": entry.file_count, "cached": True},
            )

    def repeat_page(self, project: str) -> None:
        """Notes that the page of a project is asked for again."""
        self.repeated_pages[project] = self.repeated_pages.get(project, 0) + 1

    def ask(self, job: int, project: str) -> None:
        """Notes that a job of a worker is to choose wheels of a project."""
        self._questions[job] = project

    def assign(self, job: int, choice: "Chosen", *, cached: bool) -> Artifact:
        """Notes that a job of a worker is about a wheel; returns that wheel."""
        artifact = self._jobs[job] = self.artifacts[choice.url]
        artifact.cached = cached
        return artifact

    def finish(self, choice: "Chosen", sha256: str, counts: dict[str, int]) -> None:
        """Notes that a wheel is staged wherever it was needed.

        Args:
            choice: the wheel.
            sha256: of its content.
            counts: how its files came from the cache.
        """
        artifact = self.artifacts[choice.url]
        artifact.sha256 = sha256
        artifact.add_links(counts)


class Laps:
    """Spans of a worker process, until they are told."""

    __slots__ = ("_phase", "_since", "laps")

    def __init__(self) -> None:
        self.laps: list[Lap] = []
        self._phase = ""
        self._since = 0

    def begin(self, phase: str) -> None:
        """Notes that something begins."""
        self._phase, self._since = phase, monotonic_ns()

    def end(self, job: int, then: str = "") -> None:
        """Notes that what began has ended.

        Args:
            job: what it was for.
            then: what begins now.
        """
        now = monotonic_ns()
        self.laps.append((self._phase, self._since, now, job, {}))
        self._phase, self._since = then, now

    def take(self) -> list[Lap]:
        """Returns what was not told yet."""
        told, self.laps = self.laps, []
        return told


class _Timed:
    """Adds a span when it is left, whatever happened."""

    __slots__ = ("_artifact", "_phase", "_recorder", "_start_ns", "_subject", "details")

    def __init__(self, recorder: Recorder, phase: str, subject: str, artifact: Artifact | None) -> None:
        self._recorder = recorder
        self._phase = phase
        self._subject = subject
        self._artifact = artifact
        self.details: dict[str, object] = {}

    def __enter__(self) -> dict[str, object]:
        self._start_ns = monotonic_ns()
        return self.details

    def __exit__(
        self, kind: "type[BaseException] | None", error: "BaseException | None", traceback: "TracebackType | None"
    ) -> None:
        if kind is not None:
            # Errors of this program have words without secrets; of others only the kind is sure to have none.
            ours = kind.__module__.partition(".")[0] == "engine"
            self.details["failed"] = (ours and str(error)) or kind.__name__
        self._recorder.add(self._phase, self._subject, self._start_ns, artifact=self._artifact, details=self.details)


class _Untimed:
    """Does nothing, where nobody records."""

    __slots__ = ()

    def __enter__(self) -> dict[str, object]:
        return {}

    def __exit__(
        self, kind: "type[BaseException] | None", error: "BaseException | None", traceback: "TracebackType | None"
    ) -> None:
        return


_UNTIMED = _Untimed()


def timed(recorder: Recorder | None, phase: str, subject: str, artifact: Artifact | None = None) -> _Timed | _Untimed:
    """Returns a context that records how long it lasted, and gives a dictionary for details.

    Args:
        recorder: where to, or None.
        phase: what is done, in one word.
        subject: what it is done to.
        artifact: the wheel that it is done for.
    """
    return _UNTIMED if recorder is None else _Timed(recorder, phase, subject, artifact)
