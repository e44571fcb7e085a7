"""This is other people's engines at the same work: `make peers`. Each runs in an environment of its own."""
