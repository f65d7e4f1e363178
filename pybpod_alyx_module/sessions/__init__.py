"""A recorded session on its way to Alyx: read, prepared, advised on, registered; no Qt."""
