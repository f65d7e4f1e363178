"""The windows of *New subject on Alyx…* and *Send to Alyx…*."""
