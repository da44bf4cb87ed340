-- SPDX-License-Identifier: MIT
--
-- inquest: when type alloc::* core::cell::* core::sync::atomic::*
-- inquest: when type std::collections::hash::* hashbrown::* std::sync::*
-- inquest: when type std::path::PathBuf std::ffi::os_str::OsString
--
-- Rust's standard library: strings, Vec, VecDeque, HashMap, BTreeMap, Rc, Arc,
-- cells, locks and atomics as what they hold.
--
-- Everything is found by the names of members, wherever they lie: a library
-- orders the fields of its structs as it likes, and has moved them into others
-- over the years. What cannot be (a length beyond the capacity, memory that is
-- not there, a tree that comes back to itself) is said, and the value stays as
-- the debug information has it.

local ELEMENTS = 64          -- that are shown
local TEXT = 1024            -- bytes of a string that are shown
local CONTROL = 1024 * 1024  -- bytes of a hash table that are looked at
local NODES = 2000           -- of a tree
local HEIGHT = 32            -- of a tree

local number, address_of = pmodule.number, pmodule.address
local format = string.format

-- ---- members ----

-- A 64-bit number in decimal.
local function dec(n)
  return (tostring(n):gsub("U?LL$", ""))
end

-- The number or pointer within wrappers (Unique, NonNull, UnsafeCell, Cell,
-- AtomicUsize, UsizeNoHighBit): their first member of a known name.
local wrappers = {"pointer", "value", "v", "ptr", "inner", "data_ptr", "__0"}

local function unwrap(raw)
  for _ = 1, 10 do
    if raw == nil or number(raw) ~= nil then return raw end
    local next
    for _, name in ipairs(wrappers) do
      next = raw[name]
      if next then break end
    end
    raw = next
  end
end

local function inner(raw)
  raw = unwrap(raw)
  return raw and number(raw)
end

local function argument(raw, n)
  local found = pmodule.type(raw):template_argument(n or 0)
  return type(found) ~= "number" and found or nil
end

local function readable(address, size)
  if size == 0 then return true end
  local last = address + (size - 1)
  return pmodule.address_read_number(address, 1) ~= nil and
    pmodule.address_read_number(last, 1) ~= nil
end

-- Own members give way to what was added.
local function replace(v)
  v:set_state(pmodule.variable_state.skip)
end

-- It may well be a variable that was not initialised yet.
local function invalid(v, name, why)
  v:set_summary("%s, not valid (uninitialised, dropped or overwritten): %s",
    name, why)
end

-- ---- sequences ----

-- Where a RawVec has its elements, and how many would fit.
local function buffer(raw)
  local buf = raw.buf
  if not buf then return nil end
  local cap = buf.cap or buf.inner and buf.inner.cap
  local ptr = buf.ptr or buf.inner and buf.inner.ptr
  return inner(ptr), inner(cap)
end

-- What is wrong with so many elements at an address; nil: nothing.
local function check(address, length, capacity, size)
  if size > 0 and capacity and length > capacity then
    return format("length %s exceeds the capacity %s", dec(length),
      dec(capacity))
  end
  if length > 2 ^ 47 then return format("length %s", dec(length)) end
  if length > 0 and not readable(address, length * size) then
    return format("%s bytes at %s cannot be read", dec(length * size),
      pmodule.hex(address))
  end
end

local function add_some(v, n, element)
  for i = 0, math.min(n, ELEMENTS) - 1 do
    if not v:add_member(nil, element(i)) then return end
  end
end

local function vec(v, raw, name)
  local t = argument(raw)
  local address, capacity = buffer(raw)
  local length = raw.len and number(raw.len)
  -- Parts may be optimized out, which the debug information says.
  if not t or not address or not length then return end
  local why = check(address, length, capacity, t:size())
  if why then return invalid(v, name, why) end
  replace(v)
  v:set_array()
  if t:size() > 0 then
    if length > 0 then
      v:add_elements(pmodule.cast(raw, t, address), math.min(length, ELEMENTS))
    end
  else
    add_some(v, length, function() return pmodule.cast(raw, t, address) end)
  end
  v:set_length(length)
  v:set_summary("%s(size=%s)", name, dec(length))
end

-- Until 1.66: tail and head, and room for a power of two; then head and len.
local function deque(v, raw, name)
  local t = argument(raw)
  local address, capacity = buffer(raw)
  local first, length = number(raw.head), raw.len and number(raw.len)
  if not t or not address or not capacity or not first then return end
  if raw.tail then
    local tail = number(raw.tail)
    if not tail then return end
    length = first >= tail and first - tail or first + capacity - tail
    first = tail
  end
  if not length then return end
  local size = t:size()
  local why = check(address, length, capacity, size)
  if not why and size > 0 and (first > capacity or
    length > 0 and not readable(address, capacity * size)) then
    why = format("it begins at %s of %s", dec(first), dec(capacity))
  end
  if why then return invalid(v, name, why) end
  replace(v)
  v:set_array()
  add_some(v, length, function(i)
    local at = size > 0 and (first + i) % capacity or 0
    return pmodule.cast(raw, t, address + at * size)
  end)
  v:set_length(length)
  v:set_summary("%s(size=%s)", name, dec(length))
end

-- ---- text ----

local function set_text(v, address, length)
  local shown = math.min(length, TEXT)
  local text = shown == 0 and "" or pmodule.address_read_raw(address, shown)
  replace(v)
  v:set_string(text or "")
  if length > shown then v:set_length(length) end
end

-- The vector of bytes within; String has it in `vec`, OsString and PathBuf one
-- and two levels deeper.
local function text(v, raw, name)
  local bytes = raw
  for _ = 1, 6 do
    if bytes == nil or bytes.buf then break end
    bytes = bytes.vec or bytes.inner
  end
  if not bytes or not bytes.len then return end
  local address, capacity = buffer(bytes)
  local length = number(bytes.len)
  if not address or not length then return end
  local why = check(address, length, capacity, 1)
  if why then return invalid(v, name, why) end
  set_text(v, address, length)
end

-- A boxed slice of bytes that ends with a zero.
local function c_string(v, raw, name)
  local slice = raw.inner
  if not slice or not slice.data_ptr or not slice.length then return end
  local address, length = number(slice.data_ptr), number(slice.length)
  if not address or not length then return end
  local why = check(address, length, nil, 1)
  if not why and length == 0 then why = "no byte" end
  if why then return invalid(v, name, why) end
  set_text(v, address, length - 1)
end

-- ---- hash tables ----

-- hashbrown: a byte of control for each place, of which the highest bit is
-- clear when it is taken; the elements lie before them, in reverse.
local function each_taken(ctrl, mask, items, fn)
  local at, found = 0, 0
  while at <= mask and at < CONTROL and found < items do
    local want = math.min(mask + 1 - at, 4096)
    local bytes = pmodule.address_read_raw(ctrl + at, want)
    if not bytes then return found, true end
    for i = 1, #bytes do
      if bytes:byte(i) < 0x80 then
        found = found + 1
        if fn(at + i - 1) then return found end
        if found == items then return found end
      end
    end
    if #bytes < want then return found, true end
    at = at + want
  end
  return found, found < items
end

local function raw_table(raw)
  for _ = 1, 6 do
    if raw == nil then return nil end
    if pmodule.type(raw):name():find("^hashbrown::raw::RawTable<") then
      return raw
    end
    raw = raw.base or raw.table or raw.map
  end
end

local function hash(v, raw, name, is_set)
  local whole = raw_table(raw)
  local t = whole and argument(whole)
  local part = whole and (whole.table or whole)
  if not t or not part.ctrl then return end
  local mask, items = number(part.bucket_mask), number(part.items)
  local ctrl = inner(part.ctrl)
  local why
  if not mask or not items or not ctrl then return end
  if items > 0 and (items > mask or mask > 2 ^ 40 or
    pmodule.band(mask, mask + 1) ~= 0) then
    why = format("%s elements in %s places", dec(items), dec(mask + 1))
  end
  local places = {}
  if not why and items > 0 then
    local found, short = each_taken(ctrl, mask, items, function(i)
      places[#places + 1] = i
      return #places >= ELEMENTS
    end)
    if short then
      why = format("%s elements, of which %d were found", dec(items), found)
    elseif #places > 0 and
      not readable(ctrl - (places[#places] + 1) * t:size(), t:size()) then
      why = format("elements before %s cannot be read", pmodule.hex(ctrl))
    end
  end
  if why then return invalid(v, name, why) end
  replace(v)
  v:set_array()
  for _, i in ipairs(places) do
    local entry = pmodule.cast(raw, t, ctrl - (i + 1) * t:size())
    if not v:add_member(nil, is_set and entry.__0 or entry) then break end
  end
  v:set_length(items)
  v:set_summary("%s(size=%s)", name, dec(items))
end

-- ---- trees ----

-- The i-th of an array of MaybeUninit, as what it holds.
local function slot(array, i, t)
  local place = array[i] or array -- what has no size is all in one place
  return pmodule.cast(place, t, address_of(place))
end

-- Calls fn(node, i) for entries in order until it returns true. What is wrong,
-- if the tree is damaged. A node knows its entries and, above the lowest level,
-- one edge more than entries.
local function each_entry(leaf, height, fn)
  local seen, n = {}, 0
  local kind = pmodule.type(leaf):name():gsub("LeafNode<", "InternalNode<", 1)
  local internal = pmodule.type(leaf):find(kind)
  if height > 0 and not internal then return "no description of its nodes" end
  local function visit(at, level)
    if seen[at] then
      return format("node %s was there before", pmodule.hex(at))
    end
    if n >= NODES then return "too many nodes" end
    seen[at], n = true, n + 1
    local node = pmodule.cast(leaf, pmodule.type(leaf), at)
    local count = node.len and number(node.len)
    local room = pmodule.sizeof(node.keys) == 0 and 2 ^ 16 or
      pmodule.sizeof(node.keys) / pmodule.sizeof(node.keys[0])
    if not count then
      return format("node %s cannot be read", pmodule.hex(at))
    end
    if count > room or count == 0 then
      return format("node %s has %d entries", pmodule.hex(at), count)
    end
    local edges = level > 0 and pmodule.cast(leaf, internal, at).edges
    for i = 0, count do
      if edges then
        local child = inner(edges[i])
        if not child then
          return format("node %s cannot be read", pmodule.hex(at))
        end
        local why = visit(child, level - 1)
        if why then return why end
      end
      if i < count and fn(node, i) then return true end
    end
  end
  local why = visit(address_of(leaf), height)
  return why ~= true and why or nil
end

local function tree(v, raw, name, is_set)
  local map = is_set and raw.map or raw
  local length = map and map.length and number(map.length)
  if not length or not map.root then return end
  local root = map.root.Some and map.root.Some.__0
  local entries, why = {}, nil
  if length > 2 ^ 47 then
    return invalid(v, name, format("length %s", dec(length)))
  end
  if root then
    -- Before 1.54 the two were called otherwise.
    local node, height = unwrap(root.node), number(root.height)
    if not node or not height then return end
    local leaf = pmodule.type(node):target()
    if height > HEIGHT then
      why = format("height %s", dec(height))
    elseif leaf then
      leaf = pmodule.cast(raw, leaf, number(node))
      why = each_entry(leaf, height, function(at, i)
        if #entries >= length then return true end
        entries[#entries + 1] = {at, i}
        return #entries >= ELEMENTS
      end)
    else
      return
    end
  end
  if not why and #entries < math.min(length, ELEMENTS) then
    why = format("length %s, but %d entries", dec(length), #entries)
  end
  if why then return invalid(v, name, why) end
  local key, value = argument(map, 0), argument(map, 1)
  if not key then return end
  replace(v)
  v:set_array()
  for i, entry in ipairs(entries) do
    local k = slot(entry[1].keys, entry[2], key)
    if is_set or not value then
      if not v:add_member(nil, k) then break end
    else
      local pair = pmodule.create_variable(
        format("(%s, %s)", key:name(), value:name()), "", 0, i - 1, v)
      pair:set_struct()
      v:add_variable(pair)
      pair:add_member("__0", k)
      pair:add_member("__1", slot(entry[1].vals, entry[2], value))
    end
  end
  v:set_length(length)
  v:set_summary("%s(size=%s)", name, dec(length))
end

-- ---- smart pointers ----

-- What is behind the two counts. A slice or text brings its length along.
local function add_counted(v, raw, box, pointer)
  local value = box.value or box.data
  local fat = pointer and pointer.length and number(pointer.length)
  if not value then return end
  local name = pmodule.type(raw):name():match("^[%w_:]+<(%w+)") or ""
  if name == "str" and fat then
    local child = pmodule.create_variable("str", "value", address_of(value),
      -1, v)
    v:add_variable(child)
    if fat <= 2 ^ 32 and readable(address_of(value), fat) then
      set_text(child, address_of(value), fat)
    end
  elseif fat then
    local child = pmodule.create_variable(
      format("[%s]", pmodule.type(value):name()), "value", address_of(value),
      -1, v)
    child:set_array()
    v:add_variable(child)
    if fat <= 2 ^ 40 and readable(address_of(value), fat *
      pmodule.sizeof(value)) then
      child:add_elements(value, math.min(fat, ELEMENTS))
    end
    child:set_length(fat)
  elseif name ~= "dyn" then
    v:add_member("value", value)
  end
end

local function counted(v, raw, name)
  local pointer = raw.ptr
  while pointer and not pointer.length and not pointer.vtable and
    number(pointer) == nil do
    pointer = pointer.pointer
  end
  local at = pointer and (pointer.data_ptr or
    (pointer.vtable and pointer.pointer) or pointer)
  local address = at and number(at)
  local t = at and pmodule.type(at):target()
  if not address or not t then return end
  if name:find("Weak") and address + 1 == 2 ^ 64 then
    replace(v)
    v:set_struct()
    v:set_summary("%s(dangling)", name)
    return
  end
  local box = pmodule.cast(raw, t, address)
  local strong, weak = inner(box.strong), inner(box.weak)
  if not strong or not weak then
    return invalid(v, name,
      format("nothing can be read at %s", pmodule.hex(address)))
  end
  -- More pointers than memory could hold.
  if strong > 2 ^ 44 or weak > 2 ^ 44 then
    return invalid(v, name, format("counts %s and %s", dec(strong), dec(weak)))
  end
  -- All strong ones together have one weak one.
  if strong > 0 then weak = weak - 1 end
  replace(v)
  v:set_struct()
  v:set_summary("%s(strong=%s, weak=%s)", name, dec(strong), dec(weak))
  if strong > 0 then add_counted(v, raw, box, pointer) end
end

-- ---- cells and locks ----

local function held(v, raw, value, summary)
  if not value then return end
  replace(v)
  v:set_struct()
  if summary then v:set_summary("%s", summary) end
  v:add_member("value", value)
end

-- The value of an UnsafeCell, however it is wrapped.
local function content(raw, name)
  local cell = raw[name]
  return cell and cell.value
end

local function ref_cell(v, raw)
  local borrow = inner(raw.borrow)
  if not borrow then return end
  held(v, raw, content(raw, "value"), borrow < 0 and
    format("RefCell(borrow_mut=%s)", dec(-borrow)) or
    format("RefCell(borrow=%s)", dec(borrow)))
end

-- Ref and RefMut: a pointer to the value, and to the count beside it.
local function borrowed(v, raw, name)
  local pointer, count = unwrap(raw.value), raw.borrow and raw.borrow.borrow
  local borrow = count and inner(count.value)
  local t = pointer and pmodule.type(pointer):target()
  local address = pointer and number(pointer)
  if not borrow or not t or not address or t:size() == 0 then return end
  if not readable(address, t:size()) then
    return invalid(v, name, format("nothing can be read at %s",
      pmodule.hex(address)))
  end
  held(v, raw, pmodule.cast(raw, t, address), borrow < 0 and
    format("%s(borrow_mut=%s)", name, dec(-borrow)) or
    format("%s(borrow=%s)", name, dec(borrow)))
end

-- A guard leads to its lock.
local function guard(v, raw, name)
  local lock = raw.lock
  local data = lock and lock.data
  local value = data and data.value
  if not value or not readable(address_of(value), pmodule.sizeof(value)) then
    return
  end
  held(v, raw, value, name)
end

local function non_zero(v, raw)
  local value = unwrap(raw)
  local n = value and number(value)
  if not n then return end
  replace(v)
  if n < 0 then v:set_ll(n) else v:set_ull(n) end
end

local function duration(v, raw)
  local secs, nanos = raw.secs and number(raw.secs), inner(raw.nanos)
  if not secs or not nanos or nanos >= 1e9 then return end
  v:set_summary("%s.%09ds", dec(secs), nanos)
end

local function state_of(raw)
  local lock = raw.inner
  for _ = 1, 4 do
    if not lock or lock.futex or lock.state then break end
    lock = lock.__0 or lock.inner
  end
  if not lock then return nil end
  local word = lock.futex or lock.state
  return word and inner(word)
end

local function poison(raw)
  local failed = raw.poison and inner(raw.poison.failed)
  return failed and failed ~= 0 and ", poisoned" or ""
end

-- Without a futex (other systems, old versions) the state is not told.
local function mutex(v, raw, name)
  local state = state_of(raw)
  local known = state and (state == 0 and "unlocked" or "locked")
  held(v, raw, content(raw, "data"), known and
    format("%s(%s%s)", name, known, poison(raw)) or name)
end

-- The lower 30 bits: how many read, all ones when one writes.
local function rw_lock(v, raw, name)
  local state = state_of(raw)
  local readers = state and pmodule.band(state, 0x3fffffff)
  local known = state and (readers == 0 and "unlocked" or
    readers == 0x3fffffff and "locked for writing" or
    format("readers=%d", readers))
  held(v, raw, content(raw, "data"), known and
    format("%s(%s%s)", name, known, poison(raw)) or name)
end

local function atomic(v, raw)
  local value = unwrap(raw)
  local n = value and number(value)
  if not n then return end
  local kind = pmodule.type(raw):name()
  replace(v)
  if kind:find("AtomicBool") or kind:find("Atomic<bool>") then
    v:set_bool(n ~= 0)
  elseif kind:find("AtomicPtr<") or kind:find("Atomic<%*") then
    v:set_ref(n)
  elseif kind:find("Atomic<?I") or kind:find("Atomic<i") then
    v:set_ll(n)
  else
    v:set_ull(n)
  end
end

-- ---- which type is shown how ----

local shapes = {
  ["alloc::string::String"] = {text, "String"},
  ["std::path::PathBuf"] = {text, "PathBuf"},
  ["std::ffi::os_str::OsString"] = {text, "OsString"},
  ["alloc::ffi::c_str::CString"] = {c_string, "CString"},
  ["std::ffi::c_str::CString"] = {c_string, "CString"},
  ["alloc::vec::Vec"] = {vec, "Vec"},
  ["alloc::collections::vec_deque::VecDeque"] = {deque, "VecDeque"},
  ["std::collections::hash::map::HashMap"] = {hash, "HashMap"},
  ["std::collections::hash::set::HashSet"] = {hash, "HashSet", true},
  ["hashbrown::map::HashMap"] = {hash, "HashMap"},
  ["hashbrown::set::HashSet"] = {hash, "HashSet", true},
  ["alloc::collections::btree::map::BTreeMap"] = {tree, "BTreeMap"},
  ["alloc::collections::btree::set::BTreeSet"] = {tree, "BTreeSet", true},
  ["alloc::rc::Rc"] = {counted, "Rc"},
  ["alloc::rc::Weak"] = {counted, "Weak"},
  ["alloc::sync::Arc"] = {counted, "Arc"},
  ["alloc::sync::Weak"] = {counted, "Weak"},
  ["core::cell::Cell"] = {function(v, raw)
    held(v, raw, content(raw, "value"))
  end},
  ["core::cell::RefCell"] = {ref_cell, "RefCell"},
  ["core::cell::Ref"] = {borrowed, "Ref"},
  ["core::cell::RefMut"] = {borrowed, "RefMut"},
  ["core::time::Duration"] = {duration},
  ["std::sync::mutex::MutexGuard"] = {guard, "MutexGuard"},
  ["std::sync::poison::mutex::MutexGuard"] = {guard, "MutexGuard"},
  ["std::sync::mutex::Mutex"] = {mutex, "Mutex"},
  ["std::sync::poison::mutex::Mutex"] = {mutex, "Mutex"},
  ["std::sync::rwlock::RwLock"] = {rw_lock, "RwLock"},
  ["std::sync::poison::rwlock::RwLock"] = {rw_lock, "RwLock"},
}

local roots = {alloc = true, core = true, std = true, hashbrown = true}

-- By the name before the arguments, "alloc::vec::Vec" of Vec<T, A>. A match
-- by part of the name also finds Option<alloc::...>, and twice what has two of
-- the parts.
local function show(part)
  return function(v, raw)
    local name = pmodule.type(raw):name():match("^[%w_:]+")
    if not name or name:match("^%w+") ~= part then return end
    local shape = shapes[name]
    if not shape and name:find("^core::sync::atomic::Atomic") then
      shape = {atomic}
    elseif not shape and name:find("^core::num::nonzero::NonZero") then
      shape = {non_zero}
    end
    if shape then shape[1](v, raw, shape[2], shape[3]) end
  end
end

pmodule.define {
  id = "rust",
  load = function()
    for part in pairs(roots) do
      local m = pmodule.match()
      m:add_variable_ptrace_type(pmodule.variable_type.tuple)
      m:add_variable_base_type(part .. "::", pmodule.match_type.substr)
      pmodule.register(pmodule.event.variable, show(part), m)
    end
  end,
}
