-- SPDX-License-Identifier: MIT
-- Containers, wherever their parts are: what lies in a row, in blocks, in
-- nodes that are linked, and in trees.

-- ---- what lies in a row ----

-- [begin, finish) of what `start` points to; nil: nothing can be said; false:
-- it was said why not.
local function row(var, c, start, finish, stop)
  local first = start and start[0]
  local from, size = start and number(start), first and sizeof(first)
  if from == nil or finish == nil or not size or size == 0 then return nil end
  -- An optimizer leaves the end of storage out where nobody asks for it.
  local is_open = stop == nil
  if is_open then stop = finish end
  if not (is_plain(from) and is_plain(finish) and is_plain(stop)) or
      finish < from or stop < finish or (finish - from) % size ~= 0 or
      (stop - from) % size ~= 0 then
    invalid(var, c, "its begin, end and end of storage do not fit together")
    return false
  end
  local n = (finish - from) / size
  if n > 0 and not is_readable(from, finish - from) then
    unreadable(var, c, "of length " .. tostring(n), from)
    return false
  end
  return first, n, not is_open and (stop - from) / size
end

local function vector(var, c, start, finish, stop)
  local first, n, capacity = row(var, c, start, finish, stop)
  if not first then return end
  open(var, true, format("std::vector of length %s%s", tostring(n),
    capacity and ", capacity " .. tostring(capacity) or ""))
  show_elements(var, first, n)
end

-- n bits from bit `offset` of the words at `from`.
local function bits(var, c, from, offset, n, capacity)
  if not (is_plain(from) and is_plain(offset) and is_plain(n) and
      is_plain(capacity)) or offset >= 64 or n > 2^46 or capacity < n then
    return invalid(var, c, "its begin, end and end of storage do not fit " ..
      "together")
  end
  if n > 0 and not is_readable(from, floor((offset + n + 7) / 8)) then
    return unreadable(var, c, "of length " .. tostring(n), from)
  end
  open(var, true, format("std::vector<bool> of length %s, capacity %s",
    tostring(n), tostring(capacity)))
  for i = 0, afford(n, 1) - 1 do
    local bit = offset + i
    local byte = read(from + floor(bit / 8), 1)
    local e = pmodule.create_variable("bool", nil, nil, i, var)
    e:set_bool(floor(byte / 2 ^ (bit % 8)) % 2 == 1)
    var:add_variable(e)
  end
  var:set_length(n)
end

-- Blocks of `per` elements, pointers to which begin at `map`; the first
-- element is number `skip` of the first block.
local function blocks(var, c, raw, t, map, skip, per, n)
  if n > 0 then
    for _, i in ipairs({0, n - 1}) do
      local block = read(map + 8 * floor((skip + i) / per), 8)
      local at = is_plain(block) and block + (skip + i) % per * t:size()
      if not at or not is_readable(at, t:size()) then
        return invalid(var, c, format("it has no memory for element %s",
          tostring(i)))
      end
    end
  end
  open(var, true, "std::deque of length " .. tostring(n))
  local i, last = 0, afford(n, t:size())
  while i < last do
    local at = skip + i
    local block = read(map + 8 * floor(at / per), 8)
    local count = min(last - i, per - at % per)
    if not is_plain(block) then break end
    var:add_elements(cast(raw, t, block + at % per * t:size()), count)
    i = i + count
  end
  var:set_length(n)
end

-- ---- nodes ----

-- The nodes are those of `at`; a note says what is wrong with the rest.
local function show_nodes(var, c, raw, at, n, note)
  local t, offset = c.element, c.offset
  open(var, true, format("%s with %s%s", c.name, plural(n, "element"),
    note and ", damaged: " .. note or ""))
  for i = 1, afford(#at, t and t:size()) do
    var:add_member(nil, cast(raw, t, at[i] + offset))
  end
  var:set_length(n)
end

-- What a key looks like in brackets; nil: it is no text and no number.
local texts -- type name -> function(raw) that gives a text
local function key_text(raw)
  local view = pmodule.variable_from_bt(raw)
  local kind, text = view:type(), nil
  if kind == TYPE.tuple then
    local get = texts(typeof(raw):base():name())
    if get == nil then return nil end
    text = get(raw)
  elseif kind == TYPE.enum then
    return "[" .. (view:symbol() or tostring(view:value())) .. "]"
  elseif kind == TYPE.ll or kind == TYPE.ull then
    local v = view:value()
    return v ~= nil and "[" .. tostring(v) .. "]" or nil
  elseif kind == TYPE.flt or kind == TYPE.dbl then
    local v = view:value()
    return v ~= nil and format("[%.17g]", v):gsub("^%[(%-?%d+%.%d-)0+%]$",
      "[%1]") or nil
  elseif kind == TYPE.reference then
    text = view:symbol()
    if not view:is_string() then
      local v = view:value()
      return v ~= nil and "[" .. pmodule.hex(v) .. "]" or nil
    end
  elseif kind == TYPE.string then
    text = view:symbol()
  end
  if text == nil then return nil end
  if #text > 80 then text = text:sub(1, 80) .. "..." end
  return '["' .. text .. '"]'
end

-- The same for pairs: the first is the name of the second.
local function show_pairs(var, c, raw, at, n, note)
  open(var, false, format("%s with %s%s", c.name, plural(n, "element"),
    note and ", damaged: " .. note or ""))
  for i = 1, afford(#at, c.element and c.element:size()) do
    local pair = cast(raw, c.element, at[i] + c.offset)
    local first, second = pair.first, pair.second
    local key = first and key_text(first)
    if key and second then
      var:add_member(key, second)
    else
      var:add_member(format("[%d]", i - 1), pair)
    end
  end
  var:set_length(n)
end

-- Where the element is in a node of that type; false: not known.
local function node_layout(c, raw, node, some, ...)
  if c.offset ~= nil then return end
  c.offset = false
  if node == nil or c.element == nil or not is_plain(some) then return end
  local whole = cast(raw, node, some)
  for i = 1, select("#", ...) do
    local part = whole[(select(i, ...))]
    local at = part and address(part)
    if at then
      c.offset = at - some
      return
    end
  end
end

-- Without the type of the nodes nobody knows where their elements are.
local function without_layout(var, c, n)
  var:set_summary(format("%s with %s (debug information lacks its nodes)",
    c.name, plural(n, "element")))
end

-- A ring of nodes {next, prev} or {prev, next} that begins and ends at `head`.
local function list(var, c, raw, head, next_at, prev_at, n, node, ...)
  local first, last = read(head + next_at, 8), read(head + prev_at, 8)
  if first == nil or last == nil then return end
  if n ~= nil and (not is_plain(n) or (n == 0) ~= (first == head)) then
    return invalid(var, c, "its length and its links do not fit together")
  end
  if not is_plain(first) or not is_plain(last) or
      read(first + prev_at, 8) ~= head or read(last + next_at, 8) ~= head then
    return invalid(var, c, "its links do not lead back")
  end
  node_layout(c, raw, node, first, ...)
  local at, back, here, count, note = {}, head, first, 0, nil
  while here ~= head do
    if not is_plain(here) or read(here + prev_at, 8) ~= back then
      note = format("element %d at %s is not linked back", count,
        pmodule.hex(here))
      break
    end
    count = count + 1
    if count <= most then at[count] = here end
    if count == most and n ~= nil or count == MAX_COUNT then break end
    back, here = here, read(here + next_at, 8)
  end
  if n == nil then
    n = count
    if count == MAX_COUNT then note = "it has more than can be counted" end
  elseif note == nil and n < count or here == head and n > count then
    note = format("its nodes are %d", count)
  end
  if not c.offset and n > 0 then return without_layout(var, c, n) end
  show_nodes(var, c, raw, at, n, note)
end

-- How many nodes a chain has that leads back into itself, and to which: two
-- walkers, one twice as fast, have met at `meeting` (Floyd).
local function measure_ring(first, meeting)
  local to, a, b = 0, first, meeting
  while a ~= b do
    to, a, b = to + 1, read(a, 8), read(b, 8)
  end
  local length = 0
  repeat
    length, b = length + 1, read(b, 8)
  until a == b
  return to + length, to
end

-- Nodes that begin with the address of the next, up to one that is null.
local function chain(var, c, raw, first, n, node, show, ...)
  if not is_plain(first) or n ~= nil and (not is_plain(n) or
      (n == 0) ~= (first == 0)) then
    return invalid(var, c, "its length and its links do not fit together")
  end
  if first ~= 0 and read(first, 8) == nil then
    return invalid(var, c, format("its first element at %s cannot be read",
      pmodule.hex(first)))
  end
  node_layout(c, raw, node, first, ...)
  -- The tortoise walks half as fast: they meet only in a ring.
  local at, here, count, note, tortoise = {}, first, 0, nil, first
  while here ~= 0 do
    local following = read(here, 8)
    if not is_plain(following) then
      note = format("element %d at %s cannot be read", count,
        pmodule.hex(here))
      break
    end
    count = count + 1
    if count <= most then at[count] = here end
    if count == most and n ~= nil or count == MAX_COUNT then break end
    here = following
    if count % 2 == 0 then
      tortoise = read(tortoise, 8)
      if here == tortoise and here ~= 0 then
        local nodes, to = measure_ring(first, here)
        note = format("element %d leads back to element %d", nodes - 1, to)
        count = nodes
        for i = nodes + 1, #at do at[i] = nil end
        break
      end
    end
  end
  if n == nil then
    n = count
    if count == MAX_COUNT then note = "it has more than can be counted" end
  elseif note == nil and (n < count or here == 0 and n > count) then
    note = format("its nodes are %d", count)
  end
  if not c.offset and n > 0 then return without_layout(var, c, n) end
  show(var, c, raw, at, n, note)
end

-- In-order successor of a node {parent, left, right} at the given offsets; nil:
-- the tree is damaged.
local function successor(x, up, down_left, down_right)
  local y = read(x + down_right, 8)
  if not is_plain(y) then return nil end
  if y ~= 0 then
    for _ = 1, MAX_STEPS do
      local l = read(y + down_left, 8)
      if not is_plain(l) then return nil end
      if l == 0 then return y end
      y = l
    end
    return nil
  end
  for _ = 1, MAX_STEPS do
    y = read(x + up, 8)
    if not is_plain(y) then return nil end
    -- The end's left child is the root (libc++), its right one the last
    -- element (libstdc++): the way up ends there.
    if read(y + down_left, 8) == x then return y end
    x = y
  end
  return nil
end

local function tree(var, c, raw, head, first, root, n, up, down_left,
    down_right, node, ...)
  if not (is_plain(head) and is_plain(first) and is_plain(root) and
      is_plain(n)) or (n == 0) ~= (root == 0) then
    return invalid(var, c, "its size and its root do not fit together")
  end
  if n > 0 and read(root + up, 8) ~= head then
    return invalid(var, c, "its root does not lead back to it")
  end
  local at, here, note = {}, first, nil
  if n > 0 then node_layout(c, raw, node, first, ...) end
  for i = 1, min(n, most) do
    if not is_plain(here) or here == head or read(here, 8) == nil then
      note = here == head and format("its nodes are %d", i - 1) or
        format("element %d cannot be reached", i - 1)
      break
    end
    at[i] = here
    if i == n then
      -- Of libstdc++ the last one's right neighbour is the head itself.
      break
    end
    here = successor(here, up, down_left, down_right)
  end
  if not c.offset and n > 0 then return without_layout(var, c, n) end
  local show = c.is_map and show_pairs or show_nodes
  show(var, c, raw, at, n, note)
end

