"""Keeps user names and passwords of URLs out of messages.

Pure, and on the warm path: it imports nothing.
"""


def without_credentials(text: str) -> str:
    """Returns `text` with the `user:password@` of every URL in it replaced by `***@`.

    Args:
        text: a URL, or a line that may have URLs in it.

    Source: RFC 3986, section 3.2.1, "User Information".
    """
    if "@" not in text:
        return text
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
