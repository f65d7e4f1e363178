"""What pybpod-api gets where a rig lists the plugin among its Bpod modules."""

from __future__ import annotations

from pybpodapi.bpod_modules.bpod_module import BpodModule


class AlyxModule(BpodModule):
    """A Bpod module without hardware: Alyx is a database.

    Versions before 2 let ``PYBPOD_API_MODULES`` list the plugin. Where a rig still does, pybpod-api asks this class
    about every module it finds.
    """

    @staticmethod
    def check_module_type(module_name: str | None) -> bool:
        """Tell whether a Bpod module is of this type; True for a name that begins with ``Alyx``, as before.

        ``module_name``: name that the hardware gave; None or empty where nothing is connected.
        """
        return bool(module_name) and str(module_name).startswith("Alyx")
