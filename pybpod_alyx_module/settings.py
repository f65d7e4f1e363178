"""Defaults of the plugin's settings: the user overrides them by the same names in user_settings.py."""

#: Address of the Alyx server; None leaves the field to the account used last.
ALYX_PLUGIN_ADDRESS = None

#: Alyx user; None leaves the field to the account used last.
ALYX_PLUGIN_USERNAME = None

#: Password that fills the field of the window. It stands in user_settings.py in clear text: better leave it None.
ALYX_PLUGIN_PASSWORD = None
