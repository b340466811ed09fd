"""
Say which finder and which model are in use: the one place that changes when better ones are there.
"""

from __future__ import annotations

from handsel.vision.aligned_places import AlignedPlacesModel
from handsel.vision.embedding import EmbeddingModel
from handsel.vision.find_hands import NetHandFinder
from handsel.vision.hand import HandFinder
from handsel.vision.read_palm import PalmReader


def open_model() -> EmbeddingModel:
    """
    Return the model in use, checked against its manifest. Raises `ModelInvalid`.
    """
    return AlignedPlacesModel.load()


def open_finder() -> HandFinder:
    """
    Return the finder in use, its nets checked against the manifest, loaded and run once. Raises `ModelInvalid`.
    """
    return NetHandFinder()


def open_reader() -> PalmReader:
    """
    Return a reader that is ready to read: models checked, loaded and run once. Takes seconds. Raises `ModelInvalid`.
    """
    return PalmReader(finder=open_finder(), model=open_model())
