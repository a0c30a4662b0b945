"""How a sequence is joined: every number, its unit, and why it is what it is."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

from landfall.errors import UsageError


@dataclass(frozen=True)
class SequenceOptions:
    """Settings of a sequence; costs are negative log-likelihoods.

    The costs were chosen on a drawn walk with a tenth of its photos black (``benchmarks/sequences.py``, seed
    1), for limits of 2.8 and 10 m/s. With excess_m of 3 to 10, slack_m of 5 to 15 and lost_share of 0.1 to
    0.2 the mean error stays between 6.4 and 7.4 m (singly 21 m) for the one, 8.4 and 9.8 m for the other.

    Attributes:
        speed_limit_m_s: how fast the camera may have moved. 30 m/s is a car outside town. What a sequence can
            repair hangs on it: in photos seconds apart, a car's limit says next to nothing about a walk.
        step_s: seconds between photos of which no time is known.
        slack_m: how far apart two answers for one place may lie: the noise of two answers.
        slack_s: added to every time between two photos, since EXIF writes whole seconds.
        excess_m: metres beyond what the limit allows at which a move costs log 2; the cost grows with the
            logarithm from there (a Cauchy tail), so that one wrong time does not forbid the truth.
        jump_cost: the most that any move costs: a break in the recording must be passable. A jump costs as
            much as going without 3.2 photos, so that one lookalike, which needs two jumps, is dropped, and
            the fourth photo in a row from elsewhere is believed.
        lost_share: a photo is gone without rather than placed where less than this share of its matches'
            votes stands, other things equal.
        noise_m: standard deviation of one answer, in the smoothing.

    Raises:
        UsageError: a number that is not finite or outside its range.
    """

    speed_limit_m_s: float = 30.0
    step_s: float = 1.0
    slack_m: float = 10.0
    slack_s: float = 1.0
    excess_m: float = 5.0
    jump_cost: float = 6.0
    lost_share: float = 0.15
    noise_m: float = 8.0

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            # These two may be nothing; a limit or a width of nothing leaves no way open.
            least = 0.0 if field.name in ("slack_m", "slack_s") else math.ulp(0.0)
            if not (math.isfinite(value) and value >= least):
                raise UsageError(f"{field.name} of a sequence is {value}; expected a finite number above 0.")
        if self.lost_share > 1.0:
            raise UsageError(f"lost_share of a sequence is {self.lost_share}; expected a share, at most 1.")

    @property
    def lost_cost(self) -> float:
        """What a photo costs that is gone without."""
        return -math.log(self.lost_share)
