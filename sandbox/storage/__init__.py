"""Storage: Azurite behind a front that adds what it lacks.

The front checks tokens and roles, knows accounts that come and go, copies pages from URLs, injects faults,
keeps service limits and counts every request. Azurite stays the only place where anything is stored.
"""
