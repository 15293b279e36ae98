"""Synthetic wheels are wheels, and always the same."""

import base64
import csv
import hashlib
import io
import json
import zipfile
from pathlib import Path

from packaging.utils import parse_wheel_filename

from benchmarks import synthetic


def test_a_wheel_has_its_files_and_a_record_that_is_right() -> None:
    wheel, metadata = synthetic.wheel_of("synthetic-0001", 250)
    with zipfile.ZipFile(io.BytesIO(wheel)) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    assert sum(name.endswith(".py") for name in contents) == 250
    assert contents["synthetic_0001-1.0.dist-info/METADATA"] == metadata
    rows = list(csv.reader(contents["synthetic_0001-1.0.dist-info/RECORD"].decode().splitlines()))
    assert {path for path, _, _ in rows} == set(contents)
    for path, digest, size in rows:
        if digest:
            expected = base64.urlsafe_b64encode(hashlib.sha256(contents[path]).digest()).rstrip(b"=").decode()
            assert (digest, int(size)) == (f"sha256={expected}", len(contents[path]))


def test_wheels_are_the_same_bytes_each_time() -> None:
    assert synthetic.wheel_of("a", 3) == synthetic.wheel_of("a", 3)


def test_a_published_distribution_is_where_its_page_says(tmp_path: Path) -> None:
    name = synthetic.distribution_of(10)
    synthetic.publish(tmp_path, name, 10)
    (file,) = json.loads((tmp_path / "simple" / name / "index.json").read_bytes())["files"]
    wheel = (tmp_path / file["url"].removeprefix("/")).read_bytes()
    assert file["hashes"] == {"sha256": hashlib.sha256(wheel).hexdigest()}
    assert file["size"] == len(wheel)
    assert parse_wheel_filename(file["filename"])[0] == name
    assert (tmp_path / f"{file['url'].removeprefix('/')}.metadata").exists()


def test_a_lock_pins_every_name() -> None:
    assert synthetic.lock(synthetic.distributions(2)) == "synthetic-0000==1.0\nsynthetic-0001==1.0\n"
