"""Leaflet 1.9.4 (BSD-2, ``vendor/LICENSE-leaflet``) as text for a page, with nothing left to fetch."""

from __future__ import annotations

import re
from functools import cache
from importlib import resources
from urllib.parse import quote

# Our own drawing of three sheets, instead of the icon that Leaflet's style sheet takes from a file beside it.
_LAYERS_ICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" fill="none" stroke="#333" '
    'stroke-width="1.7" stroke-linejoin="round"><path d="M12 4 4 8.5l8 4.5 8-4.5z"/>'
    '<path d="m4 12.5 8 4.5 8-4.5"/>'
    '<path d="m4 16.5 8 4.5 8-4.5"/></svg>'
)


@cache
def leaflet_js() -> str:
    """Return Leaflet's script."""
    # Developer tools would look for the source map.
    return re.sub(r"//# sourceMappingURL=\S+\s*$", "", _vendored("leaflet.js"))


@cache
def leaflet_css() -> str:
    """Return Leaflet's style sheet with the picture that maps here use inside it, and no others."""
    icon = f'url("data:image/svg+xml,{quote(_LAYERS_ICON)}")'
    css = re.sub(r"url\(images/layers(-2x)?\.png\)", lambda _: icon, _vendored("leaflet.css"))
    css = css.replace("url(images/marker-icon.png)", "none")
    # Drawing for Internet Explorer 8.
    return re.sub(r"behavior:\s*url\([^)]*\);?", "", css)


def _vendored(name: str) -> str:
    return resources.files("landfall.rendering").joinpath("vendor", name).read_text(encoding="utf-8")
