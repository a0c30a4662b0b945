"""The geometric check: how many local features of a query and of a match agree on one two-view model.

It needs no network and no weights. One file a step: ``features`` (SIFT of a photo), ``cache`` (kept for
several queries), ``matching`` (which features pair up), ``overlays`` (what was printed on photos),
``model`` (which pairs agree), ``check`` (a query with all its matches, and many queries), ``reranking``
(their new order), ``picture``.

Importing this package loads no torch; ``verify`` does when first called.
"""

from landfall.localization.geometry.cache import FeatureCache
from landfall.localization.geometry.check import Checked, CheckOptions, QueryCheck, verify, verify_all
from landfall.localization.geometry.features import FeatureOptions, Features, extract_features, read_features
from landfall.localization.geometry.matching import match_features
from landfall.localization.geometry.model import Geometry, ModelOptions, estimate_geometry
from landfall.localization.geometry.picture import match_picture
from landfall.localization.geometry.reranking import LEAST_INLIERS, rerank

__all__ = [
    "LEAST_INLIERS",
    "CheckOptions",
    "Checked",
    "FeatureCache",
    "FeatureOptions",
    "Features",
    "Geometry",
    "ModelOptions",
    "QueryCheck",
    "estimate_geometry",
    "extract_features",
    "match_features",
    "match_picture",
    "read_features",
    "rerank",
    "verify",
    "verify_all",
]
