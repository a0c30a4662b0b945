"""The address of a Milvus collection, as ``--store`` takes it.

::

    milvus://HOST[:PORT]/COLLECTION[?options]    a server or cluster
    milvus+tls://HOST[:PORT]/COLLECTION          the same over TLS
    milvus:///FOLDER/NAME.db/COLLECTION          embedded, in files of this machine (milvus-lite)
    milvus:NAME.db/COLLECTION                    the same, relative to the working folder

Options: ``index=flat``, ``ivf_flat`` or ``hnsw``, ``vector=float`` or ``half``, ``db=NAME`` (a server's
database). A token is never part of an address, which is written into the index folder.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast, get_args
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from landfall.errors import UsageError

VectorIndex = Literal["auto", "flat", "ivf_flat", "hnsw"]
Precision = Literal["auto", "float", "half"]

PORT = 19530
TOKEN_VARIABLE = "LANDFALL_MILVUS_TOKEN"
FORMS = "milvus://HOST:PORT/COLLECTION, or milvus:///FOLDER/NAME.db/COLLECTION for files of this machine"
_SCHEMES = ("milvus", "milvus+tls")
# What Milvus takes as the name of a collection or a database.
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,254}")


@dataclass(frozen=True)
class MilvusAddress:
    """Where a collection is.

    Args:
        collection: its name.
        server: "HOST:PORT"; None where it is embedded.
        file: of the embedded one, absolute; None where there is a server.
        tls: the server is spoken to over TLS.
        database: of the server; its default one where None.
        vector_index: how vectors are searched; "auto" chooses by size.
        precision: of the numbers kept; "auto" takes half where the server has it.
    """

    collection: str
    server: str | None = None
    file: Path | None = None
    tls: bool = False
    database: str | None = None
    vector_index: VectorIndex = "auto"
    precision: Precision = "auto"

    @property
    def embedded(self) -> bool:
        """Whether it lies in files of this machine."""
        return self.file is not None

    @property
    def uri(self) -> str:
        """What pymilvus connects to."""
        if self.file is not None:
            return str(self.file)
        return f"{'https' if self.tls else 'http'}://{self.server}"

    def __str__(self) -> str:
        """Return the address as ``parse_address`` takes it."""
        if self.file is not None:
            place = f"milvus://{quote(self.file.as_posix())}"
        else:
            place = f"milvus{'+tls' if self.tls else ''}://{self.server}"
        options = {"db": self.database}
        if self.vector_index != "auto":
            options["index"] = self.vector_index
        if self.precision != "auto":
            options["vector"] = self.precision
        query = "&".join(f"{key}={value}" for key, value in options.items() if value is not None)
        return f"{place}/{self.collection}{f'?{query}' if query else ''}"


def parse_address(text: str) -> MilvusAddress:
    """Return the address that a text tells.

    Raises:
        UsageError: it is none; the message tells what was expected. It never repeats a secret.
    """
    scheme, _, rest = text.partition(":")
    if scheme not in _SCHEMES or not rest:
        raise UsageError(f"{_shown(text)} is no store. Give {FORMS}.")
    try:
        parts = urlsplit(f"//{rest.removeprefix('//')}" if rest.startswith("//") else rest)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise UsageError(f"{_shown(text)} is no store ({error}). Give {FORMS}.") from error
    if "@" in parts.netloc:
        raise UsageError(
            f"A store's address holds no name or password, for it is kept in the index. Put 'NAME:PASSWORD' "
            f"or an API key into the environment variable {TOKEN_VARIABLE}."
        )
    options = _options(parts.query, text)
    path, _, collection = parts.path.rpartition("/")
    if not _NAME.fullmatch(collection):
        raise UsageError(
            f"{_shown(text)} names no collection: a name of letters, digits and underscores is expected at "
            f"its end. Give {FORMS}."
        )
    vector_index = _choice(options.pop("index", "auto"), get_args(VectorIndex), "index")
    precision = _choice(options.pop("vector", "auto"), get_args(Precision), "vector")
    database = options.pop("db", None)
    if options or (database is not None and not _NAME.fullmatch(database)):
        wrong = ", ".join(options) or f"db={database}"
        raise UsageError(f"{_shown(text)}: {wrong} is no option of a store; index, vector and db are.")
    if host is not None:
        if path:
            raise UsageError(f"{_shown(text)} has a path before the collection. Give {FORMS}.")
        shown = f"[{host}]" if ":" in host else host
        return MilvusAddress(
            collection,
            server=f"{shown}:{port or PORT}",
            tls=scheme == "milvus+tls",
            database=database,
            vector_index=cast(VectorIndex, vector_index),
            precision=cast(Precision, precision),
        )
    return _embedded(text, scheme, unquote(path), collection, database, vector_index, precision)


def _embedded(
    text: str,
    scheme: str,
    path: str,
    collection: str,
    database: str | None,
    vector_index: str,
    precision: str,
) -> MilvusAddress:
    if not path.endswith(".db") or Path(path).name == ".db":
        raise UsageError(f"{_shown(text)}: an embedded store's files end in .db. Give {FORMS}.")
    if scheme == "milvus+tls" or database is not None or precision == "half":
        raise UsageError(f"{_shown(text)}: TLS, db= and vector=half are for a server, and this is a file.")
    return MilvusAddress(
        collection,
        file=Path(path).expanduser().absolute(),
        vector_index=cast(VectorIndex, vector_index),
        precision=cast(Precision, precision),
    )


def _options(query: str, text: str) -> dict[str, str]:
    try:
        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query))
    except ValueError as error:
        raise UsageError(f"{_shown(text)}: its options can't be read ({error}).") from error
    if len(dict(pairs)) < len(pairs):
        raise UsageError(f"{_shown(text)} has an option twice.")
    return dict(pairs)


def _choice(value: str, known: tuple[str, ...], option: str) -> str:
    if value not in known:
        raise UsageError(f"{option}={value} is unknown; {option} is one of {', '.join(known)}.")
    return value


def _shown(text: str) -> str:
    """Return an address in quotes, without a name and password that somebody may have put into it."""
    return repr(re.sub(r"//[^/]*@", "//...@", text))
