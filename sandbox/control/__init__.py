"""Control: what no real Azure offers. New versions at will, faults, switches, a list of every call."""
