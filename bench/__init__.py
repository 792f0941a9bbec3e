"""Benchmarks against the budgets of the design: ratios from one run, beside what a vendor's sample does."""
