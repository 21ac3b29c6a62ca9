"""Real worker processes, real Redis: killed, paused, wiped and stopped, and nothing lost or doubled."""

from __future__ import annotations

import os
import signal
import threading

from redis import Redis
from rq import Queue
from rq.serializers import JSONSerializer
from sqlalchemy import func, select

from core import engine
from core.engine import enqueue
from core.engine.leader import lead
from core.engine.leading import Leading
from core.engine.models import DeliveryRow, EventRow
from core.engine.relay import relay
from core.engine.sweep import sweep
from tests.engine import toy
from tests.engine.conftest import OwnRedis
from tests.engine.world import World

HANDLERS = ("first", "both", "third")


def _emit(world: World, numbers: range, keys: int = 5) -> None:
    """Events of both organisations, some keys each, several to a transaction."""
    for start in range(numbers.start, numbers.stop, 10):
        for organisation, odd in ((world.here, 1), (world.there, 0)):
            with world.acting(organisation):
                for number in range(start, min(start + 10, numbers.stop)):
                    if number % 2 == odd:
                        key = f"k{number % keys}"
                        engine.emit(toy.Pinged(number, key), order_key=key)


def _settled(world: World) -> bool:
    """Whether every event has been passed on and every delivery ended."""
    left = select(func.count()).select_from(DeliveryRow).where(DeliveryRow.status == "pending")
    unheard = select(func.count()).select_from(EventRow).where(EventRow.pending.is_(True))
    # in this order: what the relay passes on in between is then seen as a delivery
    return world.rows(unheard)[0][0] == 0 and world.rows(left)[0][0] == 0


def _check_all(world: World, count: int, keys: int = 5) -> None:
    """Every event once at every handler, in its organisation, in order by key."""
    for handler in HANDLERS:
        for organisation, odd in ((world.here, 1), (world.there, 0)):
            done = world.effects(handler, organisation)
            assert sorted(done) == list(range(odd, count, 2)), handler
            for key in range(keys):
                of_key = [number for number in done if number % keys == key]
                assert of_key == sorted(of_key), (handler, key)


def test_a_worker_passes_events_and_jobs_through_redis(with_redis: World) -> None:
    world = with_redis
    world.start_worker()
    _emit(world, range(60))
    with world.acting(world.here):
        enqueue("toy.write", {"number": 1})
        engine.emit(toy.Mailed(5))
    world.wait(lambda: _settled(world) and world.jobs()[0].status == "done")
    _check_all(world, 60)
    assert world.effects("write", world.here) == [1]
    assert [line[1:] for line in world.outside()] == [["1", "5", str(world.here)]]
    worker = world.workers[0]
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(30) == 0


def test_kill_9_loses_nothing_and_doubles_nothing(mortal: World) -> None:
    world = mortal
    world.start_worker()
    total = 600
    for round_ in range(4):
        _emit(world, range(round_ * 150, (round_ + 1) * 150))
        world.wait(lambda n=round_: len(world.effects("third")) > n * 120, workers=True)
        world.workers[-1].send_signal(signal.SIGKILL)
    world.wait(lambda: _settled(world), workers=True)
    _check_all(world, total)


def test_a_wiped_redis_loses_nothing(mortal: World) -> None:
    world = mortal
    assert world.redis is not None
    world.start_worker()
    with Redis.from_url(world.redis) as client:
        for round_ in range(3):
            _emit(world, range(round_ * 100, (round_ + 1) * 100))
            with world.acting(world.here):
                enqueue("toy.write", {"number": round_})
            client.flushall()
        world.wait(lambda: _settled(world) and all(job.status == "done" for job in world.jobs()))
    _check_all(world, 300)
    assert sorted(world.effects("write")) == [0, 1, 2]


def test_redis_dies_and_comes_back(mortal: World, own_redis: OwnRedis) -> None:
    world = mortal
    world.start_worker()
    _emit(world, range(50))
    world.wait(lambda: _settled(world))
    own_redis.kill()
    _emit(world, range(50, 150))
    with world.acting(world.here):
        enqueue("toy.write", {"number": 1})
    world.wait(
        lambda: _settled(world) and world.jobs()[0].status == "done", workers=True, what="work without Redis"
    )
    own_redis.start()
    _emit(world, range(150, 200))
    with Redis.from_url(own_redis.url) as client:
        world.wait(lambda: client.scard("rq:workers"), workers=True, what="RQ's worker")
    world.wait(lambda: _settled(world), workers=True)
    _check_all(world, 200)


def test_without_redis_a_worker_works_from_the_database(world: World) -> None:
    world.start_worker()
    _emit(world, range(40))
    with world.acting(world.here):
        enqueue("toy.count", {"to": 2})
    world.wait(lambda: _settled(world) and world.jobs()[0].status == "done")
    _check_all(world, 40)
    world.workers[0].send_signal(signal.SIGTERM)
    assert world.workers[0].wait(30) == 0


def test_poison_kills_five_workers_and_then_dies_alone(mortal: World) -> None:
    world = mortal
    for number in range(5):
        world.ping(
            number, key="bad" if number in (2, 3) else f"k{number}", act="kill" if number == 2 else "ok"
        )
    world.start_worker()
    world.wait(lambda: _settled(world), workers=True, what="the end of the poison")
    assert world.statuses("first") == ["done", "done", "dead", "done", "done"]
    assert world.statuses("third") == ["done"] * 5
    assert sorted(world.effects("first")) == [0, 1, 3, 4]
    dead = world.deliveries("first")[2]
    assert dead.kills == 5
    assert "killed its worker" in dead.error
    assert [worker.poll() for worker in world.workers].count(-signal.SIGKILL) == 5


def test_an_external_effect_carries_one_key_through_all_attempts(mortal: World) -> None:
    world = mortal
    with world.acting(world.there):
        engine.emit(toy.Mailed(1, act="kill once"))
        engine.emit(toy.Mailed(2, act="once"))
        engine.emit(toy.Mailed(3))
    world.start_worker()
    world.wait(lambda: _settled(world), workers=True)
    lines = world.outside()
    for number, times in ((1, 2), (2, 2), (3, 1)):
        keys = [line[0] for line in lines if line[2] == str(number)]
        assert len(keys) == times
        assert len(set(keys)) == 1
    assert world.workers[0].poll() == -signal.SIGKILL


def test_sigterm_hands_a_long_job_back_untried(with_redis: World) -> None:
    world = with_redis
    world.start_worker(grace=0.5)
    with world.acting(world.here):
        enqueue("toy.long", {"number": 1, "act": "hang"})
    world.wait(lambda: world.jobs()[0].status == "running")
    world.workers[0].send_signal(signal.SIGTERM)
    assert world.workers[0].wait(30) == 0
    (row,) = world.jobs()
    assert (row.status, row.attempts, row.holder) == ("queued", 0, None)
    assert world.effects("write") == []


def test_a_paused_worker_that_lost_its_lane_does_no_harm(with_redis: World) -> None:
    world = with_redis
    for _ in range(2):
        world.start_worker()
    with world.acting(world.here):
        engine.emit(toy.Mailed(1, act="pause once"), order_key="k")
        engine.emit(toy.Mailed(2), order_key="k")
    world.wait(lambda: world.statuses("outside") == ["done", "done"], what="the other worker")
    paused = int((world.folder / "pause-once").read_text())
    os.kill(paused, signal.SIGCONT)
    _emit(world, range(60))
    world.wait(lambda: _settled(world))
    assert [worker.poll() for worker in world.workers] == [None, None]
    assert [line[2] for line in world.outside()] == ["1", "1", "2"]
    _check_all(world, 60)


def test_four_candidates_one_leader(world: World) -> None:
    with world.app.app_context():
        names = [f"candidate {number}" for number in range(4)]
        led: list[str] = []

        def stand(name: str) -> None:
            with world.app.app_context():
                if lead(world.engine, name):
                    led.append(name)

        for _ in range(5):
            threads = [threading.Thread(target=stand, args=(name,)) for name in names]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        assert len(set(led)) == 1
        assert len(led) == 5
        world.expire()
        other = next(name for name in names if name not in led)
        assert lead(world.engine, other)
        assert not lead(world.engine, led[0])


def test_four_relays_pass_every_event_on_once(world: World) -> None:
    _emit(world, range(200))
    relays = [Leading(world.engine, None) for _ in range(4)]
    for one in relays:
        one.start()
    unheard = select(func.count()).select_from(EventRow).where(EventRow.pending.is_(True))
    world.wait(lambda: world.rows(unheard)[0][0] == 0)
    for one in relays:
        one.stop()
    assert len(world.rows(select(DeliveryRow.id))) == 600
    world.drain()
    _check_all(world, 200)


def test_at_most_one_bell_waits(with_redis: World) -> None:
    world = with_redis
    _emit(world, range(20))
    with world.app.app_context():
        assert lead(world.engine, "me")
        relay(world.engine, "me")
        for _ in range(5):
            assert sweep(world.engine)
        assert world.engine.bell.queues is not None
        assert len(world.engine.bell.queues.waiting("background")) == 1


def test_what_lies_in_redis_is_json_and_names_one_function(with_redis: World) -> None:
    world = with_redis
    with world.acting(world.here):
        identifier = enqueue("toy.write", {"number": 1})
    queues = world.engine.bell.queues
    assert queues is not None
    world.wait(lambda: queues.waiting("background"))
    job = queues.known(str(identifier))
    assert job is not None
    assert job.data.startswith(b'["core.engine.jobs.run"')
    assert job.description == "toy.write"
    assert job.timeout >= 2


def test_a_job_that_somebody_slipped_into_redis_is_not_imported(mortal: World) -> None:
    world = mortal
    assert world.redis is not None
    witness = world.folder / "witness"
    world.start_worker()
    with Redis.from_url(world.redis) as client:
        queue = Queue("background", connection=client, serializer=JSONSerializer)
        job = queue.enqueue("os.mkdir", str(witness))
        world.ping(1)
        world.wait(lambda: _settled(world))
        world.wait(lambda: job.get_status(refresh=True) == "failed")
    assert not witness.exists()


def test_wakes_are_coalesced_and_never_wait(mortal: World, own_redis: OwnRedis) -> None:
    world = mortal
    own_redis.kill()
    for number in range(50):
        world.ping(number)  # would raise or wait if a commit depended on Redis
    assert len(world.rows(select(EventRow.id))) == 50
    own_redis.start()
    for number in range(50, 100):
        world.ping(number)
    with Redis.from_url(own_redis.url) as client:
        world.wait(lambda: client.llen("jobstead:wake") == 1)
