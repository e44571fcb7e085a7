"""This is what all tests share: how Hypothesis searches."""

from hypothesis import settings

# A deadline in milliseconds measures the machine, not the code; the blob repeats a failure anywhere.
settings.register_profile("maemae", deadline=None, print_blob=True)
settings.load_profile("maemae")
