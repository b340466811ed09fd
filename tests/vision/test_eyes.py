"""
The reader in use is complete, and its model is the one that is opened alone.
"""

from __future__ import annotations

from handsel.vision.eyes import open_model
from handsel.vision.read_palm import PalmReader, PalmReading


def test_the_reader_and_the_model_alone_are_of_one_kind(reader: PalmReader, drawn_reading: PalmReading) -> None:
    model = open_model()

    assert (model.model_id, model.threshold) == (reader.model.model_id, reader.model.threshold)
    assert drawn_reading.probe.model_id == model.model_id
    assert drawn_reading.probe.views.shape == (model.views, model.dims)
    assert 0.9 < drawn_reading.quality <= 1
