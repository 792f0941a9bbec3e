"""What a vendor's sample would do, in the fewest lines that work: for comparison, and not to be imitated."""
