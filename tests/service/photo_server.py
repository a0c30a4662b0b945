"""A server of the photo routes and of a way to localize: ``python photo_server.py INDEX UPLOADS PORT``."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any

import uvicorn
from fastapi import FastAPI, File, UploadFile
from starlette.concurrency import run_in_threadpool

from landfall.index import Index
from landfall.localization import localize
from landfall.service.photo_routes import thumbnail_routes, writing_routes
from landfall.service.uploads import UploadFolder
from landfall.service.writing import IndexWriter


class Held:
    """The index that answers now, and what changes it."""

    def __init__(self, index: Index, uploads: Path | None) -> None:
        self.index = index
        self.writer: IndexWriter | None = None
        if uploads is not None:
            self.writer = IndexWriter(index, UploadFolder(uploads, index), changed=self.take)

    def take(self, index: Index) -> None:
        self.index = index


def photo_app(index: Index, uploads: Path | None) -> FastAPI:
    held = Held(index, uploads)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield
        if held.writer is not None:
            await run_in_threadpool(held.writer.close)

    app = FastAPI(lifespan=lifespan)
    app.include_router(thumbnail_routes(lambda: held.index))
    app.include_router(writing_routes(lambda: held.writer, keep_exif=False))

    def found(data: bytes) -> list[dict[str, Any]]:
        with tempfile.NamedTemporaryFile(suffix=".jpg") as file:
            file.write(data)
            file.flush()
            return [fix.to_dict() for fix in localize([file.name], held.index, k=1)]

    @app.post("/v1/localize")
    async def ask(photos: Annotated[list[UploadFile], File()]) -> list[dict[str, Any]]:
        return await run_in_threadpool(found, await photos[0].read())

    @app.get("/readyz")
    def ready() -> str:
        return "ready"

    return app


if __name__ == "__main__":
    opened = Index.open(sys.argv[1])
    opened.model  # noqa: B018 - loaded before the first request
    uvicorn.run(photo_app(opened, Path(sys.argv[2])), port=int(sys.argv[3]), log_level="warning")
