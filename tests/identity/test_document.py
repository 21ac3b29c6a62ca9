"""What the OpenAPI document says of how one shows who one is."""

from __future__ import annotations

from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from core.auth import cookies
from tests.identity.world import World


@pytest.fixture
def told(world: World) -> dict[str, Any]:
    document: dict[str, Any] = world.app.test_client().get("/openapi.json").get_json()
    return document


def test_the_schemes_are_those_in_use(told: dict[str, Any]) -> None:
    assert [str(error) for error in OpenAPIV31SpecValidator(told).iter_errors()] == []
    schemes = told["components"]["securitySchemes"]
    assert set(schemes) == {"bearer", "cookie", "refreshCookie", "csrf"}
    assert schemes["cookie"] == {"type": "apiKey", "in": "cookie", "name": cookies.ACCESS}
    assert schemes["csrf"] == {"type": "apiKey", "in": "header", "name": "X-CSRF-Token"}


def test_each_operation_says_what_it_needs(told: dict[str, Any]) -> None:
    operations = {
        (method, path): operation
        for path, there in told["paths"].items()
        for method, operation in there.items()
        if method != "parameters"
    }
    for (method, path), operation in operations.items():
        if "x-permission" in operation:
            cookie = {"cookie": []} if method == "get" else {"cookie": [], "csrf": []}
            assert operation["security"] == [{"bearer": []}, cookie], path
        elif path != "/api/v1/auth/refresh":
            assert operation["security"] == [], path
    refresh = operations["post", "/api/v1/auth/refresh"]
    assert refresh["security"] == [{}, {"refreshCookie": [], "csrf": []}]
