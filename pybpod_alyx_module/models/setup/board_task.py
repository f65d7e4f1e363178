"""What PyBpod looks up as ``models.setup.board_task``: the variables of a setup keep their numbers, can go."""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING, Any, Final

from pybpod_alyx_module.gui.guard import slot
from pybpod_alyx_module.read_settings import read_settings

if TYPE_CHECKING:
    from pybpod_alyx_module.models.host_types import PyBpodBoardTask, PyBpodTaskVariable
else:
    PyBpodBoardTask = PyBpodTaskVariable = object

#: Column of the table *Variables* that holds the values.
_VALUE: Final = 2


class BoardTask(PyBpodBoardTask):
    """Mixed into what PyBpod keeps of a setup's board and task."""

    def create_variable(self, name: str | None = None, value: Any = None, datatype: str = "string") -> Any:
        """Make a variable, one that keeps any number."""
        if not read_settings().mends_pybpod:
            return super().create_variable(name, value, datatype)
        return _variable_class()(self, name, value, datatype)

    def _BoardTaskWindow__varslist_data_changed_evt(self, row: int, col: int, item: Any) -> None:  # noqa: N802
        # PyBpod turns what is typed into 0 unless it consists of digits
        if col == _VALUE and _is_number(item) and read_settings().mends_pybpod:
            return
        super()._BoardTaskWindow__varslist_data_changed_evt(row, col, item)

    @slot
    def _BoardTaskWindow__remove_variable(self) -> None:  # noqa: N802 - what "-" calls
        super()._BoardTaskWindow__remove_variable()
        if read_settings().mends_pybpod:
            for row, variable in enumerate(self.variables):
                variable._row_index = row


class _AnyNumber(PyBpodTaskVariable):
    """Mixed into a variable: PyBpod asks whether a number consists of digits alone, and takes 0 where it does not."""

    def load(self, data: dict[str, Any]) -> None:
        """Take over what was saved; a number as text: Qt's field for numbers has two decimals."""
        if data["datatype"] == "number" and _is_number(data["value"]):
            data = {**data, "value": str(data["value"]).removesuffix(".0")}
        super().load(data)

    def _TaskVariableWindow__datatype_changed_evt(self) -> None:  # noqa: N802
        if not _is_number(self._varslist.get_value(_VALUE, self._row_index)):
            super()._TaskVariableWindow__datatype_changed_evt()


@functools.cache
def _variable_class() -> type[Any]:
    from pybpodgui_plugin.models.setup.task_variable import TaskVariableWindow

    return type("TaskVariable", (_AnyNumber, TaskVariableWindow), {})


def _is_number(value: Any) -> bool:
    try:
        return math.isfinite(float(value))
    except (TypeError, ValueError, OverflowError):
        return False
