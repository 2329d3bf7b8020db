"""How large JPEGs look at each quality that is sought for them."""

from __future__ import annotations

LARGE_LOOKS = (
    *((1, 40.0), (10, 62.3), (17, 62.8), (20, 63.7), (26.5, 65.9), (32.2, 67.8)),
    *((36.4, 69.8), (39, 70.8), (42.7, 72.1), (45.9, 73.2), (49.1, 74.3), (51.2, 75.3)),
    *((55.6, 75.9), (59.9, 76.5), (62.5, 77.6), (63.5, 77.8), (65.3, 78.3), (66.9, 78.6)),
    *((67.8, 78.7), (68.6, 79.2), (70.3, 79.5), (71.5, 80.3), (72.7, 80.4), (73.9, 80.8)),
    *((75.1, 81.9), (77.1, 82.2), (78.2, 82.9), (79.2, 83.6), (81.4, 84.3), (83.4, 85.5)),
    *((85.4, 86.2), (87.3, 87.1), (88.2, 88.0), (89, 88.7), (89.1, 89.5), (89.7, 91.8)),
    *((90, 91.0), (93, 92.7), (97, 95.0), (100, 96.5)),
)
"""Quality and SSIMULACRA2 by `seek_plain`, with even means: the median of 32 wallpapers and
drawings of 1.9 to 4.1 megapixels. They were measured with other numbers of `KLEIN_SCALE`: the
quality is the one that leads to the same table now."""
