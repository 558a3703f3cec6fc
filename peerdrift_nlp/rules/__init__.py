"""Sentences to hits with stance; the knowledge is data, in ``packs/`` and ``lexicons/``."""
