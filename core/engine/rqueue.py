"""The one module that speaks to RQ: JSON only, one function, and bells of which at most one waits.

RQ reads pickles and imports whatever a job names unless told otherwise, so nothing else imports it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, cast
from uuid import uuid4

from redis import Redis
from rq import Queue, Retry, SimpleWorker, Worker
from rq.exceptions import NoSuchJobError
from rq.job import Job, JobStatus
from rq.serializers import JSONSerializer
from rq.worker_registration import register

from .ticket import Ticket

ENTRY = "core.engine.jobs.run"
"""The one function that RQ imports."""

_RESULT_TTL = 300  # seconds; the row has the result
_FAILURE_TTL = 7 * 86_400
_BELL_TIMEOUT = 3600
_MARGIN = 15  # seconds between our own limit and RQ's

# Ring only if the bell rung last is not waiting any more.
_RING = """
local last = redis.call('GET', KEYS[1])
if last and redis.call('LPOS', KEYS[2], last) then return 0 end
redis.call('HSET', KEYS[3], unpack(ARGV, 3))
redis.call('EXPIRE', KEYS[3], 3600)
redis.call('SADD', 'rq:queues', KEYS[2])
redis.call('SET', KEYS[1], ARGV[1], 'EX', 3600)
redis.call(ARGV[2], KEYS[2], ARGV[1])
return 1
"""


class Refused(Exception):
    """A job in Redis that is none of ours; somebody else writes there."""


class OurJob(Job):
    """A job that imports nothing but our entry point."""

    @property
    def func(self) -> Any:
        if self.func_name != ENTRY or self.instance:
            raise Refused(f"refused to run {self.func_name}")
        return super().func


class Queues:
    """Our queues in Redis. Every method raises ``RedisError`` when it is away."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._known: dict[str, Queue] = {}
        self._ring = redis.register_script(_RING)

    def _queue(self, name: str) -> Queue:
        queue = self._known.get(name)
        if queue is None:
            queue = Queue(name, connection=self._redis, serializer=JSONSerializer, job_class=OurJob)
            self._known[name] = queue
        return queue

    def ring(self, name: str, *, last: bool = False) -> bool:
        """Let a bell wait in queue ``name``, first unless ``last``. False: one was waiting already."""
        identifier = f"bell-{uuid4().hex}"
        queue = self._queue(name)
        job = queue.create_job(
            ENTRY,
            args=("bell", name),
            job_id=identifier,
            description=f"bell {name}",
            timeout=_BELL_TIMEOUT,
            result_ttl=0,
            failure_ttl=_RESULT_TTL,
        )
        job.origin, job.enqueued_at = name, datetime.now(UTC)
        fields = [part for pair in job.to_dict().items() for part in pair]
        keys = [f"jobstead:bell:{name}", queue.key, job.key]
        return bool(self._ring(keys=keys, args=[identifier, "RPUSH" if last else "LPUSH", *fields]))

    def push(self, tickets: Iterable[Ticket]) -> None:
        """Put named jobs into their queues, whatever became of earlier copies."""
        with self._redis.pipeline() as pipe:
            for ticket in tickets:
                queue = self._queue(ticket.queue)
                job = queue.create_job(
                    ENTRY,
                    args=("job", str(ticket.id)),
                    job_id=str(ticket.id),
                    description=ticket.name,
                    timeout=int(ticket.timeout) + _MARGIN,
                    result_ttl=_RESULT_TTL,
                    failure_ttl=_FAILURE_TTL,
                )
                job.origin, job.enqueued_at = ticket.queue, datetime.now(UTC)
                pipe.sadd(Queue.redis_queues_keys, queue.key)
                for registry in (queue.failed_job_registry, queue.scheduled_job_registry):
                    pipe.zrem(registry.key, job.id)
                job.save(pipeline=pipe)
                pipe.persist(job.key)  # an earlier copy may have been about to expire
                queue.push_job_id(job.id, pipeline=pipe, at_front=ticket.priority > 0)
            pipe.execute()

    def lost(self, tickets: list[Ticket]) -> list[Ticket]:
        """Those of ``tickets`` that wait in no queue and are in no worker's hands, as far as Redis knows."""
        with self._redis.pipeline(transaction=False) as pipe:
            for ticket in tickets:
                pipe.hget(f"rq:job:{ticket.id}", "status")
                pipe.lpos(f"rq:queue:{ticket.queue}", str(ticket.id))
            answers = pipe.execute()
        pairs = zip(tickets, zip(answers[::2], answers[1::2], strict=True), strict=True)
        return [ticket for ticket, (status, place) in pairs if status != b"started" and place is None]

    def several_workers(self, name: str) -> bool:
        """Whether more than one worker listens to queue ``name``."""
        return self._redis.scard(f"rq:workers:{name}") > 1

    def waiting(self, name: str) -> list[str]:
        """The ids waiting in queue ``name``, bells among them."""
        return [
            identifier.decode()
            for identifier in cast(list[bytes], self._redis.lrange(f"rq:queue:{name}", 0, -1))
        ]

    def known(self, identifier: str) -> Job | None:
        """RQ's own copy of a job, if it still has one."""
        try:
            return OurJob.fetch(identifier, connection=self._redis, serializer=JSONSerializer)
        except NoSuchJobError:
            return None


def again_in(seconds: float) -> Retry:
    """What the entry point returns so that RQ shows the job as scheduled; the sweep brings it back."""
    return Retry(max=1_000_000, interval=max(1, round(seconds)))


__all__ = [
    "ENTRY",
    "JSONSerializer",
    "JobStatus",
    "OurJob",
    "Queues",
    "SimpleWorker",
    "Worker",
    "again_in",
    "register",
]
