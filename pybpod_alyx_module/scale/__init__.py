"""A scale at a serial port."""
