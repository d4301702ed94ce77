"""Both shapes of errors, pages and envelopes."""

import json

from suno_async.testing.gateway.answers import (
    HTML,
    JSON,
    AccountRefusalError,
    MiddlewareRefusalError,
    RefusalError,
    invalid_url,
    models,
    moved,
    page,
    server_error,
    success,
    told,
)
from suno_async.testing.gateway.eras import ERAS


def test_a_handler_refuses_with_code_message_and_null():
    """A refusal of a handler is {"code", "message", "data": null} and no request id."""
    answer = RefusalError(400, "invalid_request", "prompt_empty").answer(ERAS["2026"], "id")
    assert (answer.status, answer.content_type) == (400, JSON)
    assert json.loads(answer.body) == {"code": "invalid_request", "message": "prompt_empty", "data": None}


def test_the_middleware_refuses_with_an_error_object_and_the_request_id():
    """A refusal of the middleware is {"error": ...}; 2026 puts a code into it, 2025 does not."""
    refusal = MiddlewareRefusalError(401, "", "no")
    new, old = (json.loads(refusal.answer(ERAS[era], "id").body)["error"] for era in ("2026", "2025"))
    assert new == {"code": "", "message": "no (request id: id)", "type": "new_api_error"}
    assert old == {"message": "no (request id: id)", "type": "new_api_error"}


def test_the_account_refuses_with_a_message_only():
    """What is asked about the account is refused with {"message", "success": false}, with 200 too."""
    answer = AccountRefusalError(200, "no").answer(ERAS["2025"], "id")
    assert (answer.status, answer.content_type, answer.body) == (200, JSON, b'{"message":"no","success":false}')


def test_what_the_account_tells_is_data_message_and_success():
    """The names stand in the order in which Go writes a map."""
    answer = told([1], {"X": "y"})
    assert (answer.body, answer.headers) == (b'{"data":[1],"message":"","success":true}', {"X": "y"})


def test_a_moved_path_is_named_twice():
    """301 with the place as a header and as a link."""
    answer = moved("/x/")
    assert (answer.status, answer.content_type, answer.headers) == (301, HTML, {"Location": "/x/"})
    assert answer.body == b'<a href="/x/">Moved Permanently</a>.\n\n'


def test_success_wraps_ready_json():
    """The envelope of success is code, message and the data as given."""
    assert json.loads(success(b"[1]").body) == {"code": "success", "message": "", "data": [1]}


def test_unknown_paths_are_a_page_or_json():
    """The page is 200 HTML; under /v1 the answer is 404 JSON that names the path."""
    assert (page().status, page().content_type) == (200, HTML)
    assert "(GET /v1/x)" in json.loads(invalid_url("GET", "/v1/x").body)["error"]["message"]


def test_models_of_both_eras_name_the_models():
    """Both list ids under data; only 2026 calls the whole a list."""
    new, old = (json.loads(models(["suno_music"], ERAS[era]).body) for era in ("2026", "2025"))
    assert new["data"][0]["id"] == old["data"][0]["id"] == "suno_music"
    assert (new["object"], "object" in old) == ("list", False)


def test_proxies_answer_html():
    """An error of a proxy is HTML that says the status."""
    answer = server_error(502, "Bad Gateway")
    assert (answer.status, answer.content_type) == (502, "text/html")
    assert b"502 Bad Gateway" in answer.body
