"""Compute galleries: definitions, versions, and where each version is."""
