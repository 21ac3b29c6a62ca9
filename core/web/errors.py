"""Every refusal and every fault as an RFC 9457 problem, and never a stack trace."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

from flask import Flask, Response
from marshmallow import ValidationError
from redis.exceptions import RedisError
from sqlalchemy import exc
from werkzeug.exceptions import HTTPException

from core import context
from core.errors import Invalid, Problem, Unavailable
from core.log import get_logger

from .json_provider import dump_bytes

log = get_logger(__name__)

MEDIA_TYPE = "application/problem+json"
_CODES = {
    413: "too_large",
    415: "unsupported_media_type",
    422: "invalid",
    429: "rate_limited",
    503: "unavailable",
}
_DETAILS = {
    413: "The body is too large.",
    500: "Something went wrong here. The request id finds it in the log.",
}


def init_app(app: Flask) -> None:
    """Answer whatever a view, a gate or the routing raises."""
    app.register_error_handler(Problem, _problem)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(ValidationError, lambda error: _problem(invalid(error)))
    app.register_error_handler(exc.SQLAlchemyError, _database)
    app.register_error_handler(OverflowError, _database)
    app.register_error_handler(RedisError, _redis)


def invalid(error: ValidationError, *, within: str = "") -> Invalid:
    """What marshmallow found, as a 422 with one entry for each field's dotted path (``*``: the whole)."""
    errors: dict[str, list[str]] = {}
    for path, message in _flat(error.messages, within):
        errors.setdefault(path or "*", []).append(message)
    return Invalid("Some fields are not as they should be.", errors=errors)


def problem_response(problem: Problem) -> Response:
    """The answer that tells of ``problem``."""
    return _respond(
        problem.status, problem.code, problem.title, problem.detail, problem.errors, problem.headers
    )


def _problem(problem: Problem) -> Response:
    return problem_response(problem)


def _flat(messages: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(messages, Mapping):
        for key, inner in messages.items():
            here = path if key == "_schema" else f"{path}.{key}" if path else str(key)
            yield from _flat(inner, here)
    elif isinstance(messages, list | tuple):
        for message in messages:
            yield from _flat(message, path)
    else:
        yield path, str(messages)


def _http(error: HTTPException) -> Any:
    if error.response is not None:
        return error.response
    if error.code is None or error.code < 400:
        return error
    status = HTTPStatus(error.code)
    code = "internal" if status == 500 else _CODES.get(status, status.name.lower())
    headers = {key: value for key, value in error.get_headers() if key.lower() != "content-type"}
    detail = _DETAILS.get(status) or error.description
    return _respond(status, code, None, detail, None, headers)


def _database(error: Exception) -> Response:
    known = _of_database(error)
    if known is None:
        raise error
    return problem_response(known)


def _of_database(error: Exception) -> Problem | None:
    """What the caller may know of a database's complaint; ``None`` where the fault is in our code."""
    if isinstance(error, exc.IntegrityError):
        log.warning("a constraint refused a write", error=str(error.orig))
        return Problem("This conflicts with what is already stored.", status=409, code="conflict")
    if isinstance(error, exc.DataError) or (isinstance(error, OverflowError) and "SQLite" in str(error)):
        return Invalid("A value is outside of what can be stored.")
    if isinstance(error, exc.TimeoutError | exc.InterfaceError) or _is_operational(error):
        sqlite = getattr(getattr(error, "orig", None), "sqlite_errorname", "")
        log.error("the database did not do its part", error=str(getattr(error, "orig", None) or error))
        if sqlite == "SQLITE_FULL":
            return Problem("There is no room left to store this.", status=507, code="storage_full")
        return Unavailable("The database is not available right now.")
    return None


def _is_operational(error: Exception) -> bool:
    """Trouble of the database's, not of the statement: SQLite calls both operational."""
    if isinstance(error, exc.DBAPIError) and error.connection_invalidated:
        return True
    if not isinstance(error, exc.OperationalError):
        return False
    return getattr(error.orig, "sqlite_errorname", None) not in {"SQLITE_ERROR", "SQLITE_MISUSE"}


def _redis(error: RedisError) -> Response:
    log.error("redis did not do its part", error=str(error))
    return problem_response(Unavailable("A service this depends on is not available right now."))


def _respond(
    status: int,
    code: str,
    title: str | None,
    detail: str | None,
    errors: Mapping[str, Any] | None,
    headers: Mapping[str, str],
) -> Response:
    body: dict[str, Any] = {
        "type": f"urn:jobstead:problem:{code}",
        "title": title or HTTPStatus(status).phrase,
        "status": int(status),
        "code": code,
        "requestId": context.request_id(),
    }
    if detail:
        body["detail"] = detail
    if errors:
        body["errors"] = {field: list(messages) for field, messages in errors.items()}
    response = Response(dump_bytes(body), status=int(status), content_type=MEDIA_TYPE)
    response.headers.update(dict(headers))
    return response
