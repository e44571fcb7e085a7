"""This is a server that speaks KIS OpenAPI, built from its documents alone; it shares no code with `adapters.kis`."""
