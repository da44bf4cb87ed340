-- SPDX-License-Identifier: MIT
--
-- What only the program's own structures tell, for Asterisk: which threads
-- hold and wait for which locks (builds with DEBUG_THREADS), its build, and
-- tables of task processors, bridges and channels. Each line is a comment in
-- the snapshot that begins with the name of its table; the script
-- ast_coredumper beside this file makes files of them.
--
-- It shows how an application module is written: global variables by name,
-- lists, hash tables and trees through members, void pointers taken as what
-- they point to, and a limit for each walk, since the memory of a crashed
-- program may hold anything.

local LINES = 300  -- of one table
local NODES = 5000 -- of one container
local SUSPENDED = 47 -- the mark of locks that are not to be shown

local bt

local function say(table_name, format, ...)
  bt:annotate(pmodule.annotation.comment, "%s| " .. format, table_name, ...)
end

-- ---- values ----

local function number(raw)
  return raw and pmodule.number(raw)
end

-- Text of a character array or of what a char pointer points to. An array
-- without a length at the end of a struct has its text at its address.
local function text(raw)
  if not raw then return "" end
  local found = pmodule.variable_from_bt(raw):symbol()
  if found or pmodule.sizeof(raw) ~= 0 then return found or "" end
  local at = pmodule.address(raw)
  return at and pmodule.address_read_string(at, 80) or ""
end

local function global(name)
  return pmodule.bt_query(name)
end

-- What a void pointer points to, as that struct; `from` is any variable of the
-- same debug information.
local function as(from, pointer, name)
  local address = number(pointer)
  local found = pmodule.type(from):base():find(name)
  if not found or not address or address == 0 then return nil end
  local object = pmodule.cast(from, found, address)
  return pmodule.address_read_number(address, 1) and object or nil
end

local function time_of(raw)
  local seconds = raw and number(raw.tv_sec)
  if not seconds or seconds <= 0 or seconds > 2 ^ 40 then return "unknown" end
  -- Days since 1970 to a date: 400 years have 146097 days.
  local days = math.floor(seconds / 86400)
  local z = days + 719468
  local era = math.floor(z / 146097)
  local doe = z - era * 146097
  local yoe = math.floor((doe - math.floor(doe / 1460) +
    math.floor(doe / 36524) - math.floor(doe / 146096)) / 365)
  local doy = doe - (365 * yoe + math.floor(yoe / 4) - math.floor(yoe / 100))
  local mp = math.floor((5 * doy + 2) / 153)
  local day = doy - math.floor((153 * mp + 2) / 5) + 1
  local month = mp < 10 and mp + 3 or mp - 9
  local year = yoe + era * 400 + (month <= 2 and 1 or 0)
  local rest = seconds % 86400
  return string.format("%04d-%02d-%02d %02d:%02d:%02d UTC", year, month, day,
    math.floor(rest / 3600), math.floor(rest / 60) % 60, rest % 60)
end

-- ---- containers ----

-- Objects of a list: each node leads to the next by `step`. Tells why when it
-- ends early.
local function each_node(first, step, seen, fn)
  local node = first
  while node do
    local address = number(node)
    if address == nil then return "memory that cannot be read" end
    if address == 0 then return nil end
    if seen[address] then return "a node that was there before" end
    if seen.n >= NODES then return string.format("after %d nodes", NODES) end
    seen[address], seen.n = true, seen.n + 1
    fn(node)
    node = step(node)
  end
  return "memory that cannot be read"
end

-- A container is known by what all kinds have in common: as its own kind.
local function as_kind(container, member, kind)
  if container[member] then return container end
  return as(container, container, kind)
end

local function hash_objects(container, out, seen)
  local hash = as_kind(container, "n_buckets", "ao2_container_hash")
  local n = hash and number(hash.n_buckets)
  if not n then return "memory that cannot be read" end
  local most = math.floor(pmodule.sizeof(hash.buckets) /
    math.max(pmodule.sizeof(hash.buckets[0]), 1))
  -- A table of variable length has room for one or none in its type.
  if most <= 1 then most = NODES end
  for i = 0, math.min(n, most) - 1 do
    local why = each_node(hash.buckets[i].list.last,
      function(node) return node.links.last end, seen,
      function(node) out[#out + 1] = node.common.obj end)
    if why then return why end
  end
  if n < 0 or n > most then
    return string.format("%d buckets, which cannot be", n)
  end
end

-- The left side is walked as a list, the right sides that were passed are kept.
local function tree_objects(container, out, seen)
  local tree = as_kind(container, "root", "ao2_container_rbtree")
  if not tree then return "memory that cannot be read" end
  local todo = {tree.root}
  while #todo > 0 do
    local why = each_node(table.remove(todo), function(node)
      return node.left
    end, seen, function(node)
      out[#out + 1] = node.common.obj
      todo[#todo + 1] = node.right
    end)
    if why then return why end
  end
end

-- The objects of a container, as the struct of that name, sorted by `key`.
local function objects(name, walk, kind, key)
  local container = global(name)
  if not container or number(container) == 0 then return nil end
  local pointers, why = {}, nil
  why = walk(container, pointers, {n = 0})
  local out = {}
  for _, pointer in ipairs(pointers) do
    local object = as(container, pointer, kind)
    if object then
      out[#out + 1] = {object, key(object)}
    else
      why = why or "an object that cannot be read"
    end
  end
  table.sort(out, function(a, b) return a[2] < b[2] end)
  return out, why
end

-- ---- info ----

local function show_table(title, head, line, all, why)
  if not all then
    say("info", "%s not found", title)
    return
  end
  say("info", "%s (%d):", title, #all)
  say("info", "%s", head)
  for i, entry in ipairs(all) do
    if i > LINES then
      say("info", "... %d more", #all - LINES)
      break
    end
    say("info", "%s", line(entry[1]))
  end
  if why then say("info", "%s end early, at %s", title, why) end
end

local function show_build()
  say("info", "Asterisk %s built by %s @ %s on a %s running %s on %s",
    text(global("asterisk_version")), text(global("ast_build_user")),
    text(global("ast_build_hostname")), text(global("ast_build_machine")),
    text(global("ast_build_os")), text(global("ast_build_date")))
  say("info", "System started: %s", time_of(global("ast_startuptime")))
  say("info", "Last reload: %s", time_of(global("ast_lastreloadtime")))
  say("info", "Build options = %s", text(global("asterisk_build_opts")))
end

local function count(raw)
  local n = number(raw)
  return n and tostring(n) or "?"
end

local function show_tables()
  local format = "%-40s %12s %9s %10s %10s %10s"
  local all, why = objects("tps_singletons", hash_objects,
    "ast_taskprocessor", function(o) return text(o.name) end)
  show_table("TaskProcessors", string.format(format, "Processor", "Processed",
    "In Queue", "Max Depth", "Low water", "High water"), function(o)
      return string.format(format, text(o.name),
        count(o.stats and o.stats._tasks_processed_count),
        count(o.tps_queue_size), count(o.stats and o.stats.max_qsize),
        count(o.tps_queue_low), count(o.tps_queue_high))
    end, all, why)
  format = "%-36s %5s %-15s %-15s %s"
  all, why = objects("bridges", tree_objects, "ast_bridge",
    function(o) return text(o.uniqueid) end)
  show_table("Bridges", string.format(format, "Bridge-ID", "Chans", "Type",
    "Technology", "Created"), function(o)
      return string.format(format, text(o.uniqueid), count(o.num_channels),
        text(o.type), text(o.technology), time_of(o.creationtime))
    end, all, why)
  format = "%-30s %-20s %-16s %4s %5s %-15s %-30s %s"
  all, why = objects("channels", hash_objects, "ast_channel",
    function(o) return text(o.name) end)
  show_table("Channels", string.format(format, "Channel", "Context",
    "Extension", "Prio", "State", "Application", "Data", "Created"),
    function(o)
      return string.format(format, text(o.name), text(o.context),
        text(o.exten), count(o.priority), count(o.state), text(o.appl),
        text(o.data), time_of(o.creationtime))
    end, all, why)
  say("info", "%d active channels", all and #all or 0)
  say("info", "%s active calls", count(global("countcalls")))
  say("info", "%s calls processed", count(global("totalcalls")))
end

-- ---- locks ----

local kinds = {[0] = "M", "RD", "WR"}
local LOCK = "%-20s %-16s %5s %-20s %-8s %-20s | %-18s | %-2s | %s | %s | %s"

-- Where a lock that is waited for was taken, from its own records.
local function holder(from, lock, threads)
  local info = as(from, lock.lock_addr, "ast_mutex_info")
  local track = info and info.track
  if not track or (number(track) or 0) == 0 then return end
  if (number(track.reentrancy) or 0) <= 0 then return end
  local id = number(track.thread_id[0])
  say("locks", "%22sheld at: %s:%s %s() by %s", "", text(track.file[0]),
    count(track.lineno[0]), text(track.func[0]),
    id and (threads[id] or pmodule.hex(id)) or "?")
end

local function show_lock(thread, lock, threads)
  local pending = number(lock.pending)
  if not pending then
    say("locks", "%-20s a record that cannot be read", text(thread.thread_name))
    return
  end
  if number(lock.suspended) == SUSPENDED then return end
  local address = number(lock.lock_addr)
  local mutex = kinds[number(lock.type)] == "M" and
    as(thread, lock.lock_addr, "ast_mutex_info")
  local track = mutex and mutex.track
  say("locks", LOCK, text(thread.thread_name), text(lock.file),
    count(lock.line_num), text(lock.func),
    pending == 0 and "holding" or pending > 0 and "waiting" or "failed",
    text(lock.lock_name), address and pmodule.hex(address) or "?",
    kinds[number(lock.type)] or "?", count(lock.times_locked),
    count(lock.suspended), track and count(track.reentrancy) or "-")
  if pending > 0 and mutex then holder(thread, lock, threads) end
end

local function show_locks()
  local infos = global("lock_infos")
  if not infos or not infos.first or number(infos.first) == 0 then return end
  local all, threads = {}, {}
  local why = each_node(infos.first, function(info)
    return info.entry.next
  end, {n = 0}, function(info)
    all[#all + 1] = info
    local id = number(info.thread_id)
    if id then threads[id] = text(info.thread_name) end
  end)
  say("locks", LOCK, "Thread", "File", "Line", "Function", "Status",
    "Lock name", "Lock address", "T", "Times locked", "Suspended", "Reentrancy")
  local lines = 0
  for _, info in ipairs(all) do
    local n = number(info.num_locks) or 0
    local room = math.floor(pmodule.sizeof(info.locks) /
      math.max(pmodule.sizeof(info.locks[0]), 1))
    if n > room then
      why = why or string.format("%.0f locks of a thread, which cannot be", n)
    end
    for i = 0, (n <= room and n or 0) - 1 do
      lines = lines + 1
      if lines <= LINES then show_lock(info, info.locks[i], threads) end
    end
  end
  if lines > LINES then say("locks", "... %d more", lines - LINES) end
  if why then say("locks", "the table ends early, at %s", why) end
end

pmodule.define {
  id = "asterisk",
  load = function()
    pmodule.register(pmodule.event.postattach, function(backtrace)
      bt = backtrace
      if not global("asterisk_version") then return end
      show_build()
      show_tables()
      show_locks()
    end)
  end,
}
