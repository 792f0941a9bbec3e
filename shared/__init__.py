"""The Image Factory without its bindings: domain, planning, contracts, use cases and gateways."""
