"""An animal's last weeks as Alyx has them: weights, water, restrictions, sessions; no Qt."""
