"""Worlds that tests run in: real parts, started once per worker and shared."""
