"""The errors a caller may see; ``core.web`` renders them as RFC 9457 problems."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

FieldErrors = Mapping[str, Sequence[str]]


class Problem(Exception):
    """Refuse a request: ``status`` goes on the wire, ``code`` is what a program compares.

    Raising one rolls the request's transaction back. ``errors`` maps a field's path as the caller
    wrote it (``salary.min``) to sentences about it.
    """

    status = 400
    code = "bad_request"

    def __init__(
        self,
        detail: str | None = None,
        *,
        status: int | None = None,
        code: str | None = None,
        title: str | None = None,
        errors: FieldErrors | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail or code or self.code)
        self.detail = detail
        self.status = status or self.status
        self.code = code or self.code
        self.title = title
        self.errors = errors
        self.headers = dict(headers or {})


class Unauthorized(Problem):
    """401: nobody has been recognised, or the credential no longer holds."""

    status, code = 401, "unauthorized"


class Forbidden(Problem):
    """403: recognised, and not allowed."""

    status, code = 403, "forbidden"


class NotFound(Problem):
    """404: not there, or another organisation's; the two are told alike."""

    status, code = 404, "not_found"


class Conflict(Problem):
    """409: true in itself, but not beside what is already stored."""

    status, code = 409, "conflict"


class Invalid(Problem):
    """422: understood, and wrong; ``errors`` names the fields."""

    status, code = 422, "invalid"


class Unavailable(Problem):
    """503: something we depend on is away; carries ``Retry-After``."""

    status, code = 503, "unavailable"

    def __init__(self, detail: str | None = None, *, retry_after: int = 2, code: str | None = None) -> None:
        super().__init__(detail, code=code, headers={"Retry-After": str(retry_after)})
