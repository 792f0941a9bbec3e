"""Azure Resource Graph: a part of its language, over everything that the caller may read."""
