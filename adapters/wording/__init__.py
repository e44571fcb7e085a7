"""This is what the owner reads: every sentence in Korean and English, every figure in one form."""

from adapters.wording.wordings import Language, Wording

__all__ = ["Language", "Wording"]
