"""This is the operator's console, one file per group of commands; `deployments.cli` puts them together."""
