"""Python reads this at its start where this folder is on its path: the clock is set forward by ``TEST_CLOCK_SHIFT_S``.

The processes that a test starts inherit it. Monotonic clocks, and so all timeouts, go on as they are.
"""

import datetime
import os
import time

shift = os.environ.get("TEST_CLOCK_SHIFT_S")
if shift:
    import time_machine

    moment = datetime.datetime.fromtimestamp(time.time() + float(shift), datetime.timezone.utc)
    time_machine.travel(moment, tick=True).start()
