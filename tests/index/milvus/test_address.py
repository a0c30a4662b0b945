"""Addresses of collections: every form there and back, and what is no address."""

from __future__ import annotations

import string
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from landfall.errors import UsageError
from landfall.index.milvus.address import MilvusAddress, parse_address


@pytest.mark.parametrize(
    ("text", "uri", "collection"),
    [
        ("milvus://db.example.org:19530/city", "http://db.example.org:19530", "city"),
        ("milvus://db.example.org/city", "http://db.example.org:19530", "city"),
        ("milvus+tls://db.example.org:443/city_2?index=hnsw", "https://db.example.org:443", "city_2"),
        ("milvus://[::1]:5/c?vector=half&db=maps", "http://[::1]:5", "c"),
        ("milvus:///data/some%20place/a.db/c", "/data/some place/a.db", "c"),
    ],
)
def test_what_it_leads_to(text: str, uri: str, collection: str) -> None:
    address = parse_address(text)
    assert (address.uri, address.collection) == (uri, collection)
    assert parse_address(str(address)) == address


def test_a_relative_file_is_told_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    address = parse_address("milvus:a b.db/photos?index=flat")
    assert address.file == tmp_path / "a b.db"
    assert address.embedded
    monkeypatch.chdir("/")
    assert parse_address(str(address)) == address


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no store"),
        ("postgres://h/c", "no store"),
        ("milvus:", "no store"),
        ("milvus://h:port/c", "no store"),
        ("milvus://h:99999/c", "no store"),
        ("milvus://h", "no collection"),
        ("milvus://h/", "no collection"),
        ("milvus://h/2nd", "no collection"),
        ("milvus://h/a-b", "no collection"),
        ("milvus://h/x/y", "path before"),
        ("milvus:///a/b", "end in .db"),
        ("milvus:///.db/c", "end in .db"),
        ("milvus://h/c?index=ivf", "index is one of auto, flat, ivf_flat, hnsw"),
        ("milvus://h/c?vector=int8", "vector is one of"),
        ("milvus://h/c?colour=red", "no option"),
        ("milvus://h/c?db=a;b", "no option"),
        ("milvus://h/c?index=flat&index=hnsw", "twice"),
        ("milvus://h/c?index", "options can't be read"),
        ("milvus+tls:///a.db/c", "for a server"),
        ("milvus:///a.db/c?vector=half", "for a server"),
    ],
)
def test_what_is_refused_says_why(text: str, why: str) -> None:
    with pytest.raises(UsageError, match=why):
        parse_address(text)


@pytest.mark.parametrize("text", ["milvus://root:hunter2@h/c", "http://root:hunter2@h/c"])
def test_a_password_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_address(text)
    assert "hunter2" not in str(caught.value)


NAMES = st.text(string.ascii_letters + "_", min_size=1, max_size=12)


@given(
    st.builds(
        MilvusAddress,
        collection=NAMES,
        server=st.from_regex(r"[a-z0-9]{1,9}(\.[a-z]{1,4})?:[1-9][0-9]{1,3}", fullmatch=True),
        tls=st.booleans(),
        database=st.none() | NAMES,
        vector_index=st.sampled_from(["auto", "flat", "ivf_flat", "hnsw"]),
        precision=st.sampled_from(["auto", "float", "half"]),
    )
)
def test_a_server_there_and_back(address: MilvusAddress) -> None:
    assert parse_address(str(address)) == address


@given(st.lists(st.text(st.characters(exclude_characters="/\0", codec="utf-8"), min_size=1), min_size=1))
def test_a_file_there_and_back(parts: list[str]) -> None:
    if {".", ".."} & set(parts):
        return
    address = MilvusAddress("c", file=Path("/", *parts[:-1], parts[-1] + ".db"))
    assert parse_address(str(address)) == address


@given(st.text())
def test_any_text_is_an_address_or_a_usage_error(text: str) -> None:
    for each in (text, f"milvus:{text}", f"milvus://{text}"):
        try:
            address = parse_address(each)
        except UsageError:
            continue
        assert parse_address(str(address)) == address
