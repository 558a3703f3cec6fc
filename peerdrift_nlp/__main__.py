"""``python -m peerdrift_nlp`` is the ``peerdrift`` command."""

from peerdrift_nlp.cli.main import run

run()
