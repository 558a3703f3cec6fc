"""The labelled corpus: notes and contrast pairs, how they are written, kept, checked, counted and compared."""

from peerdrift_nlp.classifier.corpus.files import SPLITS, Corpus, Split, challenge_pairs, read_corpus
from peerdrift_nlp.classifier.corpus.marked import parse_marked, parse_marked_pairs
from peerdrift_nlp.classifier.corpus.notes import LabelledNote, LabelledSentence, check_notes
from peerdrift_nlp.classifier.corpus.pairs import ContrastPair, check_pairs

__all__ = [
    "SPLITS",
    "ContrastPair",
    "Corpus",
    "LabelledNote",
    "LabelledSentence",
    "Split",
    "challenge_pairs",
    "check_notes",
    "check_pairs",
    "parse_marked",
    "parse_marked_pairs",
    "read_corpus",
]
