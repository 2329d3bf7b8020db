"""From the light of red, green and blue to that of another three."""

from __future__ import annotations

from collections.abc import Sequence

from imaging.colour.space import Point, Primaries

Row = tuple[float, float, float]
Matrix = tuple[Row, Row, Row]

D50: Row = (0.9642, 1.0, 0.8249)
"""The white of the space that ICC profiles connect through (ICC.1:2022, 7.2.16)."""

_BRADFORD: Matrix = (
    (0.8951, 0.2664, -0.1614),
    (-0.7502, 1.7135, 0.0367),
    (0.0389, -0.0685, 1.0296),
)
"""From XYZ to the responses in which whites are adapted (ICC.1:2022, annex E)."""


def to_connection(primaries: Primaries) -> Matrix:
    """From linear red, green and blue to XYZ with D50 as its white.

    Raises:
        ZeroDivisionError: if the primaries span no space.
    """
    *corners, white = map(_xyz, primaries)
    columns = _transposed(corners)
    shares = _applied(inverse(columns), white)
    to_xyz = _transposed(
        [_scaled(corner, share) for corner, share in zip(corners, shares, strict=True)]
    )
    seen, wanted = _applied(_BRADFORD, white), _applied(_BRADFORD, D50)
    a, b, c = (_scaled(row, w / s) for row, w, s in zip(_BRADFORD, wanted, seen, strict=True))
    return product(product(inverse(_BRADFORD), (a, b, c)), to_xyz)


def product(one: Matrix, other: Matrix) -> Matrix:
    """The matrix that does what `other` does, and then what `one` does."""
    return _transposed([_applied(one, column) for column in _transposed(other)])


def inverse(matrix: Matrix) -> Matrix:
    """The matrix that undoes this one.

    Raises:
        ZeroDivisionError: if none does.
    """
    a, b, c = matrix
    columns = (_cross(b, c), _cross(c, a), _cross(a, b))
    determinant = sum(x * y for x, y in zip(a, columns[0], strict=True))
    return _transposed([_scaled(column, 1 / determinant) for column in columns])


def _xyz(point: Point) -> Row:
    """The light of luminance 1 of this chromaticity."""
    x, y = point
    return x / y, 1.0, (1 - x - y) / y


def _cross(u: Row, v: Row) -> Row:
    return (u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0])


def _applied(matrix: Matrix, column: Row) -> Row:
    x, y, z = (sum(m * c for m, c in zip(row, column, strict=True)) for row in matrix)
    return x, y, z


def _scaled(row: Row, by: float) -> Row:
    return row[0] * by, row[1] * by, row[2] * by


def _transposed(rows: Sequence[Row]) -> Matrix:
    x, y, z = zip(*rows, strict=True)
    return x, y, z
