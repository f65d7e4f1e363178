"""``python -m alyx_connector``: the command ``alyx-connector``."""

import sys

from alyx_connector.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
