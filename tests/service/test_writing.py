"""Photos added and removed by many at a time: each once, whole, on the disk before its answer."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
from PIL import Image
from tests.service.conftest import INDEXED, STEP_DEG, picture, place_of, sent

from landfall.errors import IndexBusyError, PhotoError, UsageError
from landfall.geo import LatLon
from landfall.index import Index, changing, verify_index
from landfall.localization import localize, update_index
from landfall.photos import PhotoProblem, read_metadata, write_jpeg
from landfall.service.uploads import Upload, UploadFolder, prepare_upload
from landfall.service.writing import Added, IndexWriter, WriterBusyError


@pytest.fixture
def writer(index: Index, tmp_path: Path) -> Iterator[IndexWriter]:
    made = IndexWriter(index, UploadFolder(tmp_path / "uploads", index))
    yield made
    made.close()


def upload(folder: Path, place: int) -> Upload:
    return prepare_upload(f"{place}.jpg", sent(folder, place))


def kept(writer: IndexWriter) -> set[str]:
    return {file.name for file in writer.folder.root.iterdir()} - {".landfall"}


def one(answer: list[Added | PhotoProblem]) -> Added:
    (added,) = answer
    assert isinstance(added, Added)
    return added


def test_a_photo_is_found_as_soon_as_it_is_answered(writer: IndexWriter, tmp_path: Path) -> None:
    seen: list[Index] = []
    writer._changed = seen.append
    added = one(writer.add([upload(tmp_path, 8)]).result())
    assert added.id == INDEXED + 1
    assert (added.lat, added.lon) == pytest.approx((place_of(8).lat, 0.5), abs=1e-8)
    (fix,) = localize([tmp_path / "sent-8.jpg"], seen[-1], k=1)
    assert fix.matches[0].id == added.id
    assert seen[-1].thumbnail(added.id) is not None
    (record,) = seen[-1].stored_records.of_ids([added.id])
    # What its EXIF said lives in the index, and the file that is kept says it no more.
    assert record.heading_deg == 90.0
    file = seen[-1].path_of(added.id)
    assert file is not None
    assert file.parent == (tmp_path / "uploads").resolve()
    assert file.stem == record.content_hash
    told = read_metadata(file)
    assert (told.location, told.heading_deg) == (None, None)
    assert verify_index(writer.index.path, photos=True) == []


def test_the_same_photo_twice_is_one(writer: IndexWriter, tmp_path: Path) -> None:
    first = one(writer.add([upload(tmp_path, 8)]).result())
    again = writer.add([upload(tmp_path, 8), upload(tmp_path, 8)]).result()
    assert again == [first, first]
    assert len(writer.index) == INDEXED + 1
    assert len(kept(writer)) == 1
    elsewhere = prepare_upload("moved.jpg", sent(tmp_path, 8), location=LatLon(10.0, 20.0))
    (problem,) = writer.add([elsewhere]).result()
    assert isinstance(problem, PhotoProblem)
    assert f"there as number {first.id} at 52.0080000" in problem.reason


def test_many_at_a_time_go_into_few_changes(writer: IndexWriter, tmp_path: Path) -> None:
    uploads = {place: upload(tmp_path, place) for place in range(10, 34)}
    with changing(writer.index.path):  # nobody may write meanwhile, so that they gather
        early = writer.add([uploads[10]])
        with pytest.raises(IndexBusyError):
            early.result()
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda place: writer.add([uploads[place]]).result(), uploads))
    ids = [one(answer).id for answer in answers]
    assert sorted(ids) == list(range(INDEXED + 1, INDEXED + 1 + len(uploads)))
    generations = writer.index.latest().manifest.generation
    assert generations < len(uploads)
    assert verify_index(writer.index.path, photos=True) == []
    assert len(kept(writer)) == len(uploads)
    # Each is what it says: its own position and its own picture.
    for place, added in zip(uploads, ids, strict=True):
        (record,) = writer.index.stored_records.of_ids([added])
        assert record.lat == pytest.approx(52.0 + STEP_DEG * place, abs=1e-8)
        assert record.content_hash == uploads[place].content_hash


def test_what_is_removed_leaves_no_file_and_an_unknown_one_changes_nothing(
    writer: IndexWriter, tmp_path: Path
) -> None:
    added = one(writer.add([upload(tmp_path, 8)]).result())
    assert [writer.remove(added.id).result(), writer.remove(added.id).result()] == [True, False]
    assert kept(writer) == set()
    generation = writer.index.latest().manifest.generation
    assert writer.remove(999).result() is False
    assert writer.index.latest().manifest.generation == generation
    # A photo of the owner's own folder stays where it is.
    file = writer.index.path_of(1)
    assert writer.remove(1).result() is True
    assert file is not None
    assert file.exists()
    # Its number is given to no other.
    assert one(writer.add([upload(tmp_path, 9)]).result()).id == added.id + 1


def test_a_photo_that_breaks_when_it_is_described_is_told_and_not_kept(
    writer: IndexWriter, tmp_path: Path
) -> None:
    Image.fromarray(picture(8)).save(tmp_path / "whole.png")
    whole = (tmp_path / "whole.png").read_bytes()
    at = whole.index(b"IDAT") + 40
    broken = prepare_upload("broken.png", whole[:at] + b"xxxx" + whole[at + 4 :], location=place_of(8))
    problem, added = writer.add([broken, upload(tmp_path, 9)]).result()
    assert isinstance(problem, PhotoProblem)
    assert problem.photo == "broken.png"
    assert "truncated or broken PNG" in problem.reason
    assert isinstance(added, Added)
    assert kept(writer) == {added.photo}


def test_what_says_no_position_or_is_no_photo_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PhotoError, match=r"a\.jpg.*no position: no EXIF.*send lat and lon"):
        prepare_upload("a.jpg", plain(tmp_path))
    assert prepare_upload("a.jpg", plain(tmp_path), location=LatLon(1.0, 2.0)).location.lat == 1.0
    with pytest.raises(PhotoError, match="not a photo but text"):
        prepare_upload("a.jpg", b"hello, world")
    with pytest.raises(PhotoError, match="empty file"):
        prepare_upload("a.jpg", b"")
    with pytest.raises(PhotoError, match="64x64 pixels"):
        prepare_upload("a.jpg", sent(tmp_path, 3), most_pixels=64 * 63)
    original = sent(tmp_path, 3)
    assert prepare_upload("a.jpg", original, keep_exif=True).data == original


def plain(folder: Path) -> bytes:
    write_jpeg(folder / "plain.jpg", picture(1))
    return (folder / "plain.jpg").read_bytes()


def test_an_update_leaves_what_came_over_http(writer: IndexWriter, tmp_path: Path) -> None:
    added = one(writer.add([upload(tmp_path, 8)]).result())
    writer.close()
    before = Index.open(writer.index.path).records()
    report = update_index(writer.index.path)
    assert (report.added, report.removed, report.failed) == (0, 0, ())
    assert report.index.records() == before
    assert before[-1].id == added.id


def test_a_time_with_a_zone_is_the_same_moment_in_the_index(writer: IndexWriter, tmp_path: Path) -> None:
    moment = datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)
    write_jpeg(tmp_path / "t.jpg", picture(8), location=place_of(8), taken_at=moment)
    added = one(writer.add([prepare_upload("t.jpg", (tmp_path / "t.jpg").read_bytes())]).result())
    row = writer.index.ids.tolist().index(added.id)
    assert writer.index.taken_s[row] == moment.timestamp()


def test_files_in_doubt_are_cleared_up_at_the_start_and_others_left(index: Index, tmp_path: Path) -> None:
    folder = UploadFolder(tmp_path / "uploads", index)
    ready = upload(tmp_path, 8)
    # As a server leaves it that dies between the file and the index.
    folder.doubt([ready.file])
    folder.keep([ready])
    (folder.root / "mine.jpg").write_bytes(b"the owner's")
    (folder.root / f"{ready.file}.tmp").write_bytes(b"half")
    with pytest.raises(UsageError, match="written to by another process"):
        UploadFolder(tmp_path / "uploads", index)
    folder.close()
    UploadFolder(tmp_path / "uploads", index).close()
    assert {file.name for file in folder.root.iterdir()} == {".landfall", "mine.jpg"}


def test_a_writer_that_is_closed_finishes_what_waits_and_takes_no_more(index: Index, tmp_path: Path) -> None:
    writer = IndexWriter(index, UploadFolder(tmp_path / "uploads", index))
    answers = [writer.add([upload(tmp_path, place)]) for place in range(8, 12)]
    writer.close()
    assert sorted(one(answer.result(timeout=0)).id for answer in answers) == [6, 7, 8, 9]
    with pytest.raises(WriterBusyError):
        writer.add([upload(tmp_path, 20)])
