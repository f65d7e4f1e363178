"""What a sandbox and a real Alyx-Local are both asked, and in what their answers differ."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

#: Keys whose values the two cannot have in common, and why.
FREE: Final = {
    "django_version": "each has its own",
    "server_uptime": "each has its own",
    "user": "the sandbox says that the responsible user weighed where the lab file names nobody",
    "file_records": "the sandbox keeps no file records",
}
#: Lists come in the order of PostgreSQL's pages, but for these.
ORDERED: Final = ("/subjects", "/sessions")

_EA04: Final = {"subject": "ea04"}


def _sessions(name: str, *values: str) -> list[tuple[str, dict[str, Any]]]:
    return [("/sessions", {name: value}) for value in values]


def _subjects(name: str, *values: str) -> list[tuple[str, dict[str, Any]]]:
    return [("/subjects", {name: value}) for value in values]


def _each(name: str, *values: str) -> list[tuple[str, dict[str, Any]]]:
    return [(path, {name: value}) for path in ("/weighings", "/water-administrations") for value in values]


_ID: Final = "aa074dc3-06fa-5e28-b648-019e27306b9f"
_NOBODY: Final = "00000000-0000-0000-0000-000000000000"

READS: Final[list[tuple[str, dict[str, Any]]]] = [
    *[
        (path, {})
        for path in (
            *("/", "/schema", "/auth-token", "/auth-token/", "/server-info", "/no-such-endpoint", "/docs"),
            *("/subjects", "/subjects/", "/subjects/haisslab__ea04", "/subjects/ea04", f"/subjects/{_ID}"),
            *("/subjects/champalimaud__implant_1", "/subjects/champalimaud__jo003", "/subjects/champalimaud__jo006"),
            *("/subjects/champalimaud__jo007", "/subjects/haisslab__nolimit_1", "/subjects/champalimaud__future_cull"),
            *("/subjects/cortexlab__jo001", "/subjects/champalimaud__jo001", "/subjects/HAISSLAB__EA04"),
            *("/sessions", "/sessions/abc", f"/sessions/{_NOBODY}", "/sessions/ea04/2024-01-01/001"),
            *("/sessions/ea04/2024-01-02/001", "/sessions/jo007/2026-10-28/001", "/sessions/ea04/2024-01-01/099"),
            *("/users", "/users/jose", "/users/nobody", "/labs", "/labs/haisslab", "/labs/nolab", "/projects"),
            *("/projects/WaitTask", "/projects/none", "/locations", "/locations/rig_1", "/procedures", "/datasets"),
            *("/dataset-types", "/dataset-types/trials.table", "/weighings", f"/weighings/{_NOBODY}"),
            *("/water-administrations", "/water-restriction", "/water-restricted-subjects", "/water-type"),
            *("/water-type/Water", "/water-requirement/jo006", "/water-requirement/champalimaud__jo006"),
            *("/register-file", "/uploaded", "/data-notices", "/new-download", "/check-protected"),
        )
    ],
    *_subjects("nickname", "ea04", "EA04", "jo001", "jo"),
    *_subjects("name", "haisslab__ea04", "HAISSLAB__EA04", "ea04"),
    *_subjects("responsible_user", "jose", "JOSE", "nobody", "jose,ana"),
    *_subjects("lab", "haisslab", "Haisslab", "nolab"),
    *_subjects("project", "WaitTask", "waittask", "Wait"),
    *_subjects("projects", "WaitTask", _NOBODY),
    *_subjects("alive", "True", "False", "true", "1", "x"),
    *_subjects("stock", "True", "False"),
    *_subjects("water_restricted", "True", "False", "true", "1"),
    *_subjects("id", _ID, "abc"),
    *_subjects("sex", "M", "X"),
    *_subjects("birth_date", "2023-09-12", "garbage"),
    *_subjects("to_be_culled", "true", "True", "1"),
    *_subjects("species", "Mus musculus"),
    *_subjects("line", "none"),
    *_subjects("strain", "C57BL/6J"),
    *_subjects("implant_weight", "3", "x"),
    *_subjects("nonsense", "1"),
    *_subjects("json", "1"),
    *_subjects("limit", "2", "0", "5000", "-1", "x"),
    *_subjects("offset", "3", "100"),
    *_subjects(
        "django",
        "nickname__startswith,jo",
        "~nickname__startswith,jo",
        f"pk,{_ID}",
        f"pk__in,['{_ID}']",
        "name,haisslab__ea04",
        "nickname,jo001,lab__name,cortexlab",
        "nickname,jo001,nickname,jo002",
        "nickname",
        "death_date__isnull,False",
        "responsible_user__username__in,['jose','ana']",
        "birth_date__lt,2024-01-01",
    ),
    *_sessions("subject", "ea04", "EA04", "ea04,jo006", "~ea04", "ea04,~ea04", "haisslab__ea04", "nobody", ",", _ID),
    *_sessions("nickname", "ea04"),
    *_sessions("users", "jose", "ana", "jose,ana", "~jose", "JOSE", "jose,"),
    *_sessions("lab", "haisslab", "HAISSLAB", "hai"),
    *_sessions("location", "rig_1", "rig", "none"),
    *_sessions("task_protocol", "wait", "WAIT", "none"),
    *_sessions("project", "brain", "Wait"),
    *_sessions("projects", "brain", "brain,Wait"),
    *_sessions("procedures", "behavior", "Behavior,training", "behavior,water"),
    *_sessions("exclude_procedures", "behavior", "water,headplate"),
    *_sessions("number", "1", "1.5", "x", "-1"),
    *_sessions("type", "experiment", "Exp"),
    *_sessions("date_range", "2024-01-01,2024-01-02", "2024-01-01,", "2024-01-01", "garbage", "2024-01-02,2024-01-01"),
    *_sessions("qc", "PASS", "pass", "PASS,FAIL", "~PASS", "50", "nope", " pass ", ","),
    *_sessions("name", "ea04/2024-01-01/001", "ea04"),
    *_sessions("narrative", "ran well", "ran"),
    *_sessions("n_trials", "361", "x"),
    *_sessions("performance_gte", "70", "x"),
    *_sessions("performance_lte", "70"),
    *_sessions("dataset_types", "trials.table"),
    *_sessions("datasets", "x"),
    *_sessions("dataset_qc_lte", "10"),
    *_sessions("object", "trials", "trials,wheel", "none"),
    *_sessions("attribute", "table"),
    *_sessions("histology", "True", "False", "x"),
    *_sessions("tag", "x"),
    *_sessions("atlas_id", "950", "x"),
    *_sessions("data_repository", "labshare", "x"),
    *_sessions("default_data_repository", "labshare", "x"),
    *_sessions("start_time", "2024-01-01T10:00:00", "2024-01-01T09:00:00Z", "x"),
    *_sessions("parent_session", "x"),
    *_sessions("nonsense", "1"),
    *_sessions("limit", "0", "2", "5000"),
    *_sessions(
        "extended_qc",
        "pass,true",
        "pass,false",
        "pass,True",
        "noise_uV__lt,5",
        "pass,false;noise_uV__lt,5",
        "pass,False,noise_uV__lt,5",
        "pass__not,true",
        "pass",
        "",
        "pass,",
        "a-b,1",
        "pass__isnull,true",
        "pass__isnull,True",
        "noise_uV__gte,3.14",
        "pass,true;",
    ),
    *_sessions("json", "rig,rig_1", 'rig,"rig_1"', "rig__not,rig_1", "rig-x,1", "whisker_stims__isnull,false", "rig"),
    *_sessions(
        "django",
        "extended_qc__pass,True",
        "extended_qc__pass,False,extended_qc__noise_uV__lt,5",
        "~extended_qc__pass,True",
        "start_time__date__gte,2024-01-02",
        "start_time__gte,2024-01-02T10:00:00",
        "users__username,jose",
        "subject__lab__name,haisslab",
        "subject__name,haisslab__ea04",
        "number__in,[1,2]",
        "narrative__icontains,ran",
    ),
    *_each("nickname", "jo006", "JO006", "jo006,ea04", "champalimaud__jo006"),
    *_each("subject", _ID, "haisslab__ea04", "ea04", _NOBODY),
    *_each("lab", "haisslab"),
    *_each("users", "jose"),
    *_each("user", "jose"),
    *_each("date_range", "2024-01-01,2024-01-02"),
    *_each("location", "rig_1"),
    *_each("date_time", "2024-01-01T09:00:00", "x"),
    *_each("django", "subject__name,haisslab__ea04", "date_time__date__gte,2026-01-01", "subject__nickname,jo006"),
    ("/weighings", {"weight": "24.1"}),
    ("/weighings", {"weight": "x"}),
    ("/water-administrations", {"water_type": "Water"}),
    ("/water-administrations", {"adlib": "true"}),
    ("/water-restriction", {"subject": "JO006"}),
    ("/water-restriction", {"subject": "champalimaud__jo006"}),
    ("/water-restriction", {"lab": "haisslab"}),
    ("/water-restriction", {"location": "rig_1"}),
    ("/water-restriction", {"nickname": "jo006"}),
    ("/water-restricted-subjects", {"lab": "haisslab"}),
    ("/users", {"django": "username,jose"}),
    ("/users", {"username": "jose"}),
    ("/labs", {"name": "haisslab"}),
    ("/datasets", {"subject": "jo007"}),
    ("/datasets", {"lab": "champalimaud"}),
    ("/datasets", {"date": "2026-10-28"}),
    ("/datasets", {"experiment_number": "1"}),
]


class Write(NamedTuple):
    """A request that changes what a server has; ``{name}`` and the like are filled in."""

    method: str
    path: str
    body: Any = None


def _session(**body: Any) -> Write:
    return Write("POST", "/sessions", {"subject": "{nickname}", **body})


def _weighing(**body: Any) -> Write:
    return Write("POST", "/weighings", {"subject": "{name}", "weight": 20.0, **body})


def _water(**body: Any) -> Write:
    return Write("POST", "/water-administrations", {"subject": "{name}", "water_administered": 0.5, **body})


def _dataset(**body: Any) -> Write:
    return Write("POST", "/datasets", {"dataset_type": "trials.table", "data_format": ".pqt", **body})


_DAY: Final = "2026-06-10"
#: Each on a new subject ``{nickname}`` of haisslab, one write after the other; ``{last}`` is what the last POST made.
WRITES: Final[dict[str, list[Write]]] = {
    "weighing": [
        _weighing(date_time=f"{_DAY}T09:00:00"),
        _weighing(date_time=f"{_DAY}T09:00:00-05:00"),
        _weighing(date_time="2026-03-29T02:30:00"),
        _weighing(date_time="garbage"),
        _weighing(weight=-3, date_time=f"{_DAY}T09:00:00"),
        _weighing(weight="x", date_time=f"{_DAY}T09:00:00"),
        _weighing(subject="{nickname}"),
        _weighing(subject="{id}"),
        _weighing(subject="ghost"),
        _weighing(user="nobody"),
        _weighing(user="ana", date_time=f"{_DAY}T10:00:00"),
        Write("POST", "/weighings", {}),
        Write("GET", "/subjects/{name}"),
    ],
    "weighing-patched": [
        _weighing(date_time=f"{_DAY}T09:00:00"),
        Write("PATCH", "{last}", {"weight": 21}),
        Write("DELETE", "{last}"),
        Write("GET", "{last}"),
    ],
    "weighing-without-time": [_weighing(date_time=None), Write("GET", "/subjects/{name}"), Write("GET", "/subjects")],
    "water": [
        _water(date_time=f"{_DAY}T09:00:00", water_type="Water"),
        Write("PATCH", "{last}", {"water_administered": 0.9}),
        _water(date_time=f"{_DAY}T09:00:00+09:00"),
        _water(date_time=f"{_DAY}T09:00:00", adlib=True, water_administered=None),
        _water(water_type="Lemonade"),
        _water(water_administered=-1),
        _water(subject="{nickname}"),
        _water(session=_NOBODY),
        _water(session="x"),
        Write("GET", "/subjects/{name}"),
    ],
    "session": [
        _session(start_time=f"{_DAY}T10:00:00", number=1, json={"a": 1}, narrative="ran well", users=["jose"]),
        Write("GET", "{last}"),
        _session(start_time=f"{_DAY}T12:00:00", number=1),
        _session(start_time=f"{_DAY}T12:00:00"),
        Write("PATCH", "{last}", {"number": 1}),
        Write("PATCH", "{last}", {"number": 5}),
        Write("PATCH", "{last}", {"qc": 10}),
        Write("PATCH", "{last}", {"qc": "10"}),
        Write("PATCH", "{last}", {"qc": "PASS"}),
        Write("PATCH", "{last}", {"qc": 11}),
        Write("PATCH", "{last}", {"json": {"b": 2}}),
        Write("PATCH", "{last}", {"json": "text"}),
        Write("PATCH", "{last}", {"json": [1, 2]}),
        Write("PATCH", "{last}", {"json": None}),
        Write("PATCH", "{last}", {"extended_qc": "text"}),
        Write("PATCH", "{last}", {"start_time": None}),
        Write("PATCH", "{last}", {"users": []}),
        Write("PATCH", "{last}", {"users": ["ana", "jose"]}),
        Write("PATCH", "{last}", {"projects": ["WaitTask"], "procedures": ["Behavior training/tasks"]}),
        Write("PATCH", "{last}", {"lab": "cortexlab", "location": "rig_1"}),
        Write("PATCH", "{last}", {"subject": "ea40"}),
        Write("GET", "/sessions/{nickname}/2026-06-10/005"),
        Write("PATCH", "/sessions/{nickname}/2026-06-10/005", {"narrative": "by its name"}),
        Write("DELETE", "{last}"),
        Write("GET", "{last}"),
    ],
    "session-refused": [
        Write("POST", "/sessions", {}),
        _session(subject="{name}"),
        _session(subject="{NICKNAME}"),
        _session(subject="jo001"),
        _session(start_time=None),
        _session(start_time="garbage"),
        _session(number="x"),
        _session(number=1.5),
        _session(json="text"),
        _session(qc="PASS"),
        _session(projects=["nope"]),
        _session(users=["nobody"]),
        _session(location="nowhere"),
        _session(lab="nolab"),
        _session(procedures=["none"]),
    ],
    "session-at-night": [
        _session(start_time=f"{_DAY}T00:30:00", number=1),
        Write("PATCH", "{last}", {"narrative": "remade"}),
        _session(start_time="2026-06-09T10:00:00", number=1),
        _session(start_time="2026-06-09T10:00:00"),
        Write("PATCH", "{last}", {"start_time": f"{_DAY}T01:00:00"}),
        Write("GET", "/sessions?date_range=2026-06-10,2026-06-10&subject={nickname}"),
    ],
    "whiskers": [
        _session(start_time=f"{_DAY}T10:00:00", narrative="- C2: right\n- b1 (left)"),
        _session(start_time=f"{_DAY}T11:00:00", narrative="-C2: RIGHT", json={"a": 1}),
        _session(
            start_time=f"{_DAY}T12:00:00", narrative="- C2: right", json={"whisker_stims": {"Stimulus right": {}}}
        ),
        _session(start_time=f"{_DAY}T13:00:00", narrative="- C2: right", json={"whisker_stims": {"n": 1}}),
        _session(start_time=f"{_DAY}T14:00:00", narrative="turned right"),
        Write("PATCH", "{last}", {"narrative": "- d3 - left"}),
        _session(start_time=f"{_DAY}T15:00:00", narrative="- C2: right", json=[1]),
        _session(start_time=f"{_DAY}T16:00:00", narrative="- C2: right", json={"whisker_stims": 3}),
    ],
    "session-with-water": [
        _session(start_time=f"{_DAY}T10:00:00"),
        _water(date_time=f"{_DAY}T10:30:00", session="{last_id}"),
        Write("GET", "/sessions/{nickname}/2026-06-10/001"),
    ],
    "datasets": [
        _session(start_time=f"{_DAY}T10:00:00", number=1),
        _dataset(session="{nickname}/2026-06-10/001"),
        Write("PATCH", "/subjects/{name}", {"projects": ["WaitTask"]}),
        _session(start_time=f"{_DAY}T12:00:00", number=2),
        _dataset(session="{nickname}/2026-06-10/002"),
        Write("GET", "{last}"),
        Write("PATCH", "{last}", {"file_size": 3, "name": "x"}),
        Write("PATCH", "{last}", {"dataset_type": "unknown"}),
        _dataset(date=_DAY, number=2, subject="{nickname}"),
        _dataset(date=_DAY, number=3, subject="{nickname}"),
        _dataset(date="2026-06-11", number=2, subject="{nickname}"),
        _dataset(date="garbage", number=2, subject="{nickname}"),
        _dataset(date=_DAY, number="x", subject="{nickname}"),
        _dataset(date=_DAY, number=2, subject="{name}"),
        _dataset(date=_DAY, number=2, subject="jo001"),
        _dataset(date=_DAY, subject="{nickname}"),
        _dataset(),
        _dataset(session="nope"),
        _dataset(session_pk=_NOBODY),
        _dataset(session="{nickname}/2026-06-10/002", data_format="unknown"),
        _dataset(session="{nickname}/2026-06-10/002", dataset_type="nope"),
        Write("POST", "/datasets", {"session": "{nickname}/2026-06-10/002"}),
        Write("DELETE", "{last}"),
    ],
    "subject": [
        Write("PATCH", "/subjects/{name}", {"description": "changed", "sex": "F"}),
        Write("PATCH", "/subjects/{name}", {"sex": "X"}),
        Write("PATCH", "/subjects/{name}", {"json": {"a": 1}}),
        Write("PATCH", "/subjects/{name}", {"projects": ["WaitTask"]}),
        Write("PATCH", "/subjects/{name}", {"projects": ["none"]}),
        Write("PATCH", "/subjects/{name}", {"responsible_user": "nobody"}),
        Write("PATCH", "/subjects/{name}", {"lab": None}),
        Write("PATCH", "/subjects/{name}", {"species": "Laboratory mouse"}),
        Write("PATCH", "/subjects/{name}", {"birth_date": "garbage"}),
        Write("PATCH", "/subjects/{name}", {"nickname": "a b"}),
        Write("PATCH", "/subjects/{name}", {"death_date": "2026-06-01"}),
        Write("GET", "/subjects?alive=False&nickname={nickname}"),
        _weighing(date_time=f"{_DAY}T09:00:00"),
        _water(date_time=f"{_DAY}T09:00:00"),
        Write("POST", "/subjects", {"nickname": "{nickname}", "lab": "haisslab"}),
        Write("POST", "/subjects", {"nickname": "{nickname}", "lab": "champalimaud"}),
        Write("POST", "/subjects", {"nickname": "{nickname}"}),
        Write("POST", "/subjects", {"lab": "haisslab"}),
        Write("DELETE", "/subjects/haisslab__-"),
        Write("POST", "/subjects", {"nickname": "{nickname}_x", "lab": "nolab"}),
        Write("PUT", "/subjects/{name}", {"nickname": "{nickname}"}),
    ],
    "subject-dead-at-once": [
        Write("POST", "/subjects", {"nickname": "{nickname}_dead", "lab": "haisslab", "death_date": "2026-06-01"}),
        Write("GET", "/subjects/{name}_dead"),
        Write("DELETE", "/subjects/{name}_dead"),
    ],
    "subject-renamed": [
        Write("PATCH", "/subjects/{name}", {"nickname": "{nickname}_new"}),
        Write("GET", "/subjects/{name}"),
        Write("GET", "/subjects/{name}_new"),
        Write("PATCH", "/subjects/{name}_new", {"nickname": "{nickname}"}),
    ],
    "elsewhere": [
        Write("POST", "/users", {"username": "x"}),
        Write("POST", "/locations", {"name": "x"}),
        Write("POST", "/water-restriction", {"subject": "{name}"}),
        Write("DELETE", "/users/jose"),
        Write("POST", "/projects", {"name": "{nickname}_p", "users": ["jose"]}),
        Write("DELETE", "/projects/{nickname}_p"),
        Write("POST", "/projects", {"name": "{nickname}_q"}),
        Write("DELETE", "/projects/{nickname}_q"),
        Write("PATCH", "/labs/haisslab", {"timezone": "Europe/Paris"}),
    ],
}

#: What differs and stays so, and why: a read by its address, a step of the writes by its name and place.
DIFFERENCES: Final[dict[str, str]] = {
    "/": "a header Vary more, at the page of the API that is made for browsers",
    "whiskers 7": "a 500 that repeats a traceback with paths of the server",
}
#: What the schema describes with other fields, and why.
SCHEMA_DIFFERENCES: Final[dict[str, str]] = {
    "Dataset": "the sandbox takes no files with a dataset",
    "PatchedDataset": "the sandbox takes no files with a dataset",
}
