"""All that is said to a Milvus server about one collection; nothing else here speaks to pymilvus.

Reads are strongly consistent: they see every write that was acknowledged before them. So are searches in the
first seconds after an index was opened; later ones may miss the writes of the last five seconds, for waiting
until a server is sure costs a search a fifth of a second. Whatever the server or the way to it refuses comes
out as an ``IndexStoreError`` that names the address and never a secret.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from landfall.errors import IndexStoreError
from landfall.index.milvus.address import TOKEN_VARIABLE, MilvusAddress
from landfall.index.milvus.filters import ids_in
from landfall.index.milvus.schema import FIELDS, VECTOR
from landfall.index.milvus.vector_index import IndexChoice

# The server returns no more from one search or query.
MOST_RESULTS = 16_384
# Bytes of vectors in one message; servers refuse messages beyond 64 MB.
MESSAGE_BYTES = 8 * 2**20
# Entities of scalars alone that are read together.
PAGE = 4096
# Results of a search, over all queries of a message.
_RESULTS_A_MESSAGE = 200_000
_CONNECT_S = 15.0
# By itself a channel waits up to two minutes before it looks for a server that was away again.
_CHANNEL = {"grpc.initial_reconnect_backoff_ms": 200, "grpc.max_reconnect_backoff_ms": 2000}
# How long a call may take, with the tries to reach a server that is being restarted.
_CALL_S = 60.0
# A flush waits for the disk, a load for the vectors to be in memory.
_LONG_S = 1800.0
# Searches may miss what is younger than five seconds (a server's common.gracefulTime); twice that is safe.
_STRONG_FOR_S = 10.0
# An index that grows by no row for so long is not waited for any more.
_NO_PROGRESS_S = 600.0
# What tells a collection as an index's own; the embedded kind keeps no description.
_PROPERTY = "landfall.index"
# The first server that is documented to hold vectors in half precision.
_HALF_FROM = (2, 4)


@dataclass(frozen=True)
class Described:
    """What a collection is.

    Args:
        index_id: of the index folder that it belongs to; None where it is no index's.
        dim: of its vectors.
        half: whether they are in half precision.
    """

    index_id: str | None
    dim: int
    half: bool


class Collection:
    """A collection, connected to when it is first asked something. Threads may share one.

    Args:
        address: where it is.
    """

    def __init__(self, address: MilvusAddress) -> None:
        self.address = address
        self.name = address.collection
        self._token = "" if address.embedded else os.environ.get(TOKEN_VARIABLE, "")
        self._connected: Any = None
        self._strong_until = 0.0

    def describe(self) -> Described | None:
        """Return what the collection is; None where there is none of that name."""
        with self._told():
            if not self._client.has_collection(self.name, timeout=_CALL_S):
                return None
            told = self._client.describe_collection(self.name, timeout=_CALL_S)
        vectors = [field for field in told["fields"] if field["name"] == VECTOR]
        marker = str(told["description"]).removeprefix(f"{_PROPERTY} ")
        index_id = told["properties"].get(_PROPERTY) or marker
        if len(vectors) != 1:
            return Described(None, 0, half=False)
        return Described(
            index_id or None,
            int(vectors[0]["params"]["dim"]),
            half=vectors[0]["type"] == _pymilvus().DataType.FLOAT16_VECTOR,
        )

    def create(self, index_id: str, dim: int, choice: IndexChoice, *, half: bool) -> None:
        """Make the collection.

        Args:
            index_id: of the index folder that it belongs to.
            dim: of the vectors.
            choice: how they are searched.
            half: keep them in half precision.
        """
        types = _pymilvus().DataType
        with self._told():
            description = f"{_PROPERTY} {index_id}"
            schema = self._client.create_schema(
                auto_id=False, enable_dynamic_field=False, description=description
            )
            for field in FIELDS:
                options = {} if field.most_bytes is None else {"max_length": field.most_bytes}
                schema.add_field(
                    field.name, getattr(types, field.kind), is_primary=field.name == "id", **options
                )
            kind = types.FLOAT16_VECTOR if half else types.FLOAT_VECTOR
            schema.add_field(VECTOR, kind, dim=dim)
            vector_index = self._client.prepare_index_params()
            vector_index.add_index(
                VECTOR, index_type=choice.kind.upper(), metric_type="L2", params=dict(choice.build)
            )
            self._client.create_collection(
                self.name,
                schema=schema,
                index_params=vector_index,
                consistency_level="Strong",
                timeout=_CALL_S,
                **({"properties": {_PROPERTY: index_id}} if self.address.embedded else {}),
            )

    def holds_half(self) -> bool:
        """Tell whether the server is documented to hold vectors in half precision."""
        if self.address.embedded:
            return False
        with self._told():
            version = str(self._client.get_server_version(timeout=_CALL_S))
        numbers = version.removeprefix("v").split("-")[0].split(".")[:2]
        return all(part.isdigit() for part in numbers) and tuple(map(int, numbers)) >= _HALF_FROM

    def load(self) -> None:
        """Make the collection ready to be searched, and wait until it is."""
        with self._told():
            self._client.load_collection(self.name, timeout=_LONG_S)

    def count(self, expression: str = "") -> int:
        """Return how many entities meet an expression; all by default."""
        with self._told():
            told = self._client.query(
                self.name, filter=expression, output_fields=["count(*)"], timeout=_CALL_S
            )
        return int(told[0]["count(*)"])

    def upsert(self, entities: Sequence[Mapping[str, Any]]) -> None:
        """Store entities, in place of those of the same ids. Acknowledged, they outlive the server."""
        with self._told():
            self._client.upsert(self.name, data=list(entities), timeout=_CALL_S)

    def delete(self, ids: Sequence[int]) -> None:
        """Take entities out; those that are not there are no matter."""
        with self._told():
            self._client.delete(self.name, ids=list(ids), timeout=_CALL_S)

    def flush(self) -> None:
        """Return when all that was written is in the server's storage, and no longer in its log alone."""
        with self._told():
            self._client.flush(self.name, timeout=_LONG_S)

    def see_all(self) -> None:
        """Let the searches of the next seconds see every write up to now."""
        self._strong_until = time.monotonic() + _STRONG_FOR_S

    def wait_until_indexed(self) -> bool:
        """Return True when every vector is in the vector index, False when that goes on for no end.

        Until then the server searches what is missing by something quicker to make, which finds less.
        """
        best, since = -1, time.monotonic()
        while True:
            with self._told():
                told = self._client.describe_index(self.name, VECTOR, timeout=_CALL_S)
            if told["pending_index_rows"] == 0 and told["indexed_rows"] >= told["total_rows"]:
                return True
            if told["indexed_rows"] > best:
                best, since = told["indexed_rows"], time.monotonic()
            if time.monotonic() - since > _NO_PROGRESS_S:
                return False
            time.sleep(1.0)

    def search(
        self,
        queries: NDArray[np.float32],
        limit: int,
        *,
        expression: str = "",
        fields: Sequence[str] = (),
        options: Mapping[str, Any],
        half: bool = False,
    ) -> list[list[dict[str, Any]]]:
        """Return, for each query (Q, D), entities with ``id``, ``distance`` squared and ``fields``.

        Args:
            queries: (Q, D).
            limit: how many for each query, at most ``MOST_RESULTS``.
            expression: that they meet.
            fields: what is told of them.
            options: of the search, by the kind of vector index.
            half: whether the collection is in half precision.
        """
        found: list[list[dict[str, Any]]] = []
        step = max(1, min(_RESULTS_A_MESSAGE // limit, MESSAGE_BYTES // (4 * queries.shape[1])))
        sent = queries.astype(np.float16) if half else queries
        for first in range(0, len(queries), step):
            with self._told():
                answers = self._client.search(
                    self.name,
                    data=list(sent[first : first + step]),
                    anns_field=VECTOR,
                    limit=limit,
                    filter=expression,
                    output_fields=list(fields),
                    search_params={"metric_type": "L2", "params": dict(options)},
                    consistency_level="Strong" if time.monotonic() < self._strong_until else "Bounded",
                    timeout=_CALL_S,
                )
            found += [[_flat(hit) for hit in hits] for hits in answers]
        return found

    def get(self, ids: Sequence[int], fields: Sequence[str], field: str = "id") -> list[dict[str, Any]]:
        """Return the entities whose ``field`` has one of some values, in no order.

        Args:
            ids: the values, of a field of integers.
            fields: what is told of them.
            field: by default their own ids.
        """
        found: list[dict[str, Any]] = []
        for first in range(0, len(ids), PAGE):
            expression = ids_in(ids[first : first + PAGE], field)
            if field == "id":
                with self._told():
                    found += self._client.query(
                        self.name, filter=expression, output_fields=list(fields), timeout=_CALL_S
                    )
            else:
                for part in self.iterate(fields, expression):
                    found += part
        return found

    def iterate(
        self, fields: Sequence[str], expression: str = "", *, at_once: int = PAGE
    ) -> Iterator[list[dict[str, Any]]]:
        """Yield all entities that meet an expression, by ascending id, some of them at a time."""
        with self._told():
            iterator = self._client.query_iterator(
                self.name,
                batch_size=max(1, min(at_once, MOST_RESULTS)),
                filter=expression,
                output_fields=list(fields),
                timeout=_CALL_S,
            )
        try:
            while True:
                with self._told():
                    part = iterator.next()
                if not part:
                    return
                yield part
        finally:
            with self._told():
                iterator.close()

    def drop(self) -> None:
        """Remove the collection and all it holds."""
        with self._told():
            self._client.drop_collection(self.name, timeout=_CALL_S)

    @property
    def _client(self) -> Any:
        if self._connected is None:
            self._connected = self._connect()
        return self._connected

    def _connect(self) -> Any:
        pymilvus = _pymilvus()
        file = self.address.file
        if file is not None and not file.parent.is_dir():
            raise IndexStoreError(f"{file.parent} is not there. Make that folder, or choose another place.")
        options = {} if self.address.database is None else {"db_name": self.address.database}
        return pymilvus.MilvusClient(
            uri=self.address.uri, token=self._token, timeout=_CONNECT_S, grpc_options=_CHANNEL, **options
        )

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Tell of what the server refuses as of something that the user can do something about."""
        pymilvus = _pymilvus()
        import grpc

        try:
            yield
        except (pymilvus.MilvusException, grpc.RpcError, OSError) as error:
            reason = str(getattr(error, "message", "") or error).strip() or type(error).__name__
            if self._token:
                for secret in (self._token, *self._token.split(":")[1:]):
                    reason = reason.replace(secret, "***")
            if self.address.embedded and "Open local milvus failed" in reason:
                raise IndexStoreError(
                    f"{self.address.file} can't be opened. Another process may have it open, and an embedded "
                    "store serves one at a time: wait for it, or use a Milvus server."
                ) from error
            raise IndexStoreError(
                f"{self.address}: {reason}. Is the server there, and does the environment variable "
                f"{TOKEN_VARIABLE} let you in where it asks for a token? What it acknowledged is kept; "
                "mend that and run the same again."
            ) from error


def _flat(hit: Any) -> dict[str, Any]:
    return {"id": hit["id"], "distance": hit["distance"], **hit["entity"]}


def _pymilvus() -> Any:
    """Return the module, with its own telling of errors silenced: each comes out as one of ours."""
    try:
        import pymilvus
    except ImportError as error:
        raise IndexStoreError(
            "An index in Milvus needs pymilvus, and milvus-lite for one in files: "
            "pip install 'landfall[milvus]'."
        ) from error
    for name in ("pymilvus", "pymilvus.milvus_client", "milvus_lite"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    return pymilvus
