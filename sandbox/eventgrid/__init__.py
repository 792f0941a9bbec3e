"""Event Grid: topics, subscriptions with filters, at-least-once delivery, dead letters."""
