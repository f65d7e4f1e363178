"""A sync without windows, as for a rig's night job: the real PyBpod, without a display, told what to do in advance."""
