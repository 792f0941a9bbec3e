"""An Azure on loopback, complete enough that the factory cannot tell the difference.

It knows nothing of the factory's code: endpoints in the settings are all that the two share.
"""
