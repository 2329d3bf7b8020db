"""How large JPEGs look at each quality that is sought for them."""

from __future__ import annotations

LARGE_LOOKS = (
    *((1, 1.0), (10, 8.0), (20, 27.0)),
    *((30, 44.2), (31, 46.0), (32, 47.2), (33, 47.9), (34, 47.9), (35, 50.3), (36, 50.4)),
    *((37, 52.5), (38, 52.6), (39, 52.6), (40, 53.3), (41, 53.6), (42, 53.9), (43, 55.2)),
    *((44, 55.9), (45, 56.0), (46, 58.0), (47, 58.2), (48, 59.5), (49, 60.0), (50, 60.3)),
    *((51, 60.4), (52, 62.1), (53, 62.4), (54, 62.6), (55, 62.6), (56, 62.7), (57, 64.3)),
    *((58, 64.4), (59, 64.6), (60, 64.9), (61, 65.8), (62, 68.2), (63, 68.5), (64, 68.9)),
    *((65, 69.1), (66, 68.8), (67, 69.0), (68, 69.8), (69, 70.1), (70, 70.3), (71, 71.8)),
    *((72, 72.0), (73, 72.3), (74, 74.5), (75, 75.0), (76, 75.2), (77, 75.8), (78, 77.5)),
    *((79, 77.7), (80, 78.3), (81, 79.8), (82, 81.0), (83, 81.5), (84, 82.0), (85, 83.2)),
    *((86, 83.6), (87, 84.5), (88, 84.9), (89, 85.9), (89.1, 86.5), (89.2, 86.5), (89.3, 87.1)),
    *((89.4, 87.1), (89.5, 87.7), (89.6, 88.8), (89.7, 88.8), (89.8, 89.4), (89.9, 89.4)),
    *((90, 87.9), (95, 92.1), (100, 96.2)),
)
"""Quality and SSIMULACRA2 by `seek`: the shape of the median of 26 wallpapers of 2 to 5 megapixels;
the height at 71, and the shape below 30 and above 90, are of `imaging.auto.typical`. Steps are
where the quantiser of the mean of a block is a whole number less, as much of such pictures is
smooth: from 61 to 62 it becomes 8, which gives whole numbers of a pixel, and the look is no better
before 68."""
