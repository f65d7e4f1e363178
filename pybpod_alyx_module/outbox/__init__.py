"""What the rig writes to Alyx: kept durably on this machine first, then sent, once, for the right animal."""
