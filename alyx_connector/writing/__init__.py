"""A record made or changed: checked before anything is sent, and told as the server stored it."""
