from __future__ import annotations

import io
import os
import shutil
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import settings
from numpy.typing import NDArray
from PIL import Image

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Route

# The same examples each time, and no example fails for being slow: the tests say nothing about time.
settings.register_profile("landfall", derandomize=True, deadline=None)
settings.load_profile("landfall")

CHROMIUM_ARGUMENTS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def find_chromium() -> str | None:
    """Return the browser named by LANDFALL_CHROMIUM, else the first on the path."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return os.environ.get("LANDFALL_CHROMIUM") or next(filter(None, map(shutil.which, names)), None)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A headless Chromium; tests that use it are marked ``browser`` and skip where there is none.

    Where LANDFALL_REQUIRE_BROWSER is set they fail instead: a skip would hide a broken page.
    """
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    executable = find_chromium()
    if executable is None and os.environ.get("LANDFALL_REQUIRE_BROWSER"):
        pytest.fail("LANDFALL_REQUIRE_BROWSER is set, and no Chromium is on the path")
    if executable is None:
        pytest.skip("no Chromium on the path; install one or name it in LANDFALL_CHROMIUM")
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=executable, args=CHROMIUM_ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def milvus() -> None:
    """An embedded store can be had; tests that need one skip where pymilvus or milvus-lite is not installed.

    Where LANDFALL_REQUIRE_MILVUS is set they fail instead: a skip would hide a broken index.
    """
    for module in ("pymilvus", "milvus_lite"):
        if find_spec(module) is None:
            missing = f"{module} is not installed: pip install -e '.[milvus]', or make milvus-test"
            if os.environ.get("LANDFALL_REQUIRE_MILVUS"):
                pytest.fail(f"LANDFALL_REQUIRE_MILVUS is set, and {missing}")
            pytest.skip(missing)


class Visit:
    """One page open in a browser window of its own, and what it asked for and complained about."""

    def __init__(self, context: BrowserContext, answer: Callable[[Route], None]) -> None:
        self.context = context
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self._answer = answer
        context.route("**/*", self._handle)
        self.tab: Page = context.new_page()
        self.tab.on("console", self._note)
        self.tab.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _note(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.complaints.append(message.text)

    def _handle(self, route: Route) -> None:
        if route.request.url.startswith(("file:", "data:")):
            route.continue_()
        else:
            self.requests.append(route.request.url)
            self._answer(route)

    def open(self, path: Path, wait_for: str = "div.map[data-ready]") -> Page:
        self.tab.goto(path.as_uri())
        self.tab.wait_for_selector(wait_for)
        return self.tab

    def look(self) -> NDArray[np.int16]:
        with Image.open(io.BytesIO(self.tab.screenshot())) as picture:
            return np.asarray(picture.convert("RGB")).astype(np.int16)

    def comes_true(self, condition: Callable[[], bool]) -> bool:
        """Wait for what takes the page a moment, however busy the machine is."""
        for _ in range(100):
            if condition():
                return True
            self.tab.wait_for_timeout(100)
        return False


Visitor = Callable[..., Visit]


@pytest.fixture
def visit(browser: Browser) -> Iterator[Visitor]:
    contexts: list[BrowserContext] = []

    def start(
        *,
        offline: bool = True,
        answer: Callable[[Route], None] = lambda route: route.abort(),
        **options: object,
    ) -> Visit:
        options = {"viewport": {"width": 1000, "height": 700}, **options}
        context = browser.new_context(offline=offline, **options)  # type: ignore[arg-type]
        contexts.append(context)
        return Visit(context, answer)

    yield start
    for context in contexts:
        context.close()
