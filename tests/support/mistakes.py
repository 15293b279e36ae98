"""Command lines that nobody can mean."""

MISTAKES = (
    "",
    "instal x",
    "cache remove",
    "sync a --offline b",
    "sync --nonsense a",
    "sync a --link-mode soft",
    "cache",
    "cache wash",
)
