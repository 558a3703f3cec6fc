"""Zip archives that may lie about themselves: their true size is found out before anything is kept."""

from __future__ import annotations

import lzma
import struct
import sys
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from peerdrift_nlp.io.sniff import CHUNK

DAMAGE = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, EOFError, NotImplementedError, RuntimeError,
    ValueError, OSError,
)  # fmt: skip
"""What reading a damaged or protected archive may raise."""


def fits(file: Path | BinaryIO, budget: int, look: Callable[[str, bytes], None] | None = None) -> bool:
    """Whether all members together unpack to no more than ``budget`` bytes.

    Every member is unpacked once without keeping it. ``look`` gets each piece with its member's name.

    Raises:
        Exception: one of ``DAMAGE``.
    """
    with zipfile.ZipFile(file) as archive:
        for member in archive.infolist():
            if member.file_size > budget:
                return False
            member.file_size = sys.maxsize  # read on to the true end
            with archive.open(member) as stream:
                while budget >= 0 and (chunk := stream.read(CHUNK)):
                    budget -= len(chunk)
                    if look:
                        look(member.filename, chunk)
            if budget < 0:
                return False
    return True
