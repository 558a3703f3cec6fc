"""An agency's labels in and out: files of any tool to label rows, rows to sentences, sentences to a corpus folder.

``read_labels`` reads, ``align`` finds the sentences, ``readings`` and ``settle`` make labels of them,
``labelled_export`` and ``write_corpus`` the folder that ``peerdrift train`` and ``evaluate`` take.
"""

from peerdrift_nlp.io.labels.align import Aligned, align
from peerdrift_nlp.io.labels.folder import LabelledExport, check_target, label_counts, labelled_export, write_corpus
from peerdrift_nlp.io.labels.merge import Readings, readings, settle
from peerdrift_nlp.io.labels.names import LabelNames
from peerdrift_nlp.io.labels.readers import read_labels
from peerdrift_nlp.io.labels.reviews import read_key
from peerdrift_nlp.io.labels.rows import LabelRow

__all__ = [
    "Aligned",
    "LabelNames",
    "LabelRow",
    "LabelledExport",
    "Readings",
    "align",
    "check_target",
    "label_counts",
    "labelled_export",
    "read_key",
    "read_labels",
    "readings",
    "settle",
    "write_corpus",
]
