"""Dates as exports write them, as ISO where that is certain."""

from __future__ import annotations

import re
from datetime import date, timedelta

_ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ]\d.*)?")
_COMPACT = re.compile(r"((?:19|20)\d\d)(\d\d)(\d\d)")
_US = re.compile(r"(\d{1,2})[/-](\d{1,2})[/-](\d{4}|\d\d)(?:,? +\d.*)?")
_HL7 = re.compile(r"(\d{4})(\d\d)?(\d\d)?(?:\d{2,6}(?:\.\d+)?)?(?:[+-]\d{4})?")
_SERIAL = re.compile(r"(\d{5})(?:\.\d+)?")
_EXCEL_EPOCH = date(1899, 12, 30)
_SERIALS = range(20_000, 80_000)


def iso_date(value: str) -> str:
    """``value`` as ``YYYY-MM-DD`` if it is an ISO, a US or an Excel date, else as it is.

    >>> iso_date("3/7/24 2:15 PM"), iso_date("45358"), iso_date("last Tuesday")
    ('2024-03-07', '2024-03-07', 'last Tuesday')
    """
    value = value.strip()
    if found := _ISO.fullmatch(value) or _COMPACT.fullmatch(value):
        year, month, day = found.groups()
    elif found := _US.fullmatch(value):
        month, day, year = found.groups()
    elif (found := _SERIAL.fullmatch(value)) and int(found[1]) in _SERIALS:
        return (_EXCEL_EPOCH + timedelta(days=int(found[1]))).isoformat()
    else:
        return value
    century = 0 if len(year) == 4 else 2000 if int(year) < 70 else 1900
    try:
        return date(int(year) + century, int(month), int(day)).isoformat()
    except ValueError:
        return value


def hl7_date(time: str) -> str:
    """The date of an HL7 timestamp, as exactly as it is known.

    >>> hl7_date("20240307141500-0500"), hl7_date("202403")
    ('2024-03-07', '2024-03')
    """
    found = _HL7.fullmatch(time)
    return "-".join(filter(None, found.groups())) if found else time
