"""The signs' lettering: a bitmap alphabet of 5 x 7 dots, and what the shops are called."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 &.-"
_ROWS = [
    "0E11111F111111",
    "1E11111E11111E",
    "0E11101010110E",
    "1E11111111111E",
    "1F10101E10101F",
    "1F10101E101010",
    "0E11101713110F",
    "1111111F111111",
    "0E04040404040E",
    "0702020202120C",
    "11121418141211",
    "1010101010101F",
    "111B1515111111",
    "11191513111111",
    "0E11111111110E",
    "1E11111E101010",
    "0E11111115120D",
    "1E11111E141211",
    "0F10100E01011E",
    "1F040404040404",
    "1111111111110E",
    "11111111110A04",
    "11111115151B11",
    "11110A040A1111",
    "11110A04040404",
    "1F01020408101F",
    "0E11131519110E",
    "040C040404040E",
    "0E11010204081F",
    "1F02040201110E",
    "02060A121F0202",
    "1F101E0101110E",
    "0608101E11110E",
    "1F010204080808",
    "0E11110E11110E",
    "0E11110F01020C",
    "00000000000000",
    "0C120C1415120D",
    "00000000000C0C",
    "0000001F000000",
]

_TRADES = (
    "BAKERY", "CAFE", "BOOKS", "HOTEL", "FLOWERS", "PHARMACY", "SHOES", "TAILOR", "WINES", "OPTIK",
    "BARBER", "TOYS", "FISH", "TEA ROOM", "BANK", "RADIO", "BUTCHER", "CYCLES", "PIANOS", "DELI",
)  # fmt: skip
_NAMES = (
    "MORLEN", "TASK", "OLVIR", "BRANDT", "HEDA", "KVIST", "LINDEN", "PORTA", "RUVIO", "SAND",
    "ANKER", "DUNE", "FELLO", "GALE", "HARROW", "ISOLD", "JUNO", "MARSK", "NOORD", "WELLS",
)  # fmt: skip
LETTERS = 13


def _names() -> tuple[str, ...]:
    both = [
        f"{trade} {name}" for i, trade in enumerate(_TRADES) for name in (_NAMES[i], _NAMES[(i * 7 + 3) % 20])
    ]
    plain = [f"{a} & {b}" for a, b in zip(_NAMES[:10], _NAMES[10:], strict=True)]
    return tuple(text[:LETTERS].strip() for text in (*_TRADES, *_NAMES, *both, *plain))


SIGNS = _names()


@cache
def glyphs(scale: int = 8) -> NDArray[np.float32]:
    """Every letter as coverage (letters, 8 x scale, 6 x scale): dots rounded off, margin right and below.

    The dots are joined by blurring the enlarged bitmap and cutting at half, as a sign painter would.
    """
    bitmap = np.zeros((len(ALPHABET), 9, 7), np.float32)
    for letter, rows in enumerate(_ROWS):
        for line in range(7):
            bits = int(rows[2 * line : 2 * line + 2], 16)
            bitmap[letter, line + 1, 1:6] = [(bits >> (4 - dot)) & 1 for dot in range(5)]
    large = np.kron(bitmap, np.ones((1, scale, scale), np.float32))
    kernel = np.hanning(2 * scale + 1)[1:-1]
    kernel /= kernel.sum()
    for axis in (1, 2):
        large = np.apply_along_axis(lambda line: np.convolve(line, kernel, mode="same"), axis, large)
    cut = np.clip((large - 0.4) * 6.0 + 0.5, 0.0, 1.0)
    half = scale // 2
    return np.ascontiguousarray(cut[:, half : half + 8 * scale, half : half + 6 * scale], np.float32)


@cache
def sign_codes() -> NDArray[np.int64]:
    """Letters of every sign, centred, (signs, LETTERS): positions in the alphabet."""
    return np.array([[ALPHABET.index(letter) for letter in text.center(LETTERS)] for text in SIGNS])


@cache
def sign_lengths() -> NDArray[np.int64]:
    """How many letters each sign has."""
    return np.array([len(text) for text in SIGNS])
