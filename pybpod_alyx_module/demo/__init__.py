"""The demo: a sandbox, a scratch project and PyBpod, started together. The windows are driven by `gui.tour`."""
