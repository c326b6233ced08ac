"""Put marks into a file: AIGC label, visible text, watermark and, last, a C2PA signature.

Marks are only ever added. A file that is labelled already is refused, and nothing here takes a
mark away or changes one.
"""

from forensics.provenance.labelling.label import Labelled, label_file
from forensics.provenance.labelling.plan import LabelPlan

__all__ = ["LabelPlan", "Labelled", "label_file"]
