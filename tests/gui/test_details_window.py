"""Alyx details in the real PyBpod: everything readable, from which server, as of when."""

from __future__ import annotations

import datetime

import pytest
from AnyQt.QtCore import Qt
from AnyQt.QtGui import QDesktopServices
from AnyQt.QtWidgets import QApplication

from alyx_connector.accounts import Accounts
from alyx_connector.zones.lab_zones import remember_zones
from pybpod_alyx_module.gui.animals.water_dialog import WaterDialog
from pybpod_alyx_module.gui.animals.weight_dialog import WeightDialog
from pybpod_alyx_module.gui.history import record_page
from pybpod_alyx_module.gui.history.details_window import DetailsWindow, open_details_window, refresh_details_windows
from pybpod_alyx_module.gui.words import LONGEST_VALUE, when
from tests.alyx_rows import SERVER, alyx_id, record
from tests.gui.hands import activate, alyx_home, living, press, small_enough, subject_named

__all__ = ["alyx_home"]

#: The rows of the predecessor's window.
PREDECESSOR = (
    "Nickname", "ID", "Responsible user", "Birth date", "Age (weeks)", "Death date", "Species", "Sex", "Litter",
    "Strain", "Source", "Line", "Projects", "Lab", "Genotype", "Description", "Alive",
)  # fmt: skip


@pytest.fixture
def subject(project):
    subject = project.create_subject()
    subject.name = "ea04"
    subject.alyx = record("ea04")
    yield subject
    subject.close_alyx_details()


def test_the_menu_opens_every_field_of_the_predecessor(subject, menu, qtbot):
    menu.trigger(subject.node, "Alyx details")
    window = subject.alyx_details_window
    with qtbot.waitExposed(window):
        pass
    assert set(PREDECESSOR) <= set(window.record.values)
    text = window.record.text.toPlainText()
    for name in PREDECESSOR:
        assert name in text
        assert window.record.values[name] in text
    assert window.record.values["ID"] == alyx_id("ea04")
    assert window.record.values["Projects"] == "brainwide"
    assert window.record.values["Genotype"] == "Ai32 +/-"
    assert window.record.values["Alive"] == "yes"
    assert window.record.values["Litter"] == "(none)"
    assert window.record.values["Description"] == "(empty)"
    assert window.record.values["Server"] == SERVER
    assert window.windowTitle() == "Alyx details – ea04"  # noqa: RUF001


def test_what_changes_by_itself_stands_under_the_time_of_the_sync(subject):
    synced = datetime.datetime.now().astimezone() - datetime.timedelta(days=3, minutes=1)
    subject.alyx = record("ea04", alyx_synced_at=synced.isoformat(), reference_weight=25.1234567, remaining_water=0.4)
    window = open_details_window(subject)
    text = window.record.text.toPlainText()
    heading = f"As of {synced:%Y-%m-%d %H:%M} (3 days ago)"
    before, after = text.split(heading)
    for name in ("Age (weeks)", "Reference weight (g)", "Last water restriction", "Expected water (mL)",
                 "Remaining water (mL)"):  # fmt: skip
        assert name not in before
        assert name in after
    assert window.record.values["Reference weight (g)"] == "25.123"
    assert window.record.values["Remaining water (mL)"] == "0.4"


def test_a_file_of_the_predecessor_has_no_server_and_no_time(subject):
    subject.alyx = record("ea04", server=..., alyx_synced_at=..., alyx_server=..., json=...)
    window = open_details_window(subject)
    assert window.record.values["Server"] == "unknown"
    assert window.record.values["Synced"] == "unknown"
    assert window.record.values["JSON"] == "(missing)"
    assert "As of the last sync (time unknown)" in window.record.text.toPlainText()


def test_zero_weeks_without_a_birth_date_is_no_age(subject):
    subject.alyx = record("ea04", birth_date=None, age_weeks=0)
    assert open_details_window(subject).record.values["Age (weeks)"] == "(none)"
    subject.alyx = record("ea04", age_weeks=0)
    assert open_details_window(subject).record.values["Age (weeks)"] == "0"


@pytest.mark.parametrize("zero", [0, 0.0])
def test_zero_of_an_animal_without_water_restriction_is_no_measurement(subject, zero):
    zeros = {"reference_weight": zero, "expected_water": zero, "remaining_water": zero}
    subject.alyx = record("ea04", last_water_restriction=None, **zeros)
    values = open_details_window(subject).record.values
    assert values["Reference weight (g)"] == "(none)"
    assert values["Expected water (mL)"] == "0 (no water restriction on Alyx)"
    assert values["Remaining water (mL)"] == "0 (no water restriction on Alyx)"
    subject.alyx = record("ea04", last_water_restriction="2026-11-01T10:00:00", **zeros)
    values = open_details_window(subject).record.values
    assert {values[name] for name in ("Expected water (mL)", "Remaining water (mL)", "Reference weight (g)")} == {"0"}


@pytest.mark.parametrize(
    ("stored", "zone", "shown"),
    [
        ("2026-11-01T10:00:00", "Asia/Tokyo", "2026-11-01 10:00"),
        ("2026-11-01T10:00:00+00:00", "Asia/Tokyo", "2026-11-01 19:00"),
        ("2026-11-01T10:00:00Z", None, "2026-11-01 10:00 (on the server's clock)"),
        ("not a time", "Asia/Tokyo", "not a time"),
    ],
)
def test_the_time_of_the_water_restriction_is_on_the_labs_clock(subject, alyx_home, stored, zone, shown):
    if zone is not None:
        remember_zones(SERVER, {subject.alyx["lab"]: zone})
    subject.alyx = record("ea04", last_water_restriction=stored)
    assert open_details_window(subject).record.values["Last water restriction"] == shown


def test_what_a_synced_copy_lacks_is_left_out(subject):
    subject.alyx = record("ea04", alyx_synced_at=datetime.datetime.now().astimezone().isoformat(), json=..., litter=...)
    window = open_details_window(subject)
    assert not {"JSON", "Litter"} & window.record.values.keys()
    assert window.record.values["Strain"]


def test_a_weight_without_water_restriction_is_shown(subject):
    subject.alyx = record("ea04", last_water_restriction=None, reference_weight=24.5, remaining_water=0.25)
    values = open_details_window(subject).record.values
    assert (values["Reference weight (g)"], values["Remaining water (mL)"]) == ("24.5", "0.25")


def test_a_copy_that_does_not_say_whether_water_is_restricted_is_shown_as_it_is(subject):
    subject.alyx = record("ea04", last_water_restriction=..., expected_water=0)
    assert open_details_window(subject).record.values["Expected water (mL)"] == "0"


def test_not_alive_is_said_with_the_death_date(subject):
    subject.alyx = record("ea04", alive=False, death_date="2026-01-02")
    assert open_details_window(subject).record.values["State"] == "not alive on Alyx (death date 2026-01-02)"


def test_long_text_fits_and_html_is_shown_as_it_is(subject, qtbot):
    description = "Long text. " * 100 + "\n<img src='http://127.0.0.1:9/x.png'> <b>é</b> 猫 " + "unbroken" * 50
    subject.alyx = record("ea04", description=description)
    window = open_details_window(subject)
    with qtbot.waitExposed(window):
        pass
    window.tabs.setCurrentWidget(window.record)
    assert window.record.values["Description"] == description
    assert "<b>é</b> 猫" in window.record.text.toPlainText()
    assert window.record.text.horizontalScrollBar().maximum() == 0
    assert window.record.text.verticalScrollBar().maximum() > 0


def test_of_a_very_long_value_the_beginning_is_shown_and_all_of_it_copied(subject, qtbot):
    subject.alyx = record("ea04", description="x" * 200_000)
    window = open_details_window(subject)
    shown = window.record.text.toPlainText()
    assert f"{'x' * LONGEST_VALUE}… (200000 characters in all; Copy all has the whole text)" in shown
    assert "x" * (LONGEST_VALUE + 1) not in shown
    press(qtbot, window.record.copy_button)
    assert f"Description\t{'x' * 200_000}" in QApplication.clipboard().text().splitlines()


@pytest.mark.parametrize(
    ("server", "text"), [(5, "5"), (True, "yes"), ([], "unknown"), ({}, "unknown"), (float("nan"), "NaN")]
)
def test_a_server_that_is_no_text_is_shown_all_the_same(subject, qtbot, dialogs, server, text):
    subject.alyx = record("ea04", alyx_server=server)
    window = open_details_window(subject)
    assert window.record.values["Server"] == text
    press(qtbot, window.record.copy_button)
    assert f"Server\t{text}" in QApplication.clipboard().text().splitlines()
    assert dialogs.log == []


def test_the_window_fits_on_a_small_screen(subject, qtbot):
    window = open_details_window(subject)
    with qtbot.waitExposed(window):
        pass
    assert small_enough(window)


def test_everything_can_be_selected_and_copied(subject, qtbot):
    window = open_details_window(subject)
    qtbot.keyClick(window.record.text, Qt.Key_A, Qt.ControlModifier)
    qtbot.keyClick(window.record.text, Qt.Key_C, Qt.ControlModifier)
    assert alyx_id("ea04") in QApplication.clipboard().text()
    qtbot.mouseClick(window.record.copy_button, Qt.LeftButton)
    lines = QApplication.clipboard().text().splitlines()
    assert f"ID\t{alyx_id('ea04')}" in lines
    assert len(lines) == len(window.record.values)


def test_the_buttons_do_what_the_menu_does_and_open_the_animals_page(subject, alyx_home, qtbot, dialogs, monkeypatch):
    opened = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: opened.append(url.toString()))
    monkeypatch.setattr(WeightDialog, "begin", lambda dialog: opened.append(dialog.alyx_subject.name))
    monkeypatch.setattr(WaterDialog, "begin", lambda dialog: opened.append(dialog.windowTitle()))
    window = open_details_window(subject)
    with qtbot.waitExposed(window):
        pass
    assert list(window.job_buttons) == ["Record weight…", "Give water…", "Open in Alyx"]
    for button in window.job_buttons.values():
        press(qtbot, button)
    assert opened[0] == "ea04"
    assert "water" in opened[1].lower()
    assert len(opened) == 2
    assert "nobody connected to" in str(dialogs.log), "an address that a project's file names is not opened unasked"
    dialogs.log.clear()
    Accounts().remember(SERVER, "jose", "0" * 40)
    press(qtbot, window.job_buttons["Open in Alyx"])
    assert opened[2:] == [f"{SERVER}/admin/subjects/subject/{alyx_id('ea04')}/change/"]


def test_of_a_subject_that_left_the_project_nothing_can_be_recorded(project, subject):
    window = open_details_window(subject)
    assert all(button.isEnabled() for button in window.job_buttons.values())
    project.subjects.remove(subject)
    window.refresh()
    assert not any(button.isEnabled() for button in window.job_buttons.values())
    project.subjects.append(subject)


def test_an_open_window_follows_a_sync(subject):
    window = open_details_window(subject)
    subject.alyx = record("ea04", sex="F")
    assert window.record.values["Sex"] == "M"
    refresh_details_windows()
    assert window.record.values["Sex"] == "F"


def test_asked_again_there_is_one_window_with_current_values(subject, menu):
    window = open_details_window(subject)
    subject.alyx = record("ea04", sex="F")
    menu.trigger(subject.node, "Alyx details")
    assert subject.alyx_details_window is window
    assert window.record.values["Sex"] == "F"


def test_a_minimised_window_comes_back_from_the_menu(subject, menu):
    window = open_details_window(subject)
    window.showMinimized()
    assert window.isMinimized()
    menu.trigger(subject.node, "Alyx details")
    assert subject.alyx_details_window is window
    assert not window.isMinimized()


def test_escape_closes_and_the_next_one_is_new(subject, qtbot, menu, dialogs):
    window = open_details_window(subject)
    activate(qtbot, window)
    qtbot.keyClick(window.record.text, Qt.Key_Escape)
    assert subject.alyx_details_window is None
    assert living(DetailsWindow) == []
    menu.trigger(subject.node, "Alyx details")
    assert subject.alyx_details_window.isVisible()
    assert dialogs.log == []


def test_the_window_goes_with_the_project(project, subject, qtbot, dialogs):
    open_details_window(subject)
    project.close(silent=True)
    assert living(DetailsWindow) == []
    assert dialogs.log == []


def test_a_subject_that_left_the_project_is_said_to_have_left(project, subject):
    window = open_details_window(subject)
    project.subjects.remove(subject)
    window.refresh()
    assert window.record.values["State"] == "no longer in this PyBpod project"
    project.subjects.append(subject)
    assert subject_named(project, "ea04") is subject


def test_the_age_goes_on_while_the_window_is_open_but_not_under_a_selection(subject):
    subject.alyx = record("ea04", alyx_synced_at=datetime.datetime.now().astimezone().isoformat())
    window = open_details_window(subject)
    subject.alyx = record("ea04", alyx_synced_at="2026-01-01T00:00:00+00:00")
    window.record.text.selectAll()
    window._clock.timeout.emit()
    assert "just now" in window.record.values["Synced"]
    cursor = window.record.text.textCursor()
    cursor.clearSelection()
    window.record.text.setTextCursor(cursor)
    window._clock.timeout.emit()
    assert "just now" not in window.record.values["Synced"]


def test_where_only_the_age_changed_only_the_age_is_written_anew(subject, monkeypatch):
    synced = datetime.datetime.now().astimezone() - datetime.timedelta(days=2, hours=1)
    description = "before\n" + "x" * 4_000
    subject.alyx = record("ea04", alyx_synced_at=synced.isoformat(), description=description)
    window = open_details_window(subject)
    before = window.record.text.toPlainText()
    assert before.count("(2 days ago)") == 2
    written = []
    window.record.text.document().contentsChange.connect(lambda _place, _gone, new: written.append(new))
    window._clock.timeout.emit()
    assert written == []
    later = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=1)
    monkeypatch.setattr(record_page, "when", lambda moment: when(moment, later))
    window._clock.timeout.emit()
    assert window.record.text.toPlainText() == before.replace("(2 days ago)", "(3 days ago)")
    assert "(3 days ago)" in window.record.values["Synced"]
    assert 0 < sum(written) < 100
    subject.alyx = record("ea04", alyx_synced_at=synced.isoformat(), description="another")
    window._clock.timeout.emit()
    assert "another" in window.record.text.toPlainText()
