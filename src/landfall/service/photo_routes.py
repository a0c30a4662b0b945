"""Photos of the index over HTTP: their thumbnails, and photos added and removed.

The application that includes these routes asks for tokens, limits bodies and gives errors their form.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import asdict
from pathlib import PurePosixPath
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, File, Form, Header, HTTPException, Response, UploadFile
from starlette.concurrency import run_in_threadpool

from landfall.errors import IndexBusyError, PhotoError, UsageError
from landfall.files import hash_bytes
from landfall.geo import LatLon
from landfall.index import Index
from landfall.photos import MAX_PIXELS, PhotoProblem
from landfall.service.uploads import Upload, prepare_upload
from landfall.service.writing import Added, IndexWriter, WriterBusyError

# A change of an index of a hundred thousand photos takes some tenths of a second.
RETRY_AFTER_S = 2
# A thumbnail's bytes never change under its id, unless the photo's content does; then its ETag does, too.
_THUMBNAIL_MAX_AGE_S = 3600

T = TypeVar("T")


def thumbnail_routes(index: Callable[[], Index]) -> APIRouter:
    """Return the route of the thumbnails of the index that ``index`` gives at the time."""
    router = APIRouter()

    @router.get("/v1/photos/{photo_id}/thumbnail", response_class=Response)
    def thumbnail(photo_id: int, if_none_match: Annotated[str | None, Header()] = None) -> Response:
        """Give the small picture of an indexed photo."""
        now = index()
        if not now.has_thumbnails:
            raise HTTPException(
                403,
                "This index shows no photos: its owner has given it no thumbnails. The owner can, with "
                "`landfall index thumbnails`.",
            )
        jpeg = now.thumbnail(photo_id) if is_number(photo_id) else None
        if jpeg is None:
            raise HTTPException(404, f"There is no thumbnail of a photo number {photo_id}.")
        etag = f'"{hash_bytes(jpeg)}"'
        headers = {"ETag": etag, "Cache-Control": f"private, max-age={_THUMBNAIL_MAX_AGE_S}"}
        if if_none_match is not None and etag in [each.strip() for each in if_none_match.split(",")]:
            return Response(status_code=304, headers=headers)
        return Response(jpeg, media_type="image/jpeg", headers=headers)

    return router


def writing_routes(
    writer: Callable[[], IndexWriter | None], *, keep_exif: bool, most_pixels: int = MAX_PIXELS
) -> APIRouter:
    """Return the routes that add and remove photos.

    Args:
        writer: gives what changes the index; None where it is not to be changed over HTTP.
        keep_exif: keep photos as they come, with what they say of their owners.
        most_pixels: that a photo may have.
    """
    router = APIRouter()

    def writing() -> IndexWriter:
        found = writer()
        if found is None:
            raise HTTPException(
                403, "Photos can't be added or removed here: the server was started without --uploads."
            )
        return found

    @router.post("/v1/photos", status_code=201)
    async def add(
        photos: Annotated[list[UploadFile], File()],
        lat: Annotated[float | None, Form(ge=-90, le=90, allow_inf_nan=False)] = None,
        lon: Annotated[float | None, Form(ge=-180, le=180, allow_inf_nan=False)] = None,
    ) -> dict[str, Any]:
        """Add photos where they were taken; answered when they are on the disk and can be found."""
        changing = writing()
        if (lat is None) != (lon is None):
            raise HTTPException(422, "lat and lon go together: send both, or neither.")
        if lat is not None and len(photos) != 1:
            raise HTTPException(
                422, f"lat and lon are of one photo, and {len(photos)} came. Send each with its own."
            )
        location = None if lat is None or lon is None else LatLon(lat, lon)
        uploads: list[Upload] = []
        skipped: list[PhotoProblem] = []
        for photo in photos:
            name = own_name(photo.filename)
            data = await photo.read()
            try:
                uploads.append(
                    await run_in_threadpool(
                        prepare_upload,
                        name,
                        data,
                        location=location,
                        keep_exif=keep_exif,
                        most_pixels=most_pixels,
                    )
                )
            except PhotoError as error:
                skipped.append(PhotoProblem(name, error.reason))
        became = await _answered(lambda: changing.add(uploads)) if uploads else []
        added = [each for each in became if isinstance(each, Added)]
        skipped += [each for each in became if isinstance(each, PhotoProblem)]
        return {
            "added": [asdict(each) for each in added],
            "skipped": [problem.to_dict() for problem in skipped],
            "photos": len(changing.index),
        }

    @router.delete("/v1/photos/{photo_id}", status_code=204)
    async def remove(photo_id: int) -> Response:
        """Take a photo out of the index."""
        changing = writing()
        if not is_number(photo_id) or not await _answered(lambda: changing.remove(photo_id)):
            raise HTTPException(404, f"There is no photo number {photo_id}. GET /v1/positions lists all.")
        return Response(status_code=204)

    return router


def own_name(filename: str | None) -> str:
    """Return what a sender calls a photo: the last part of a path of either kind, in printable letters."""
    last = PurePosixPath((filename or "").replace("\\", "/")).name
    return "".join(letter for letter in last if letter.isprintable())[:255] or "photo"


def is_number(photo_id: int) -> bool:
    """Tell whether a photo can have this number: SQLite counts in 64 bits."""
    return 0 <= photo_id < 2**63


async def _answered(ask: Callable[[], Future[T]]) -> T:
    """Wait for what the writer does.

    Raises:
        HTTPException: 503 where it can be tried again, 507 where the disk or the index has to be looked at.
    """
    try:
        return await asyncio.wrap_future(ask())
    except IndexBusyError as error:
        busy = "Another process is changing the index. Send the same again in a while."
        raise HTTPException(503, busy, {"Retry-After": str(RETRY_AFTER_S)}) from error
    except WriterBusyError as error:
        raise HTTPException(503, str(error), {"Retry-After": str(RETRY_AFTER_S)}) from error
    except UsageError as error:
        # Its words name folders of the machine, and are for the owner, who finds them in the log.
        raise HTTPException(
            507, "The index or the folder of its photos can't be written; the server's log says why."
        ) from error
