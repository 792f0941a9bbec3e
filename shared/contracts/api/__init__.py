"""The HTTP API as types: one table of operations, from which requests are checked and OpenAPI is made.

A resource is a file here (what goes over the wire) and one of the same name in `functions/resources` (which
use case answers).
"""
