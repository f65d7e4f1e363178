"""The windows about one animal: weight, water, before Run."""
