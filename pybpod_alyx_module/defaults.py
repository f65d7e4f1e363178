"""Defaults of the plugin's settings: the user overrides them by the same names in user_settings.py."""

#: Address of the Alyx server; None leaves the field to the account used last.
ALYX_PLUGIN_ADDRESS = None

#: Alyx user; None leaves the field to the account used last.
ALYX_PLUGIN_USERNAME = None

#: Password that fills the field of the window. user_settings.py holds it in clear text: better leave it None.
ALYX_PLUGIN_PASSWORD = None

#: Minutes without key or mouse in PyBpod, while no protocol runs, after which who is logged in to Alyx is logged out;
#: None: never.
ALYX_PLUGIN_IDLE_LOGOUT_MINUTES = None

#: Mend faults of PyBpod itself that end it or change a task; False leaves PyBpod as it is.
ALYX_PLUGIN_MEND_PYBPOD = True
#: When *Get Subjects* shows all that it would do before anything changes: 'always', or 'needed': where subjects differ,
#: or some are to be removed from the PyBpod project.
ALYX_PLUGIN_REVIEW_SYNC = "needed"

# Sessions ------------------------------------------------------------------------------------------------------------

#: When a session with Alyx subjects ends, register it on Alyx: 'ask', 'always' or 'never'.
ALYX_PLUGIN_REGISTER_SESSIONS = "ask"

#: Alyx location of this rig; None leaves it empty.
ALYX_PLUGIN_LOCATION = None

#: Alyx projects of the sessions, a list of names; None takes those of the subject.
ALYX_PLUGIN_PROJECTS = None

#: Alyx procedures of the sessions, a list of names.
ALYX_PLUGIN_PROCEDURES: list[str] = []

#: Alyx type of the sessions; None leaves it empty.
ALYX_PLUGIN_SESSION_TYPE = "Experiment"

#: Nicknames of subjects for trying out the rig: nothing of them is ever sent.
ALYX_PLUGIN_TEST_SUBJECTS: list[str] = []

#: Name of the variable that holds how much water the animal earned since the session began; None: none has it.
ALYX_PLUGIN_WATER_VARIABLE = None

#: Unit of that variable: 'mL' or 'uL'.
ALYX_PLUGIN_WATER_UNIT = None

#: What its values are: the 'total' since the session began, the size of one 'reward', or the total, reported at the
#: 'end' of the session.
ALYX_PLUGIN_WATER_VALUES = "total"

#: Alyx type of the water that this rig gives; None takes that of the subject's water restriction.
ALYX_PLUGIN_WATER_TYPE = None

# Weights -------------------------------------------------------------------------------------------------------------

#: By how many percent a weight may differ from those of the last three days before the dialog asks about it.
ALYX_PLUGIN_WEIGHT_CHANGE_PERCENT = 10

#: Serial port of the scale, such as 'COM3' or '/dev/ttyUSB0'; None: there is none.
ALYX_PLUGIN_SCALE_PORT = None

#: Baud rate of the scale.
ALYX_PLUGIN_SCALE_BAUD = 9600

#: Command that the scale answers with its weight, such as 'SI', 'IP' or 'Q'; b'w' is sent without an end of line.
#: None: the scale sends by itself, or when its PRINT key is pressed.
ALYX_PLUGIN_SCALE_ASK = None

#: Regular expression for what the scale sends, where its make is not understood: its group 'number', or else its first,
#: is the number; a group 'unit' is g, kg or mg (without it: g); a group 'stable' matches only where the scale marks a
#: reading as stable.
ALYX_PLUGIN_SCALE_PATTERN = None

# Checks before Run: 'off', 'warn' or 'block' -------------------------------------------------------------------------

#: The subject is alive.
ALYX_PLUGIN_CHECK_ALIVE = "warn"

#: The user may handle the subject: is responsible for it, or allowed by who is.
ALYX_PLUGIN_CHECK_MAY_HANDLE = "warn"

#: The subject is not to be culled.
ALYX_PLUGIN_CHECK_TO_BE_CULLED = "warn"

#: The subject has no session today.
ALYX_PLUGIN_CHECK_RUN_TODAY = "warn"

#: The subject has been weighed today.
ALYX_PLUGIN_CHECK_WEIGHED_TODAY = "warn"

#: The subject is not below its minimum weight.
ALYX_PLUGIN_CHECK_MIN_WEIGHT = "warn"

#: The water that the subject still needs today.
ALYX_PLUGIN_CHECK_WATER = "warn"

#: The setup has one Alyx subject, not more.
ALYX_PLUGIN_CHECK_ONE_ANIMAL = "warn"
