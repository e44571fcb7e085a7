"""This is how quick maemae is, measured on this machine: `make bench`. Nothing of the product imports it."""
