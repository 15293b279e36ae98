"""Keeps user names and passwords of URLs out of messages.

Pure, and on the warm path: it imports nothing.
"""


def without_credentials(text: str) -> str:
    """Returns `text` with the `user:password@` of every URL in it replaced by `***@`.

    Where there is no `://`, it may have been forgotten: then each part of a path that looks like
    `user:password@host` is treated alike.

    Args:
        text: a URL, or a line that may have URLs in it.

    Source: RFC 3986, section 3.2.1, "User Information".
    """
    if "@" not in text:
        return text
    if "://" not in text:
        return _without_userinfo(text)
    pieces = text.split("://")
    for number in range(1, len(pieces)):
        piece = pieces[number]
        end = next((at for at, character in enumerate(piece) if character in "/?#" or character.isspace()), len(piece))
        port = piece[:end].rpartition(":")[2]
        if "@" not in piece[:end] and ":" in piece[:end] and not piece.startswith("[") and not port.isdigit():
            # No port: a password that was not percent-encoded, and goes on to the last "@".
            end = next((at for at, character in enumerate(piece) if character.isspace()), len(piece))
        at_sign = piece.rfind("@", 0, end)
        if at_sign >= 0:
            pieces[number] = "***" + piece[at_sign:]
    return "://".join(pieces)


def _without_userinfo(text: str) -> str:
    parts = text.split("/")
    for number, part in enumerate(parts):
        at_sign = part.rfind("@")
        start = next((at + 1 for at in range(at_sign - 1, -1, -1) if part[at].isspace()), 0)
        if part.find(":", start, max(at_sign, 0)) > start and not part.startswith("file:", start):
            parts[number] = f"{part[:start]}***{part[at_sign:]}"
    return "/".join(parts)
