"""Find role drift in peer support session notes."""

__version__ = "0.1.0"
