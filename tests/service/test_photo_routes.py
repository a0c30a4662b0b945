"""Photos over HTTP: what is answered, what is refused and how, what can be tried again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st
from tests.service.conftest import INDEXED, place_of, sent
from tests.service.photo_server import photo_app

from landfall.index import Index, changing
from landfall.localization import remove_thumbnails
from landfall.service.photo_routes import own_name


@pytest.fixture
def client(index: Index, tmp_path: Path) -> Iterator[TestClient]:
    with TestClient(photo_app(index, tmp_path / "uploads")) as client:
        yield client


def part(data: bytes, name: str = "a.jpg") -> tuple[str, tuple[str, bytes, str]]:
    return "photos", (name, data, "image/jpeg")


def test_a_photo_is_added_shown_found_and_removed(client: TestClient, tmp_path: Path) -> None:
    photo = sent(tmp_path, 8)
    told = client.post("/v1/photos", files=[part(photo), part(b"text", "C:\\x\\n.jpg")])
    assert told.status_code == 201
    (added,) = told.json()["added"]
    assert (added["id"], added["lat"]) == (INDEXED + 1, pytest.approx(place_of(8).lat, abs=1e-8))
    assert [skip["photo"] for skip in told.json()["skipped"]] == ["n.jpg"]
    assert told.json()["photos"] == INDEXED + 1
    (fix,) = client.post("/v1/localize", files=[part(photo)]).json()
    assert fix["matches"][0]["id"] == added["id"]
    shown = client.get(f"/v1/photos/{added['id']}/thumbnail")
    assert (shown.status_code, shown.headers["content-type"]) == (200, "image/jpeg")
    assert shown.headers["cache-control"].startswith("private")
    again = client.get(shown.request.url.path, headers={"If-None-Match": f'"x", {shown.headers["etag"]}'})
    assert (again.status_code, again.content) == (304, b"")
    # Sent again, as by someone who missed the answer, it is the same.
    assert client.post("/v1/photos", files=[part(photo)]).json()["added"] == [added]
    assert client.delete(f"/v1/photos/{added['id']}").status_code == 204
    assert client.delete(f"/v1/photos/{added['id']}").status_code == 404
    assert client.get(shown.request.url.path).status_code == 404


def test_a_position_can_be_sent_beside_one_photo(client: TestClient, tmp_path: Path) -> None:
    photo = sent(tmp_path, 8, placed=False)
    skipped = client.post("/v1/photos", files=[part(photo)]).json()
    assert skipped["added"] == []
    assert "no position" in skipped["skipped"][0]["reason"]
    placed = client.post("/v1/photos", files=[part(photo)], data={"lat": "-33.5", "lon": "151.25"})
    assert [(each["lat"], each["lon"]) for each in placed.json()["added"]] == [(-33.5, 151.25)]
    for lat in ("91", "nan", "x", ""):
        data = {"lat": lat, "lon": "0"} if lat else {"lon": "0"}
        assert client.post("/v1/photos", files=[part(photo)], data=data).status_code == 422
    two = client.post("/v1/photos", files=[part(photo), part(photo)], data={"lat": "1", "lon": "2"})
    assert two.status_code == 422
    assert client.post("/v1/photos").status_code == 422


def test_an_index_that_another_process_changes_can_be_tried_again(client: TestClient, tmp_path: Path) -> None:
    photo = sent(tmp_path, 8)
    with changing(tmp_path / "street.lf"):
        for told in (client.post("/v1/photos", files=[part(photo)]), client.delete("/v1/photos/1")):
            assert told.status_code == 503
            assert int(told.headers["retry-after"]) >= 1
            assert str(tmp_path) not in told.text
    assert len(client.post("/v1/photos", files=[part(photo)]).json()["added"]) == 1


def test_without_uploads_nothing_is_written_and_without_thumbnails_nothing_shown(
    index: Index, tmp_path: Path
) -> None:
    bare = remove_thumbnails(index.path).index
    client = TestClient(photo_app(bare, None))
    assert client.post("/v1/photos", files=[part(sent(tmp_path, 8))]).status_code == 403
    assert client.delete("/v1/photos/1").status_code == 403
    assert client.get("/v1/photos/1/thumbnail").status_code == 403
    assert client.get(f"/v1/photos/{2**70}/thumbnail").status_code == 403


def test_numbers_beyond_any_photo_are_unknown(client: TestClient) -> None:
    for number in (0, -1, 2**63, 2**70):
        assert client.get(f"/v1/photos/{number}/thumbnail").status_code == 404
        assert client.delete(f"/v1/photos/{number}").status_code == 404


@given(st.text(max_size=300))
def test_a_name_is_one_printable_component(name: str) -> None:
    found = own_name(name)
    assert 0 < len(found) <= 255
    assert found.isprintable()
    assert not set(found) & {"/", "\\"}
