"""This is every schema that an event was ever written with; a landed file is never edited, the next version is added."""
