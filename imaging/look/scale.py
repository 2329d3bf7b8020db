"""How the parts of SSIMULACRA2 become one number."""

from __future__ import annotations

import math
from collections.abc import Sequence

SCALES = 6
SMALLEST = 8
"""Pixels of a side, below which a scale does not count."""

WHOLE_SIDE = 225
"""Pixels of the shorter side from which on all scales count. Of a smaller picture the reference
implementation gives the weights of one scale to another, and vszip does not."""

CHANNELS, MAPS = 3, 3

DIGITS = 2
"""Of a score: what comes behind may differ from one run of several threads to the next."""

Parts = Sequence[Sequence[Sequence[float]]]
"""Of one scale, by channel (X, Y, B) and norm (the mean; the fourth root of the mean of the fourth
powers): how unlike the structure is, what edges were added, what edges were lost."""

_WEIGHTS = (
    *(0, 0.0007376606707406586, 0, 0, 0.0007793481682867309, 0),
    *(0, 0.0004371155730107379, 0, 1.1041726426657346, 0.00066284834129271),
    *(0.00015231632783718752, 0, 0.0016406437456599754, 0, 1.8422455520539298),
    *(11.441172603757666, 0, 0.0007989109436015163, 0.000176816438078653, 0),
    *(1.8787594979546387, 10.94906990605142, 0, 0.0007289346991508072, 0.9677937080626833),
    *(0, 0.00014003424285435884, 0.9981766977854967, 0.00031949755934435053),
    *(0.0004550992113792063, 0, 0, 0.0013648766163243398, 0, 0),
    *(0, 0, 0, 7.466890328078848, 0, 17.445833984131262),
    *(0.0006235601634041466, 0, 0, 6.683678146179332, 0.00037724407979611296),
    *(1.027889937768264, 225.20515300849274, 0, 0, 19.213238186143016),
    *(0.0011401524586618361, 0.001237755635509985, 176.39317598450694, 0, 0),
    *(24.43300999870476, 0.28520802612117757, 0.0004485436923833408, 0, 0),
    *(0, 34.77906344483772, 44.835625328877896, 0, 0, 0),
    *(0, 0, 0, 0, 0, 0.0008680556573291698),
    *(0, 0, 0, 0, 0, 0.0005313191874358747),
    *(0, 0.00016533814161379112, 0, 0, 0, 0),
    *(0, 0.0004179171803251336, 0.0017290828234722833, 0, 0.0020827005846636437),
    *(0, 0, 8.826982764996862, 23.19243343998926, 0, 95.1080498811086),
    *(0.9863978034400682, 0.9834382792465353, 0.0012286405048278493, 171.2667255897307),
    *(0.9807858872435379, 0, 0, 0, 0.0005130064588990679, 0),
    0.00010854057858411537,
)
"""By channel, scale, norm and map, as the reference implementation has them
(github.com/cloudinary/ssimulacra2, ssimulacra2.cc)."""

_LEAST_WEIGHT = 0.5
"""What has a lower one is up to 0.01 points of a score."""

_FACTOR, _SQUARE, _CUBE = 2.326765642916932, 0.020884521182843837, 6.248496625763138e-05
_SCALE, _POWER = 0.9562382616834844, 0.6276336467831387


def counted(scales: int) -> list[list[tuple[int, int]]]:
    """Channel and map of each that counts, by scale, of a picture that has so many."""
    weights = iter(_WEIGHTS)
    found: list[list[tuple[int, int]]] = [[] for _ in range(scales)]
    for channel in range(CHANNELS):
        for maps in found:
            norms = [[next(weights) for _ in range(MAPS)] for _ in range(2)]
            largest = map(max, zip(*norms, strict=True))
            maps += [(channel, at) for at, most in enumerate(largest) if most > _LEAST_WEIGHT]
    return found


def score_of(scales: Sequence[Parts]) -> float:
    """SSIMULACRA2, 100 at most.

    Args:
        scales: the largest first; a small picture has fewer than `SCALES`.
    """
    weights = iter(_WEIGHTS)
    unlike = _SCALE * sum(
        next(weights) * part
        for channel in range(CHANNELS)
        for parts in scales
        for norm in parts[channel]
        for part in norm
    )
    unlike = _FACTOR * unlike - _SQUARE * unlike**2 + _CUBE * unlike**3
    return round(100 - 10 * math.pow(max(0.0, unlike), _POWER), DIGITS)
