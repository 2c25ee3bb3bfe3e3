"""
The limits that all processes share, in Redis: one script a decision, by Redis's clock, nothing without an expiry.

Calls that come while others are under way go together in the next pipeline, on one connection. So they take effect in
the order in which they were made, and a storm of connects costs Redis and this process the least.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from hashlib import sha1
from typing import Any, NamedTuple

from redis import exceptions
from redis.asyncio.connection import AbstractConnection, ConnectionPool, parse_url

from apps.tournaments.realtime.ratelimit import LEASE_SECONDS, NEVER, Bucket, Decision, Grant, Lease, Limit, refused

TIMEOUT_SECONDS = 0.05
LINK_SECONDS = 1.0  # for connecting and for a late answer; nobody who asks waits so long
PIPELINE = 100  # calls; about 4 ms of this process's time

Command = tuple[str | int, ...]

# Numbers go to Redis as they are or by %.0f: Lua's own way of writing them ends after 14 digits.

TAKE = """
-- KEYS: buckets. ARGV: cost, 1 to take or 0 to ask, then interval in µs and burst of each bucket.
-- Takes from all or none. Returns {µs to wait, tokens before}, of the first that has too few, else of the emptiest.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local cost, full_at, least = tonumber(ARGV[1]), {}, math.huge
for i, key in ipairs(KEYS) do
  local interval, burst = tonumber(ARGV[1 + 2 * i]), tonumber(ARGV[2 + 2 * i])
  local full = math.max(tonumber(redis.call('GET', key) or now), now)
  local spare = now + burst * interval - full
  local tokens = math.floor(spare / interval)
  if cost * interval > spare then
    return {cost * interval - spare, tokens}
  end
  full_at[i], least = full + cost * interval, math.min(least, tokens)
end
if ARGV[2] == '1' then
  for i, key in ipairs(KEYS) do
    redis.call('SET', key, string.format('%.0f', full_at[i]), 'PX', math.ceil((full_at[i] - now) / 1000))
  end
end
return {0, least}
"""

LEASE = """
-- KEYS: the members and when each runs out, in ms; for a shared place, its holders likewise.
-- ARGV: limit, lifetime in ms, member, holder. Returns {granted, members}.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
for _, key in ipairs(KEYS) do
  redis.call('ZREMRANGEBYSCORE', key, '-inf', now)
end
local count = redis.call('ZCARD', KEYS[1])
if not redis.call('ZSCORE', KEYS[1], ARGV[3]) then
  if count >= tonumber(ARGV[1]) then
    return {0, count}
  end
  count = count + 1
end
for i, key in ipairs(KEYS) do
  redis.call('ZADD', key, now + tonumber(ARGV[2]), ARGV[2 + i])
  redis.call('PEXPIRE', key, ARGV[2])
end
return {1, count}
"""

RENEW = """
-- KEYS as above, of many leases. ARGV: lifetime in ms, then for each key the member or holder.
local time = redis.call('TIME')
local expiry = time[1] * 1000 + math.floor(time[2] / 1000) + tonumber(ARGV[1])
for i, key in ipairs(KEYS) do
  redis.call('ZADD', key, expiry, ARGV[1 + i])
  redis.call('PEXPIRE', key, ARGV[1])
end
return 1
"""

RELEASE = """
-- KEYS as above. ARGV: member, holder. A shared place lasts as long as the last of its other holders.
local last = {}
if KEYS[2] then
  redis.call('ZREM', KEYS[2], ARGV[2])
  last = redis.call('ZREVRANGE', KEYS[2], 0, 0, 'WITHSCORES')
end
if last[1] then
  redis.call('ZADD', KEYS[1], 'XX', last[2], ARGV[1])
else
  redis.call('ZREM', KEYS[1], ARGV[1])
end
return 1
"""


SHA = {script: sha1(script.encode()).hexdigest() for script in (TAKE, LEASE, RENEW, RELEASE)}  # noqa: S324 - Redis's name


class RedisBackend:
    """
    A Backend for Limiter. Connects when it is asked, on the loop that asks; closed by `aclose`.

    Raises, where it answers: TimeoutError after `timeout_s`; whatever redis-py raises. What timed out may still take
    effect, though before anything that is asked later. ValueError, at the start: this is no Redis URL.

    Args:
        prefix: goes before every key, for a Redis that is shared with others.

    Cost: about 0.2 ms a question, 40 µs each when many come at once, 8 µs a lease renewed (bench/ratelimit.py).
    """

    def __init__(
        self,
        url: str,
        *,
        lease_seconds: float = LEASE_SECONDS,
        timeout_s: float = TIMEOUT_SECONDS,
        prefix: str = "",
    ) -> None:
        parse_url(url)  # says at the start what is wrong with it
        self._url = url
        self._lease_ms = round(lease_seconds * 1000)
        self._timeout_s = timeout_s
        self._prefix = prefix
        self._link: _Link | None = None

    async def take(self, buckets: Sequence[Bucket], cost: int) -> Decision:
        return await self._buckets(buckets, cost, take=True)

    async def peek(self, key: str, limit: Limit, cost: int) -> Decision:
        return await self._buckets([(key, limit)], cost, take=False)

    async def lease(self, lease: Lease) -> Grant:
        granted, count = await self._answer(self._send_on([lease], LEASE, lease.limit, self._lease_ms))
        return Grant(granted=bool(granted), count=count)

    async def renew(self, leases: Sequence[Lease]) -> None:
        """Renew leases, and give again those that are gone, whatever their limits. No request waits for it."""
        # One call for all of them is five times cheaper than one each; a cluster would need one for each node.
        if leases:
            await self._answer(self._send_on(leases, RENEW, self._lease_ms), LINK_SECONDS)

    def release(self, leases: Sequence[Lease]) -> None:
        for lease in leases:
            self._send_on([lease], RELEASE)

    async def aclose(self) -> None:
        """Close the connection when what was asked before has been sent. A later question opens another one."""
        link, self._link = self._link, None
        if link is not None:
            await link.aclose()

    async def _buckets(self, buckets: Sequence[Bucket], cost: int, *, take: bool) -> Decision:
        names: list[str] = []
        numbers: list[int] = []
        for key, limit in buckets:
            if cost > limit.burst:
                return NEVER
            names.append(f"{self._prefix}rl:{key}")
            numbers += (limit.interval_us, limit.burst)
        wait_us, tokens = await self._answer(self._send(TAKE, names, cost, int(take), *numbers))
        if wait_us:
            return refused(wait_us, tokens)
        return Decision(allowed=True, remaining=tokens - cost if take else tokens, retry_after_ms=0)

    def _send_on(self, leases: Sequence[Lease], script: str, *arguments: int) -> asyncio.Future[Any]:
        """Send a call that gets, after its arguments, the sets that the leases are in and their names there."""
        keys, names = [], []
        for lease in leases:
            members = f"{self._prefix}lease:{lease.key}"
            keys.append(members)
            names.append(lease.member)
            if lease.holder:
                keys.append(f"{members}:{lease.member}")
                names.append(lease.holder)
        return self._send(script, keys, *arguments, *names)

    def _send(self, script: str, keys: Sequence[str], *arguments: str | int) -> asyncio.Future[Any]:
        if self._link is None or self._link.loop is not asyncio.get_running_loop():
            self._link = _Link(self._url)
        return self._link.send(script, keys, arguments)

    async def _answer(self, reply: asyncio.Future[Any], timeout_s: float | None = None) -> Any:
        # Half the cost of asyncio.timeout, which would also throw away an answer that came while this process was busy.
        timer = reply.get_loop().call_later(self._timeout_s if timeout_s is None else timeout_s, _give_up, reply)
        try:
            answer = await reply
        finally:
            timer.cancel()
        if isinstance(answer, Exception):
            raise answer
        return answer


def _give_up(reply: asyncio.Future[Any]) -> None:
    if not reply.done():
        reply.set_result(TimeoutError())


class _Call(NamedTuple):
    script: str
    keys: Sequence[str]
    arguments: Sequence[str | int]
    reply: asyncio.Future[Any]  # an exception is a reply as well: nothing is raised where nobody waits any more

    def command(self, name: str, script: str) -> Command:
        return (name, script, len(self.keys), *self.keys, *self.arguments)


class _Link:
    """A connection of one event loop, and what waits to be sent over it."""

    def __init__(self, url: str) -> None:
        self.loop = asyncio.get_running_loop()
        # The connection itself: redis-py's pipelines cost three times as much, and most of a call.
        pool = ConnectionPool.from_url(url, socket_connect_timeout=LINK_SECONDS, socket_timeout=None)
        self._connection: AbstractConnection = pool.make_connection()  # type: ignore[no-untyped-call]
        self._waiting: deque[_Call] = deque()
        self._sender: asyncio.Task[None] | None = None

    def send(self, script: str, keys: Sequence[str], arguments: Sequence[str | int]) -> asyncio.Future[Any]:
        """Queue a call. From here on it is under way, whether or not anybody waits for its answer."""
        call = _Call(script, keys, arguments, self.loop.create_future())
        self._waiting.append(call)
        if self._sender is None:
            self._sender = self.loop.create_task(self._send_all())
        return call.reply

    async def aclose(self) -> None:
        if self._sender is not None:
            await asyncio.wait({self._sender}, timeout=LINK_SECONDS)
        if self._sender is not None:
            self._sender.cancel()
            await asyncio.wait({self._sender})
        await self._connection.disconnect()

    async def _send_all(self) -> None:
        try:
            while self._waiting:
                calls = [self._waiting.popleft() for _ in range(min(PIPELINE, len(self._waiting)))]
                for call, answer in zip(calls, await self._execute(calls), strict=True):
                    if not call.reply.done():
                        call.reply.set_result(answer)
        finally:
            self._sender = None

    async def _execute(self, calls: Sequence[_Call]) -> list[Any]:
        """Return the answer of each call, the same exception for all when the link broke."""
        try:
            answers = await self._exchange([call.command("EVALSHA", SHA[call.script]) for call in calls])
            # Redis forgets scripts when it restarts, fails over, or is told to; what it did not know it did not do.
            if unknown := [n for n, answer in enumerate(answers) if isinstance(answer, exceptions.NoScriptError)]:
                again = await self._exchange([calls[n].command("EVAL", calls[n].script) for n in unknown])
                for n, answer in zip(unknown, again, strict=True):
                    answers[n] = answer
        except Exception as error:  # noqa: BLE001 - every caller gets it
            return [error] * len(calls)
        return answers

    async def _exchange(self, commands: Sequence[Command]) -> list[Any]:
        """Return the answers to some commands, an error reply as an exception."""
        async with asyncio.timeout(LINK_SECONDS):
            if self._connection.is_connected:
                # That it broke since the last call says little about Redis now. Twice sent costs a token at most.
                with suppress(exceptions.ConnectionError):
                    return await self._talk(commands)
            await self._connection.connect()  # type: ignore[no-untyped-call]
            # A script that is sent with a second attempt would come after calls that were made later.
            await self._talk([("SCRIPT", "LOAD", script) for script in SHA])
            return await self._talk(commands)

    async def _talk(self, commands: Sequence[Command]) -> list[Any]:
        connection = self._connection
        try:
            await connection.send_packed_command(connection.pack_commands(commands), check_health=False)
            return [await self._read() for _ in commands]
        except BaseException:
            # What is still to come would be taken for the answer to something else.
            await connection.disconnect(nowait=True)
            raise

    async def _read(self) -> Any:
        try:
            return await self._connection.read_response(disconnect_on_error=False)
        except exceptions.ResponseError as error:
            return error
