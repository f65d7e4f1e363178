"""The names that Alyx knows: locations, projects, procedures, types of water, users."""
