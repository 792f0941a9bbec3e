"""Resource Manager: small state machines behind one strict router."""
