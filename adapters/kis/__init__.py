"""This is Korea Investment & Securities (KIS) OpenAPI; `adapters.kis.access` opens it."""
