"""Chains that nothing is taken out of: written once, in order, and found out when touched."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from uuid import UUID, uuid4

import pytest

from core.api import Delivery, Event, begin, unscoped, utcnow, uuid7
from core.testing import Databases, Instance, crowd, erase_organisation
from plugins.audit import heads, service
from plugins.audit.record import record

from .conftest import World

CROWD = 24
TABLES = ("audit_instance_entry", "audit_organisation_entry", "audit_chain")


def test_it_grows_in_order_and_each_row_follows_the_one_before(world: World) -> None:
    team = world.team(world.ada)
    for number in range(10):
        world.ada.call("PATCH", f"/orgs/{team['slug']}", json={"name": f"Name {number}"})
    world.instance.drain()
    for rows in (world.rows(), world.rows(UUID(team["id"]))):
        assert [row.seq for row in rows] == list(range(1, len(rows) + 1))
        assert [row.previous for row in rows] == ["0" * 64, *(row.hash for row in rows[:-1])]
    code, said = world.verify()
    assert (code, said["ok"]) == (0, True)
    assert {team["id"], "instance"} <= {chain["chain"] for chain in said["chains"]}


@pytest.mark.parametrize("organisation", [False, True])
def test_a_crowd_forks_no_chain_and_writes_nothing_twice(world: World, organisation: bool) -> None:
    """As if leases had been lost and every worker held the same deliveries."""
    where = UUID(world.team(world.ada)["id"]) if organisation else None
    world.instance.drain()
    before = len(world.rows(where))
    kinds = world.instance.app.extensions["jobstead.engine"].registry.events
    event: Event = kinds["user.updated"].cls(user_id=world.ada.id, fields=["name"])
    ids = [uuid7() for _ in range(CROWD // 2)]  # each twice

    def one(number: int) -> None:
        delivery = Delivery(uuid4(), ids[number // 2], 1, where, "system", utcnow())
        with world.instance.app.app_context(), begin():
            record(event, delivery)

    crowd(one, size=CROWD)
    rows = world.rows(where)[before:]
    assert [row.seq for row in rows] == list(range(before + 1, before + 1 + len(ids)))
    assert {row.event_id for row in rows} == set(ids)
    assert world.verify()[0] == 0


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("statement", ["DELETE FROM {}", "UPDATE {} SET seq = seq - 1", "TRUNCATE {}"])
def test_the_database_itself_refuses(world: World, table: str, statement: str) -> None:
    world.team(world.ada)
    world.instance.drain()
    with world.instance.app.app_context(), unscoped("try it"), begin() as unit:
        if statement.startswith("TRUNCATE") and unit.database.dialect == "sqlite":
            pytest.skip("SQLite has no TRUNCATE")
    with (
        pytest.raises(Exception, match=r"the audit log is append-only|permission denied"),
        world.instance.app.app_context(),
        unscoped("try it"),
        begin() as unit,
    ):
        unit.connection.exec_driver_sql(statement.format(table))
    assert world.verify()[0] == 0


@dataclass
class Case:
    """What somebody does to rows 1 to 6 of the instance's chain, and what is found."""

    fault: str
    seq: int
    statements: tuple[str, ...]


ROW = "audit_instance_entry WHERE seq"
CASES = (
    Case("changed", 3, ("UPDATE audit_instance_entry SET actor = 'system' WHERE seq = 3",)),
    Case("changed", 2, ("UPDATE audit_instance_entry SET data = '[]' WHERE seq = 2",)),
    Case("changed", 4, ("UPDATE audit_instance_entry SET ip = NULL, request_id = 'x' WHERE seq = 4",)),
    Case("missing", 3, (f"DELETE FROM {ROW} = 3",)),
    Case("missing", 1, (f"DELETE FROM {ROW} = 1",)),
    Case(
        "reordered",
        3,
        (
            "UPDATE audit_instance_entry SET seq = 999 WHERE seq = 3",
            "UPDATE audit_instance_entry SET seq = 3 WHERE seq = 4",
            "UPDATE audit_instance_entry SET seq = 4 WHERE seq = 999",
        ),
    ),
    Case("end_changed", 0, ("UPDATE audit_chain SET seq = seq - 1 WHERE name = 'instance'",)),
    Case("end_changed", 0, ("UPDATE audit_chain SET hash = previous_hash",)),
    Case("cut_off", 5, (f"DELETE FROM {ROW} > 4",)),
    Case("cut_off", 1, ("DELETE FROM audit_instance_entry",)),
)


@pytest.fixture(scope="module")
def victim(tmp_path_factory: pytest.TempPathFactory, databases: Databases) -> Iterator[World]:
    """One whose chains were copied, to be put back after each case."""
    instance = Instance(tmp_path_factory.mktemp("victim"), databases)
    world = World(instance.plugins("audit"))
    for number in range(3):
        world.ada.put("/auth/profile", {"name": f"Ada {number}"})
    instance.drain()
    world.as_owner_of_the_database(
        *(f"CREATE TABLE {table}_copy AS SELECT * FROM {table}" for table in TABLES)
    )
    yield world
    instance.close()


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.fault}-{case.seq}")
def test_what_was_touched_is_named(victim: World, case: Case) -> None:
    for table in TABLES:
        victim.as_owner_of_the_database(
            f"DELETE FROM {table}", f"INSERT INTO {table} SELECT * FROM {table}_copy"
        )
    last = victim.rows()[-1]
    assert victim.verify()[0] == 0
    victim.as_owner_of_the_database(
        *(text.replace("previous_hash", f"'{last.previous}'") for text in case.statements)
    )
    code, said = victim.verify()
    (chain,) = [chain for chain in said["chains"] if chain["chain"] == "instance"]
    assert (code, said["ok"], chain["ok"]) == (1, False, False)
    assert chain["broken"]["fault"] == case.fault
    assert chain["broken"]["seq"] == (case.seq or last.seq)
    assert f"broken at row {case.seq or last.seq}" in victim.command("verify").output
    answer = victim.root.get("/audit/verify?chain=instance").json
    assert answer == {**chain}


def test_a_tail_cut_off_with_its_end_is_found_by_what_was_exported(
    fresh: World, profile_changes: Callable[[int], None]
) -> None:
    profile_changes(3)
    fresh.export()
    keep = fresh.rows()[-2]
    fresh.as_owner_of_the_database(
        f"DELETE FROM {ROW} > {keep.seq}",
        f"UPDATE audit_chain SET seq = {keep.seq}, hash = '{keep.hash}' WHERE name = 'instance'",
    )
    code, said = fresh.verify()
    broken = next(chain["broken"] for chain in said["chains"] if chain["chain"] == "instance")
    assert (code, broken["fault"], broken["seq"]) == (1, "cut_off", keep.seq + 1)


def test_a_chain_written_anew_is_found_by_what_was_exported(
    fresh: World, profile_changes: Callable[[int], None]
) -> None:
    """The honest limit: whoever owns the database can do this to whatever came after the last export."""
    profile_changes(2)
    fresh.export()
    count = len(fresh.rows())
    fresh.as_owner_of_the_database(
        "DELETE FROM audit_instance_entry", "DELETE FROM audit_chain WHERE name = 'instance'"
    )
    profile_changes(count)
    code, said = fresh.verify()
    broken = next(chain["broken"] for chain in said["chains"] if chain["chain"] == "instance")
    assert (code, broken["fault"], broken["seq"]) == (1, "rewritten", count)
    with fresh.instance.app.app_context():
        heads.file().unlink()
    assert fresh.verify()[0] == 0


def test_an_organisations_chain_that_is_gone_altogether(fresh: World) -> None:
    team = fresh.team(fresh.ada)
    fresh.instance.drain()
    fresh.export()
    fresh.as_owner_of_the_database(
        "DELETE FROM audit_organisation_entry", "DELETE FROM audit_chain WHERE name <> 'instance'"
    )
    code, said = fresh.verify("--org", team["slug"])
    assert (code, said["chains"][0]["broken"]["fault"]) == (1, "cut_off")
    code, said = fresh.verify()
    faults = {chain["chain"]: chain["broken"] for chain in said["chains"]}
    assert faults[team["id"]]["fault"] == "cut_off"
    assert faults["instance"] is None


def test_an_end_that_we_did_not_sign(fresh: World, profile_changes: Callable[[int], None]) -> None:
    profile_changes(1)
    fresh.export()
    with fresh.instance.app.app_context():
        file = heads.file()
    assert file.stat().st_mode & 0o777 == 0o600
    good = file.read_text()
    file.write_text(good.replace(fresh.rows()[-1].hash, "0" * 64))
    code, said = fresh.verify()
    assert (code, said["heads"]) == (1, {"forged": 1, "torn": 0})
    assert "not signed by this instance" in fresh.command("verify").output
    file.write_text(good + '{"at": "20')  # a crash while writing
    profile_changes(1)
    fresh.export()
    assert len(file.read_text().splitlines()) == len(good.splitlines()) + 2
    code, said = fresh.verify()
    assert (code, said["heads"]) == (0, {"forged": 0, "torn": 1})


def test_ends_are_exported_by_the_hour_and_once(fresh: World, profile_changes: Callable[[int], None]) -> None:
    profile_changes(1)
    registry = fresh.instance.app.extensions["jobstead.engine"].registry
    assert registry.schedules["audit.export_heads"].job == "audit.export_heads"
    fresh.export()
    fresh.export()
    with fresh.instance.app.app_context():
        lines = [json.loads(line) for line in heads.file().read_text().splitlines()]
    last = fresh.rows()[-1]
    mine = [(line["seq"], line["hash"]) for line in lines if line["chain"] == "instance"]
    assert mine == [(last.seq, last.hash)]
    assert len(lines) == 4  # three people have an organisation each
    assert fresh.command("export-heads").output.startswith("0 chains grew")


def test_rows_outlive_their_organisation(fresh: World) -> None:
    team = fresh.team(fresh.ada)
    fresh.instance.drain()
    fresh.export()
    with fresh.instance.app.app_context():
        erase_organisation(UUID(team["id"]))
    fresh.instance.drain()
    assert fresh.ada.get("/audit", headers={"X-Org": team["slug"]}).status_code == 404
    assert [row.action for row in fresh.rows(UUID(team["id"]))] == ["organisation.created"]
    assert fresh.rows()[-1].action == "organisation.deleted"
    assert fresh.verify()[0] == 0
    assert fresh.verify("--org", team["id"])[0] == 0
    assert fresh.command("verify", "--org", team["slug"]).exit_code == 1  # nobody is called so any more


def test_what_happens_while_it_is_off_is_missed_and_the_chain_holds(
    fresh: World, profile_changes: Callable[[int], None]
) -> None:
    profile_changes(2)
    before = len(fresh.rows())
    running = fresh.instance.app.extensions["jobstead.switch"].defaults
    on = running.pop("audit")
    profile_changes(2)
    running["audit"] = on
    profile_changes(2)
    assert len(fresh.rows()) == before + 2
    assert fresh.verify()[0] == 0


def test_a_chain_that_is_too_long_for_a_request(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "WALKED", 1)
    answer = world.root.get("/audit/verify?chain=instance")
    assert (answer.status_code, (answer.json or {})["code"]) == (409, "too_long")
    assert world.verify()[0] == 0


def test_an_organisation_nobody_knows(world: World) -> None:
    for which in ("nobody", str(uuid4())):
        result = world.command("verify", "--org", which)
        assert (result.exit_code, result.output.splitlines()[-1][:6]) == (1, "Error:")
