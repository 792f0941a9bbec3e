"""The gateways: the storage ports against memory and reality alike, the others over the local Azure."""
