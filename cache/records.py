"""Small records of the cache: one file each, published by one rename.

Used for index pages, interpreter facts and pointers.  The content is opaque
bytes; whoever stores them checks them when reading, and a damaged record is a
miss.
"""

import os


class RecordStore:
    """Records below one folder.

    Args:
        folder: absolute path of the bucket; made on the first write.
    """

    __slots__ = ("folder",)

    def __init__(self, folder: str) -> None:
        self.folder = folder

    def get(self, key: str) -> bytes | None:
        """Returns the record stored under `key`, or None on a miss."""
        try:
            with open(os.path.join(self.folder, key), "rb", buffering=0) as file:
                return file.read()
        except OSError:
            return None

    def start(self, key: str, length_bytes: int) -> bytes | None:
        """Returns up to so many bytes from the start of a record, or None on a miss."""
        try:
            with open(os.path.join(self.folder, key), "rb", buffering=0) as file:
                return file.read(length_bytes)
        except OSError:
            return None

    def has(self, key: str) -> bool:
        """Tells whether there is a record under `key`."""
        return os.path.exists(os.path.join(self.folder, key))

    def put(self, key: str, value: bytes) -> None:
        """Publishes `value` under `key`, which may contain `/`.

        A cache that cannot be written is not an error here: a record only saves work.
        """
        try:
            publish_file(os.path.join(self.folder, key), value)
        except OSError:
            return


def publish_file(path: str, data: bytes) -> None:
    """Puts a file into the cache by one rename; its folder is made where it is missing.

    Raises:
        OSError: when the cache cannot be written; what is there stays as it is.
    """
    # Containers that share a cache have equal process numbers.
    temporary = f"{path}.{os.getpid()}-{os.urandom(4).hex()}.tmp"
    try:
        try:
            file = open(temporary, "xb")  # noqa: SIM115
        except FileNotFoundError:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            file = open(temporary, "xb")  # noqa: SIM115
        with file:
            file.write(data)
        os.replace(temporary, path)
    except OSError:
        try:
            os.unlink(temporary)
        except OSError:
            pass
        raise
