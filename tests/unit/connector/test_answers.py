"""What an answer means: statuses and bodies as Alyx, proxies and portals send them."""

from __future__ import annotations

import json

import pytest
from requests.structures import CaseInsensitiveDict

from alyx_connector import errors
from alyx_connector.http.answers import Question, is_alyx, read_answer
from alyx_connector.http.transport import Reply

TOKEN = "0123456789abcdef0123456789abcdef01234567"
PORTAL = "<html><head><title>Log in to &amp; the network</title></head><body>…</body></html>"


def reply(status, body, content_type="application/json", **headers):
    content = body.encode() if isinstance(body, str) else body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    if content_type:
        named["Content-Type"] = content_type
    return Reply(status, CaseInsensitiveDict(named), content)


def read(answer, method="GET", endpoint="subjects", login=False, secrets=(TOKEN,)):
    return read_answer(answer, Question("https://lab.org", method, endpoint, "https://lab.org/x", login, secrets))


def raised(answer, **known):
    with pytest.raises(errors.AlyxError) as caught:
        read(answer, **known)
    assert "https://lab.org" in str(caught.value)
    assert str(caught.value).endswith((".", "!", "?", "…"))
    return caught.value


@pytest.mark.parametrize("value", [{"a": 1}, [], 0, None, False])
def test_json_is_returned(value):
    assert read(reply(200, value)) == value
    assert read(reply(201, value, "application/json; charset=utf-8"), method="POST") == value


@pytest.mark.parametrize("half", [b"\\ud800", b"\\uDC00", b"\xed\xa0\x80"])
def test_half_a_letter_is_shown_as_one_that_is_missing(half):
    value = read(reply(200, b'{"%b": ["m\xc3\xbcs \\ud83d\\ude00 %b!"]}' % (half, half)))
    text = json.dumps(value, ensure_ascii=False).encode("utf-8").decode("utf-8")
    assert text.count("\ufffd") >= 2
    assert next(iter(value.values()))[0].startswith("müs 😀 \ufffd")


def test_no_content_is_none():
    assert read(reply(204, b"", "")) is None


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (reply(200, PORTAL, "text/html"), errors.NotAlyxError, "Log in to & the network"),
        (reply(200, PORTAL, "TEXT/HTML; charset=utf-8"), errors.NotAlyxError, "web page"),
        (reply(200, {"a": 1}, "text/plain"), errors.ProtocolError, "text/plain"),
        (reply(200, {"a": 1}, ""), errors.ProtocolError, "no content type"),
        (reply(200, '{"count": 3, "resu'), errors.ProtocolError, "cut off"),
        (reply(200, b"\xff\xfe\x00"), errors.ProtocolError, "not JSON"),
        (reply(200, ""), errors.ProtocolError, "0 bytes"),
        (reply(200, "[" * 100_000), errors.ProtocolError, "not JSON"),
        (reply(304, b"", ""), errors.ProtocolError, "304"),
        (reply(300, b"", ""), errors.ProtocolError, "300"),
        (reply(401, {"detail": "Whatever."}), errors.LoginRequiredError, "token"),
        (reply(403, {"detail": "Invalid token."}), errors.LoginRequiredError, "token"),
        (reply(403, {"detail": "Authentication credentials were not provided."}), errors.LoginRequiredError, "token"),
        (reply(403, {"detail": "User inactive or deleted."}), errors.LoginRequiredError, "token"),
        (
            reply(403, {"detail": "You do not have permission to perform this action."}),
            errors.PermissionDeniedError,
            "perm",
        ),
        (reply(403, {}), errors.PermissionDeniedError, "permit"),
        (reply(403, PORTAL, "text/html"), errors.PermissionDeniedError, "web page"),
        (reply(404, {"detail": "No Subject matches the given query."}), errors.NotFoundError, "No Subject matches"),
        (reply(404, "<h1>Not Found</h1>", "text/html"), errors.NotFoundError, "web page"),
        (reply(405, {"detail": 'Method "POST" not allowed.'}), errors.ResponseError, "not allowed"),
        (reply(409, {"detail": "no"}), errors.ResponseError, "409"),
        (reply(429, {"detail": "throttled"}, Retry_After="56"), errors.RateLimitedError, "56 s"),
        (reply(429, "slow down", "text/plain"), errors.RateLimitedError, "later"),
        (
            reply(500, {"detail": "get() returned more than one Subject"}),
            errors.ServerFaultError,
            "more than one Subject",
        ),
        (reply(502, PORTAL, "text/html"), errors.ServerFaultError, "502"),
        (reply(599, b"", ""), errors.ServerFaultError, "599"),
        (
            reply(400, {"weight": ["Too low.", "Really."], "status_code": 400}),
            errors.InvalidDataError,
            "weight: Too low. Really.",
        ),
        (reply(400, {"detail": "Malformed."}), errors.InvalidDataError, "Malformed."),
        (reply(400, ["Not a list."]), errors.InvalidDataError, "Not a list."),
        (reply(400, {}), errors.InvalidDataError, "does not say why"),
        (reply(400, "<h1>Bad Request (400)</h1>", "text/html"), errors.NotAlyxError, "400"),
    ],
)
def test_each_answer_has_its_error(answer, kind, words):
    error = raised(answer)
    assert type(error) is kind
    assert words in str(error)


def test_a_login_that_the_server_fails_at_has_no_filters_to_check():
    hint = raised(reply(500, {"detail": "no such luck"}), method="POST", endpoint="auth-token", login=True).hint
    assert hint == "Tell whoever runs the server."


@pytest.mark.parametrize(
    ("answer", "endpoint", "hint"),
    [
        (reply(414, "", "text/html"), "sessions", "give fewer"),
        (reply(405, {"detail": "no"}), "sessions", "Ask whoever runs the server"),
        (reply(500, {"detail": "Cannot resolve keyword 'foo'"}), "sessions", "Check the filters, above all django="),
        (reply(500, {"detail": "get() returned more than one"}), "subjects/jo001", "Tell whoever runs the server"),
        (reply(500, "", "text/html"), "sessions", "Tell whoever runs the server"),
        (reply(401, {"detail": "Invalid token."}), "sessions", "Log in with your password."),
    ],
)
def test_what_to_do_where_the_server_fails_or_refuses(answer, endpoint, hint):
    assert hint in raised(answer, endpoint=endpoint).hint


def test_data_of_an_error():
    error = raised(
        reply(400, {"weight": ["Too low."], "users": {"0": ["?"]}, "x": "y", "status_code": 400}), method="POST"
    )
    assert error.fields == {"weight": ["Too low."], "users": ['{"0": ["?"]}'], "x": ["y"]}
    assert (error.status, error.endpoint) == (400, "subjects")
    assert raised(reply(429, {}, Retry_After="56")).retry_after == 56
    assert raised(reply(429, {})).retry_after is None
    assert raised(reply(404, {"detail": "Gone."})).detail == "Gone."


@pytest.mark.parametrize("status", [400, 401, 403])
def test_a_refused_login_is_not_a_lost_token(status):
    body = {"non_field_errors": ["Unable to log in with provided credentials."]}
    assert (
        type(raised(reply(status, body), login=True, method="POST", endpoint="auth-token")) is errors.LoginRejectedError
    )
    assert type(raised(reply(400, PORTAL, "text/html"), login=True, method="POST")) is errors.NotAlyxError


def test_a_write_whose_answer_makes_no_sense_may_have_been_carried_out():
    for answer in (reply(201, '{"id":'), reply(500, {"detail": "x"}), reply(200, PORTAL, "text/html")):
        assert "look on Alyx" in raised(answer, method="POST").hint
        assert "look on Alyx" not in raised(answer).hint


@pytest.mark.parametrize("secret", [TOKEN, 'p"ä& s/1'])
@pytest.mark.parametrize("form", ["{}", "a {} b"])
def test_a_server_that_repeats_a_secret_is_not_quoted(secret, form):
    said = form.format(secret)
    for body in ({"detail": said}, {"weight": [said]}, {said: ["x"]}, {"weight": {"deep": [said]}}, [said]):
        for status in (400, 403, 404, 500):
            error = raised(reply(status, body), secrets=(secret,))
            assert secret not in f"{error} {error.hint} {vars(error)}"
            assert json.dumps(secret)[1:-1] not in f"{error} {vars(error)}"
    assert secret not in str(raised(reply(200, f"<title>{said}</title>", "text/html"), secrets=(secret,)))
    assert secret not in str(raised(reply(200, "x", f"text/{said}"), secrets=(secret,)))


def test_long_and_strange_words_of_a_server_are_tamed():
    error = raised(reply(500, {"detail": "\x1b[31mred\x07\n" + "x" * 5000}))
    assert "\x1b" not in str(error)
    assert "\n" not in str(error)
    assert len(str(error)) < 500


@pytest.mark.parametrize(
    ("answer", "alyx"),
    [
        (reply(405, {"detail": 'Method "GET" not allowed.'}), True),
        (reply(405, PORTAL, "text/html"), False),
        (reply(405, "{"), False),
        (reply(405, []), False),
        (reply(200, {"detail": "x"}), False),
        (reply(404, {"detail": "x"}), False),
    ],
)
def test_an_alyx_is_known_by_its_405(answer, alyx):
    assert is_alyx(answer) is alyx
