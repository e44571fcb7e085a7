"""This is the outside: protocols on top, one folder per outside system below."""
