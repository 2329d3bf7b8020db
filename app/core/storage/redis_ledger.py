"""The atomic steps of a storage in Redis: each is a script, so that no reader and no killed writer
ever sees half of one.

An object is a hash: its id, size and time, and its chunks by their numbers. While it is written it
is a hash of another name, which expires after `LEASE_SECONDS` without a chunk. Every hash,
even a staged one, is counted: a sorted set has it with its size, by its expiry, and a number is the
sum of these sizes. A writer that needs room first removes expired entries.
"""

from __future__ import annotations

STORAGE_PREFIX = "tinyimage:storage"
"""The prefix of the keys of a storage in Redis."""

EXPIRY = f"{STORAGE_PREFIX}:expiry"
"""The sorted set of `SIZE KEY` of every hash, by the second of its expiry."""

USED = f"{STORAGE_PREFIX}:used"
"""The bytes of all of them."""

INDEX = f"{STORAGE_PREFIX}:index"
"""The sorted set of the names of the objects, all of score 0: in the order of their bytes."""


def object_key(key: str) -> str:
    """The hash of the object `key`."""
    return f"{STORAGE_PREFIX}:object:{key}"


def staged_key(upload: str) -> str:
    """The hash of an object that is being written."""
    return f"{STORAGE_PREFIX}:staged:{upload}"


_FUNCTIONS = f"""
local EXPIRY, USED, INDEX, OBJECT = '{EXPIRY}', '{USED}', '{INDEX}', '{object_key("")}'

local function uncount(size, name)
  -- Only the call that takes it out subtracts it.
  if redis.call('ZREM', EXPIRY, size .. ' ' .. name) == 1 then
    redis.call('DECRBY', USED, size)
  end
  if string.sub(name, 1, #OBJECT) == OBJECT then
    redis.call('ZREM', INDEX, string.sub(name, #OBJECT + 1))
  end
end

local function count(size, name, now, milliseconds)
  redis.call('ZADD', EXPIRY, now + milliseconds / 1000, size .. ' ' .. name)
end

local function drop(name)
  local size = redis.call('HGET', name, 'size')
  if not size then return 0 end
  uncount(size, name)
  redis.call('UNLINK', name)
  return 1
end

local function forget_gone(now)
  local number, bytes = 0, 0
  for _, member in ipairs(redis.call('ZRANGEBYSCORE', EXPIRY, '-inf', now, 'LIMIT', 0, 1000)) do
    local size, name = string.match(member, '^(%d+) (.*)$')
    local left = redis.call('PTTL', name)
    if left == -2 then
      uncount(size, name)
      number, bytes = number + 1, bytes + size
    else
      -- It is there: its lease was renewed, or a clock is ahead.
      count(size, name, now, math.max(left, 1000))
    end
  end
  return {{number, bytes}}
end
"""

FORGET_GONE = (
    _FUNCTIONS
    + """
return forget_gone(tonumber(ARGV[1]))
"""
)
"""Uncount expired hashes. ARGV: now. Returns how many, and their bytes; a thousand at most."""

RESERVE = (
    _FUNCTIONS
    + """
local staged, now, size = KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2])
if redis.call('EXISTS', staged) == 1 then return 1 end
local gone
repeat gone = forget_gone(now)[1] until gone < 1000
local limit = tonumber(ARGV[3])
if limit == 0 then
  local memory = redis.pcall('INFO', 'memory')
  local most = type(memory) == 'string' and tonumber(string.match(memory, 'maxmemory:(%d+)'))
  limit = most and most > 0 and most / 2 or tonumber(ARGV[4])
end
if tonumber(redis.call('GET', USED) or 0) + size > limit then return 0 end
redis.call('HSET', staged, 'size', ARGV[2])
redis.call('PEXPIRE', staged, ARGV[5])
count(ARGV[2], staged, now, ARGV[5])
redis.call('INCRBY', USED, ARGV[2])
return 1
"""
)
"""Begin to write an object. KEYS: its staged hash. ARGV: now, its bytes, the limit or 0, the limit
where Redis has none, milliseconds of the lease. Returns 0 if there is no room."""

APPEND = """
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1
"""
"""Add a chunk. KEYS: the staged hash. ARGV: the chunk's number, its bytes, milliseconds of the
lease. Returns 0 if the lease is over."""

COMMIT = (
    _FUNCTIONS
    + """
local staged, object, now, size = KEYS[1], KEYS[2], tonumber(ARGV[1]), ARGV[2]
if redis.call('HGET', object, 'id') == ARGV[4] then return 1 end
if redis.call('HLEN', staged) ~= 1 + ARGV[5] then return 0 end
redis.call('HSET', staged, 'id', ARGV[4], 'modified', ARGV[1])
drop(object)
redis.call('RENAME', staged, object)
redis.call('PEXPIRE', object, ARGV[6])
redis.call('ZREM', EXPIRY, size .. ' ' .. staged)
count(size, object, now, ARGV[6])
redis.call('ZADD', INDEX, 0, ARGV[3])
return 1
"""
)
"""Make what was written the object. KEYS: the staged hash, the object's. ARGV: now, its bytes, its
name, its id, how many chunks it has, its milliseconds to live. Returns 0 if the lease is over."""

EXPIRE = (
    _FUNCTIONS
    + """
local size = redis.call('HGET', KEYS[1], 'size')
if size and redis.call('PTTL', KEYS[1]) > tonumber(ARGV[2]) then
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
  count(size, KEYS[1], tonumber(ARGV[1]), ARGV[2])
end
"""
)
"""Let an object expire sooner. KEYS: its hash. ARGV: now, milliseconds."""

DROP = (
    _FUNCTIONS
    + """
local number = 0
for _, name in ipairs(KEYS) do number = number + drop(name) end
return number
"""
)
"""Delete hashes, of objects or staged. KEYS: them. Returns how many there were."""

SCRIPTS = (FORGET_GONE, RESERVE, APPEND, COMMIT, EXPIRE, DROP)
