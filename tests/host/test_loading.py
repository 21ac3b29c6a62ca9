"""A sick plugin is kept apart: the server serves, the reason is right, and nothing of it stays."""

from __future__ import annotations

import sys

import pytest

from core.db import metadata
from core.host import RefusedError
from core.host.registry import host
from core.switch import switch
from core.web import Server

from .conftest import SAMPLES, Instance, client

SICK = {
    "broken_access": ("activated", "the route /api/v1/broken-access/open"),
    "broken_circle_one": ("validated", "broken_circle_one → broken_circle_two → broken_circle_one"),
    "broken_circle_two": ("validated", "broken_circle_two → broken_circle_one → broken_circle_two"),
    "broken_config": ("configured", 'unknown key "color"'),
    "broken_exit": ("imported", "called sys.exit(3) (__init__.py:5)"),
    "broken_import": ("imported", "No module named 'nothing_of_that_name' (__init__.py:3)"),
    "broken_manifest": ("validated", "unknown key 'require', did you mean 'requires'?"),
    "broken_mapping": ("mapped", "NobodyIsCalledSo"),
    "broken_migration": ("migrated", "1 migration(s) pending (0001): run jobstead db upgrade"),
    "broken_requirement": ("validated", "requires the plugin nowhere, which is not installed"),
    "broken_url": ("validated", "the url sample-notes belongs to sample"),
}


def plugin_jobs(app: Server) -> set[str]:
    return {name for name in app.extensions["jobstead.engine"].registry.jobs if not name.startswith("core.")}


def test_every_sick_sample_is_in_the_list() -> None:
    assert {folder.name for folder in SAMPLES.glob("broken_*")} == SICK.keys()


def test_sick_plugins_are_named_with_step_and_reason_and_the_healthy_serve(instance: Instance) -> None:
    instance.samples("sample", "sample_colours", *SICK)
    instance.toml = '[plugins.broken_config]\ncolor = "red"\n'
    instance.upgrade()
    app = instance.boot()
    answer = client(app).get("/api/v1/plugins")
    assert answer.status_code == 200
    found = {plugin["id"]: plugin for plugin in answer.json["items"]}
    for name, (step, reason) in SICK.items():
        assert (found[name]["state"], found[name]["step"]) == ("failed", step), found[name]
        assert reason in found[name]["reason"]
    assert [name for name, plugin in found.items() if plugin["state"] == "active"] == [
        "sample",
        "sample_colours",
    ]
    assert client(app).get("/api/v1/sample-notes/colours").json == {
        "greeting": "hello",
        "colours": ["green", "red"],
    }


def test_nothing_of_a_sick_plugin_stays(instance: Instance) -> None:
    instance.samples("sample", *SICK)
    instance.toml = '[plugins.broken_config]\ncolor = "red"\n'
    instance.upgrade()
    app = instance.boot()
    assert not [rule.rule for rule in app.url_map.iter_rules() if "broken" in rule.rule]
    assert client(app).get("/api/v1/broken-access").status_code == 404
    assert not [name for name in app.blueprints if "broken" in name]
    assert not [name for name in metadata.tables if name.startswith("broken_mapping")]
    assert not [name for name in sys.modules if name.startswith("plugins.broken_import")]
    assert plugin_jobs(app) == {"sample.tidy"}
    assert not app.extensions["jobstead.permissions"].of("broken_access")
    with app.app_context():
        assert set(switch().defaults) == {"sample"}
        assert app.extensions["jobstead.hooks"].implemented_by("broken_access") == []


def test_a_second_boot_of_the_same_process_finds_the_same(instance: Instance) -> None:
    instance.samples("sample", "broken_mapping", "broken_import")
    instance.upgrade()
    first, second = instance.boot(), instance.boot()
    states = [{r.name: (r.state, r.step) for r in host(app).records.values()} for app in (first, second)]
    assert states[0] == states[1]
    assert client(second).get("/api/v1/sample-notes/colours").status_code == 200


def test_who_requires_a_sick_plugin_stays_out_too(instance: Instance) -> None:
    instance.write("fundament", init="raise ValueError('no')")
    instance.write("house", 'requires = ["fundament"]')
    instance.write("roof", 'requires = ["house"]')
    records = host(instance.boot()).records
    assert records["fundament"].reason == "ValueError: no (__init__.py:1)"
    assert records["house"].reason == "requires the plugin fundament, which failed at imported"
    assert records["roof"].reason == "requires the plugin house, which failed at validated"


HOOK = "from core.api import *\n"


@pytest.mark.parametrize(
    ("init", "step", "reason"),
    [
        ("@hookimpl\ndef register_gadgets():\n    pass", "registered", "unknown hook 'register_gadgets'"),
        ("@hookimpl\ndef health(nothing):\n    pass", "registered", "nothing"),
        ("@hookimpl\ndef register_jobs(job):\n    1 / 0", "activated", "register_jobs: ZeroDivisionError"),
        ("@hookimpl\ndef register_jobs(job):\n    exit(1)", "activated", "register_jobs: called sys.exit(1)"),
        (
            "@hookimpl\ndef register_events():\n    return [1]",
            "activated",
            "must return a list of Event classes",
        ),
        (
            "@hookimpl\ndef register_events():\n    return [int]",
            "activated",
            "must return a list of Event classes",
        ),
        (
            "@hookimpl\ndef register_blueprints():\n    return 7",
            "activated",
            "must return a list of Blueprints",
        ),
        (
            "@hookimpl\ndef register_jobs(job):\n    job('a', print)\n    job('a', print)",
            "activated",
            "two jobs",
        ),
        (
            "@hookimpl\ndef register_schedules(schedule):\n    schedule('a', job='x.y', cron='* * * * *')",
            "activated",
            "no job x.y",
        ),
        ("ConfigSchema = 3", "configured", "ConfigSchema must be a marshmallow Schema class"),
    ],
)
def test_what_a_hook_may_do_wrong(instance: Instance, init: str, step: str, reason: str) -> None:
    instance.samples("sample")
    instance.upgrade()
    instance.write("sick", init=HOOK + init)
    app = instance.boot()
    record = host(app).records["sick"]
    assert (record.state, record.step) == ("failed", step)
    assert reason in (record.reason or "")
    assert plugin_jobs(app) == {"sample.tidy"}
    assert host(app).records["sample"].state == "active"


ROUTE = """
from core.api import Blueprint, hookimpl, public, require
blp = Blueprint({name!r}, url_prefix={prefix!r})

@blp.get({rule!r})
{mark}
def view():
    return {{}}

@hookimpl
def register_blueprints():
    return [blp]
"""


@pytest.mark.parametrize(
    ("route", "reason"),
    [
        ({"prefix": "/elsewhere"}, "lies outside its urls (sick-things)"),
        ({"prefix": "/hooks/inbound/elsewhere"}, "lies outside its urls (sick-things)"),
        ({"name": "sample"}, "the blueprint name sample is taken"),
        ({"mark": '@require("sick.thing.read")'}, "requires sick.thing.read, which nobody declares"),
        ({"rule": "/<nonsense:id>"}, "nonsense"),
    ],
)
def test_what_a_route_may_do_wrong(instance: Instance, route: dict[str, str], reason: str) -> None:
    instance.samples("sample")
    instance.upgrade()
    fine = {"name": "sick", "prefix": "/sick-things", "rule": "", "mark": "@public"}
    instance.write("sick", 'urls = ["sick-things"]', init=ROUTE.format(**fine | route))
    app = instance.boot()
    assert reason in (host(app).records["sick"].reason or "")
    assert client(app).get("/api/v1/sick-things").status_code == 404
    assert client(app).get("/api/v1/sample-notes/colours").status_code == 200


LATE = """
@blp.record_once
def _(state):
    if state.app.name == "jobstead":
        raise RuntimeError("late")
"""


def test_a_fault_after_routes_were_taken_on_takes_them_back(instance: Instance) -> None:
    init = ROUTE.format(name="late", prefix="/late", rule="", mark="@public") + LATE
    instance.write("late", 'urls = ["late"]', init=init)
    app = instance.boot()
    assert host(app).records["late"].reason == "RuntimeError: late (__init__.py:17)"
    assert "late" not in app.blueprints
    assert client(app).get("/api/v1/late").status_code == 404
    assert client(app).get("/api/v1/plugins").status_code == 200


def test_core_segments_belong_to_core(instance: Instance) -> None:
    instance.write("greedy", 'urls = ["plugins"]')
    assert host(instance.boot()).records["greedy"].reason == "the url plugins belongs to core"


@pytest.mark.parametrize(
    ("first", "second", "reason"),
    [
        ("plugins/extras", "plugins/*/extras", None),
        ("plugins/extras", "plugins/extras", "the url plugins/extras belongs to first"),
        ("plugins/extras", "plugins/extras/more", "the url plugins/extras/more belongs to first"),
        ("things/some", "things", "the url things belongs to first"),
        ("things/some", "things/*", None),
        ("things", "plugins/*", "the url plugins/* belongs to core"),
        ("things", "errors/*/more", None),
    ],
)
def test_a_longer_url_belongs_to_who_claimed_it(
    instance: Instance, first: str, second: str, reason: str | None
) -> None:
    instance.write("first", f'urls = ["{first}"]')
    instance.write("second", f'urls = ["{second}"]')
    records = host(instance.boot()).records
    assert (records["first"].state, records["first"].reason) == ("active", None)
    assert records["second"].reason == reason


@pytest.mark.parametrize(
    ("urls", "prefix", "rule", "asked"),
    [
        ("plugins/deep", "/plugins", "/deep/x", "/plugins/deep/x"),
        ("things/*", "/things", "/<name>/y", "/things/any/y"),
        ("plugins/deep", "/admin/plugins/deep", "/x", "/admin/plugins/deep/x"),
        ("things/*", "/hooks/inbound/things", "/<name>", "/hooks/inbound/things/any"),
        ("things", "/hooks/inbound/admin", "/things", None),
        ("things", "/admin/hooks/inbound", "/things", None),
        ("things/*", "/things", "/spelt", None),
        ("things/*", "/things", "/<path:name>", None),
    ],
)
def test_routes_lie_below_what_is_owned(
    instance: Instance, urls: str, prefix: str, rule: str, asked: str | None
) -> None:
    init = ROUTE.format(name="deep", prefix=prefix, rule=rule, mark="@public")
    instance.write("deep", f'urls = ["{urls}"]', init=init.replace("view()", "view(name=None)"))
    app = instance.boot()
    assert client(app).get("/api/v1/plugins/deep").json["manifest"]["name"] == "deep"  # core's own goes on
    if asked is None:
        assert "lies outside its urls" in (host(app).records["deep"].reason or "")
    else:
        assert client(app).get(f"/api/v1{asked}").status_code == 200


def test_what_shall_run_is_known_and_in_doubt_everything_might(instance: Instance) -> None:
    instance.samples("sample", "broken_import")
    instance.write("idle", bundled=True)
    instance.upgrade()
    switch = instance.boot().extensions["jobstead.switch"]
    assert [switch.missing(name) for name in ("sample", "broken_import", "idle", "unheard_of")] == [
        False,
        True,
        False,
        False,
    ]
    instance.environ["JOBSTEAD_SAFE_MODE"] = "true"
    assert instance.boot().extensions["jobstead.switch"].missing("sample")

    instance.environ |= {
        "JOBSTEAD_SAFE_MODE": "false",
        "DATABASE_URL": "postgresql+psycopg://x@127.0.0.1:1/x",
    }
    assert instance.boot().extensions["jobstead.switch"].missing("unheard_of")


MODELS = """
from core.api import InstanceMixin, model_base

class Row(InstanceMixin, model_base({!r})):
    __tablename__ = {!r}
"""


def test_tables_carry_the_plugins_name_and_not_somebody_elses(instance: Instance) -> None:
    models = (
        "from core.api import *\nclass T(InstanceMixin, model_base('notes')):\n    __tablename__ = '{}'\n"
    )
    instance.write("notes", models=models.format("notes_archive_row"))
    instance.write("notes_archive")
    record = host(instance.boot()).records["notes"]
    assert record.reason == "the table notes_archive_row is not named after the plugin alone"
    assert "notes_archive_row" not in metadata.tables


def test_tables_without_a_migration_are_refused(instance: Instance) -> None:
    instance.write("hasty", models=MODELS.format("hasty", "hasty_row"))
    record = host(instance.boot()).records["hasty"]
    assert (record.step, record.reason) == (
        "migrated",
        "table hasty_row has no migration; write one with: jobstead db revision hasty",
    )


def test_versions_and_distributions_are_checked_before_anything_runs(instance: Instance) -> None:
    boom = "raise AssertionError('imported')"
    instance.write("mail_like", "", init="")
    instance.write("newer", 'requires = ["mail_like>=2"]', init=boom)
    instance.write("absent", 'python = ["no-such-distribution>=1"]', init=boom)
    instance.write("old", 'python = ["SQLAlchemy<1"]', init=boom)
    instance.write("elsewhere", """python = ["no-such-distribution; sys_platform == 'plan9'"]""", init="")
    folder = instance.write("future", init=boom)
    toml = (folder / "plugin.toml").read_text()
    (folder / "plugin.toml").write_text(toml.replace(">=1,<2", ">=7"))
    records = host(instance.boot()).records
    assert records["newer"].reason == "requires mail_like>=2, here is 1"
    assert "no-such-distribution>=1, which is not installed" in (records["absent"].reason or "")
    assert "needs the Python package SQLAlchemy<1, installed is" in (records["old"].reason or "")
    assert records["future"].reason == "needs hook API >=7, this server offers 1.0"
    assert records["elsewhere"].state == "active"


def test_a_hook_somebody_offers_already_is_refused(instance: Instance) -> None:
    specs = "from core.api import hookspec\n@hookspec\ndef health():\n    pass\n"
    instance.write("thief", hookspecs=specs)
    instance.samples("sample")
    instance.upgrade()
    app = instance.boot()
    assert host(app).records["thief"].reason == "ValueError: the hook health exists already"
    assert client(app).get("/api/v1/plugins/sample").json["health"] == {"status": "ok", "greeting": "hello"}


def test_strict_refuses_to_start_at_the_first_failure(instance: Instance) -> None:
    instance.samples("broken_import")
    instance.toml = "strict = true"
    with pytest.raises(RefusedError, match="plugin broken_import failed at imported"):
        instance.boot()


def test_safe_mode_starts_core_alone(instance: Instance) -> None:
    instance.samples("sample", "broken_import")
    instance.environ["JOBSTEAD_SAFE_MODE"] = "1"
    app = instance.boot()
    found = client(app).get("/api/v1/plugins").json["items"]
    assert {(p["id"], p["state"], p["reason"]) for p in found} == {
        ("sample", "disabled", "safe mode: core runs alone"),
        ("broken_import", "disabled", "safe mode: core runs alone"),
    }
    assert client(app).get("/api/v1/sample-notes/colours").status_code == 404


def test_settings_come_from_environment_and_file(instance: Instance) -> None:
    instance.samples("sample")
    instance.upgrade()
    instance.toml = '[plugins.sample]\ngreeting = "hi"\nlongest = 3\n'
    instance.environ["JOBSTEAD_PLUGINS__SAMPLE__GREETING"] = "good day"
    app = instance.boot()
    assert client(app).get("/api/v1/sample-notes/colours").json["greeting"] == "good day"
    record = host(app).records["sample"]
    assert record.config["longest"] == 3
    assert record.sources["longest"] == "plugins.toml"


def test_a_plugin_that_shall_run_and_is_not_here_is_named(instance: Instance) -> None:
    instance.toml = "[plugins.gone]\nenabled = true\n"
    record = host(instance.boot()).records["gone"]
    assert (record.state, record.reason) == ("failed", "is not on this machine")
