"""Bindings only: decorators, parse, one call into a use case."""
