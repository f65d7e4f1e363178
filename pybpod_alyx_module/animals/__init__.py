"""What Alyx says of an animal now: weight, water, checks; no Qt."""
