def test_menu(host, project, menu):
    assert menu.labels(project.node) == ["Save", "Save as", "Close", "Sync to Alyx"]
