"""What is asked: each list by each of its filters, with values of the lab and with others; each row's own page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tests.contract.differential.asking import OF_NOW, Step, get

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.contract.alyx_under_test import AlyxUnderTest

LISTS: Final = (
    "/dataset-types",
    "/datasets",
    "/labs",
    "/locations",
    "/procedures",
    "/projects",
    "/sessions",
    "/subjects",
    "/users",
    "/water-administrations",
    "/water-restricted-subjects",
    "/water-restriction",
    "/water-type",
    "/weighings",
)
#: By which of its keys a row has a page of its own.
_DETAILS: Final = {
    "/dataset-types": "name",
    "/datasets": "url",
    "/labs": "name",
    "/locations": "name",
    "/projects": "name",
    "/sessions": "id",
    "/subjects": "nickname",
    "/users": "username",
    "/water-administrations": "url",
    "/water-type": "name",
    "/weighings": "url",
}
_NOBODY: Final = "00000000-0000-0000-0000-000000000000"
_ALWAYS: Final = ("nonsense", "1", "True")
_VALUES_EACH: Final = 2
#: Values that are not found in a row under the name of their filter.
_MORE: Final[dict[str, tuple[Any, ...]]] = {
    "alive": ("False", "no"),
    "allowed_users": (),
    "atlas_acronym": ("VISp",),
    "dataset_qc_lte": ("PASS", "FAIL", "fail", "40"),
    "dataset_types": ("trials.table", "trials.table,unknown", "unknown"),
    "datasets": ("_ibl_trials.table.pqt", "_ibl_trials.table.pqt,x.npy"),
    "date_range": ("2024-01-01,2024-01-02", "2024-01-02,2024-01-01", "2024-01-01,", "2024-01-01,2024-01-31,x"),
    "exists": ("False",),
    "extended_qc": (
        "pass,True",
        "pass,False,noise_uV__lt,15",
        "noise_uV__gte,3.14",
        "pass;True",
        "nope,1",
        "nope,None",
    ),
    "data_format": (_NOBODY,),
    "histology": ("False",),
    "json": (
        "rig,rig_1",
        "rig__icontains,RIG",
        "reward_uL__gte,2",
        "implant__side,left",
        "rig;rig_1",
        "rig,rig_1,nope,1",
    ),
    "lab": ("haisslab", "HAISSLAB", "champalimaud"),
    "location": ("rig", "RIG_1"),
    "nickname": ("ea04", "EA04", "jo001"),
    "number": ("2", "1.0", "-1"),
    "performance_gte": ("70", "75.5", "0"),
    "performance_lte": ("70", "75.5", "100"),
    "procedures": ("behavior", "Behavior training/tasks"),
    "probe_insertion": (_NOBODY,),
    "project": ("WaitTask", "wait", "brainwide"),
    "projects": ("WaitTask", "wait", "brainwide"),
    "protected": ("False",),
    "public": ("False",),
    "qc": ("PASS", "pass", "CRITICAL", "10", "not_set"),
    "responsible_user": ("jose", "ana", "Jose"),
    "start_time": ("2024-01-01T10:00:00", "2024-01-01 10:00:00"),
    "stock": ("False",),
    "subject": ("ea04", "EA04", "jo001", "ea04,jo006"),
    "tags": (_NOBODY,),
    "task_protocol": ("wait", "WAIT_TASK_V0", "%"),
    "users": ("jose", "jose,ana", "ana,jose", "JOSE"),
    "water_restricted": ("False",),
}
#: Lookups of `django=`, by list.
_DJANGO: Final[dict[str, tuple[str, ...]]] = {
    "/datasets": (
        "session__subject__nickname,ea04",
        "collection__icontains,alf",
        "file_size__gt,100",
        "name__startswith,_ibl",
    ),
    "/labs": ("name__icontains,lab", "timezone,Europe/Paris"),
    "/sessions": (
        "subject__nickname,ea04",
        "~subject__nickname,ea04",
        "subject__nickname__in,['ea04','jo006']",
        "subject__responsible_user__username,jose,number,1",
        "narrative__icontains,LICKS",
        "narrative,",
        "start_time__date,2024-01-01",
        "start_time__date__gte,2024-01-02",
        "start_time__year,2024",
        "start_time__hour__lt,11",
        "start_time__lt,2024-01-01T11:00:00",
        "start_time__gte,2024-01-01T10:00:00+01:00",
        "end_time__isnull,True",
        "n_trials__gte,400",
        "n_trials__isnull,True",
        "n_trials,None",
        "number__in,[1,2]",
        "number__in,(1,2)",
        "number__in,1",
        "projects__name,WaitTask",
        "~projects__name,WaitTask",
        "projects__isnull,True",
        "users__username__in,['jose','ana']",
        "location__name,rig_1",
        "qc__gte,30",
        "qc,PASS",
        "task_protocol__regex,_v[01]$",
        "wateradmin_session_related__isnull,False",
        "data_dataset_session_related__name__icontains,trials",
        "json__isnull,True",
        "json__rig,rig_1",
        "json__has_key,rig",
        "json__contains,rig_1",
        "json__contains,['rig_1']",
        "json__rig__contains,rig_1",
        "json__whisker_stims__Stimulus right__1__amp,0.5",
        "auto_datetime__gte,2024-01-01T00:00:00+00:00",
        "extended_qc__pass,True",
        "extended_qc__noise_uV__range,[3,4]",
        "pk,nonsense",
        "pk__in,[]",
        "number",
        "number,1,number,2",
        "nope,1",
        "number__nope,1",
        "number,x",
        "start_time__gte,garbage",
        "number__in,[1",
        "",
    ),
    "/subjects": (
        "nickname__in,['ea04','jo001']",
        "nickname__icontains,JO0",
        "nickname,001",
        "birth_date__lt,2024-01-01",
        "birth_date__isnull,True",
        "death_date__isnull,False",
        "lab__name,haisslab,sex,M",
        "projects__name,brainwide",
        "genotype__nickname,Ai32",
        "zygosity__zygosity,1",
        "json__implant__side,left",
        "json__implant__depth_um__gt,1000",
        "responsible_user__username,jose,death_date,None",
        "actions_sessions__number,2",
        "weighings__weight__lt,20",
        "line__nickname,Drd1-Ai32",
        "strain__name__icontains,bl/6",
        "to_be_culled,True",
        "cage__isnull,True",
        "nickname__nope,1",
    ),
    "/users": ("username__startswith,j", "allowed_users__username,jose", "is_stock_manager,True", "email,"),
    "/water-administrations": (
        "subject__nickname,jo006",
        "subject__responsible_user__username,jose",
        "water_administered__gt,1",
        "session__isnull,False",
        "water_type__name,Water",
        "date_time__gte,2025-01-01",
        "adlib,True",
    ),
    "/water-restriction": ("subject__nickname,jo006", "end_time__isnull,True", "reference_weight__gte,25"),
    "/weighings": (
        "subject__nickname,ea04",
        "subject__responsible_user__username,jose,date_time__gte,2025-01-01T00:00:00",
        "weight__lt,20",
        "weight,24.1",
        "user__username,jose",
        "date_time__date,2024-01-01",
    ),
}
_PAGES: Final = (
    {"limit": 3},
    {"limit": 3, "offset": 2},
    {"limit": 0},
    {"limit": -1},
    {"limit": "x"},
    {"limit": 5000},
    {"limit": 5, "offset": 1000},
    {"offset": -1},
    {"limit": 2, "ordering": "number"},
    {"nonsense": 1},
)
_DAYS: Final = (
    {},
    {"start_date": "2024-01-01", "end_date": "2024-01-03"},
    {"start_date": "2026-01-01", "end_date": "2025-12-31"},
    {"end_date": "2024-01-02"},
    {"start_date": "garbage"},
)


def filters_of(server: AlyxUnderTest, path: str) -> list[str]:
    """Return the filters of a list that a server names in its description."""
    described = server.session.get(f"{server.url}/api/schema", params={"format": "json"}, timeout=60).json()
    named = described["paths"][path]["get"].get("parameters", [])
    return [one["name"] for one in named if one["in"] == "query" and one["name"] not in {"limit", "offset"}]


def about(path: str, filters: list[str], rows: list[dict[str, Any]]) -> Iterator[Step]:
    """Ask about a list: pages, filters, and the detail of each row."""
    yield get(path)
    if path in {"/sessions", "/subjects", "/users"}:
        for page in _PAGES:
            yield get(path, **page)
    for name in sorted({*filters, "nonsense"} - {"django"}):
        found = dict.fromkeys(
            str(row[name]).rpartition("/")[2] for row in rows if isinstance(row.get(name), str | int | float)
        )
        found = {} if name in OF_NOW else found
        for value in dict.fromkeys([*list(found)[:_VALUES_EACH], *map(str, _MORE.get(name, ())), *_ALWAYS]):
            yield get(path, **{name: value})
    for lookup in _DJANGO.get(path, ()) if "django" in filters else ():
        yield get(path, django=lookup)
    key = _DETAILS.get(path)
    for row in rows if key else ():
        yield get(f"{path}/{str(row[key]).rpartition('/')[2] if key == 'url' else row[key]}")
    if key:
        yield get(f"{path}/nonsense")
        yield get(f"{path}/{_NOBODY}")
    if path == "/subjects":
        for nickname in dict.fromkeys(row["nickname"] for row in rows):
            for days in _DAYS:
                yield get(f"/water-requirement/{nickname}", **days)
