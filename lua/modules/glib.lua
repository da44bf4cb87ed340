-- SPDX-License-Identifier: MIT
--
-- inquest: when type _GList _GSList _GQueue _GHashTable _GString _GArray
-- inquest: when type _GPtrArray _GByteArray
--
-- GLib's lists, queues, arrays, strings and hash tables as what they hold,
-- wherever a variable is one or points to one.
--
-- GLib keeps gpointers: what they point to is not known, so they are shown as
-- addresses. In hash tables the hash function tells of the keys (g_str_hash
-- hashes text). GHashTable and the end of GArray are private: their layout
-- comes from debug information of the library when there is some, else from
-- the tables below (GLib 2.62 and later); a table that cannot be true, a list
-- that comes back to itself or memory that is not there is said.

local ELEMENTS = 64  -- that are shown
local TEXT = 1024    -- bytes of a string that are shown
local NODES = 300000    -- of lists that are counted, in all
local PLACES = 4000000  -- of hash tables that are looked at, in all

local nodes_left, places_left
local walked -- lists: a list is in many variables, and walked once

local function reset()
  nodes_left, places_left = NODES, PLACES
  walked = {[true] = {}, [false] = {}}
end

local number, read = pmodule.number, pmodule.address_read_number
local hex, format = pmodule.hex, string.format

local function pointer(at)
  local value = at and read(at, 8)
  return type(value) == "number" and value or nil
end

-- ---- what is shown ----

local function replace(v)
  v:set_state(pmodule.variable_state.skip)
  v:set_array()
end

-- It may well be a variable that was not set yet.
local function invalid(v, name, why)
  v:set_summary("%s, not valid (not set, freed or overwritten): %s", name, why)
end

-- A gpointer among the members of v.
local function add_pointer(v, name, at, value, index)
  local e = pmodule.create_variable("gpointer", name, at, index, v)
  e:set_ref(value)
  v:add_variable(e)
end

-- ---- lists ----

-- Calls fn(node, data) for each node; how many, and why it ended early; true
-- when there are more.
local function each_node(first, double, fn)
  local node, n, seen, before = first, 0, {}, nil
  while node ~= 0 do
    local data, next = pointer(node), pointer(node + 8)
    local back = double and n > 0 and pointer(node + 16)
    if not data or not next then
      return n, format("node %s cannot be read", hex(node))
    end
    if seen[node] then
      return n, format("node %s was there before", hex(node))
    end
    if double and n > 0 and back ~= before then
      return n, format("node %s does not lead back", hex(node))
    end
    if nodes_left <= 0 and n >= ELEMENTS then return n, nil, true end
    nodes_left = nodes_left - 1
    seen[node] = true
    n = n + 1
    if n <= ELEMENTS then fn(node, data) end
    before, node = node, next
  end
  return n
end

local function walk(first, double)
  local found = walked[double][first]
  if not found then
    found = {}
    found.n, found.why, found.more = each_node(first, double,
      function(node, data)
        found[#found + 1] = {node, data}
      end)
    walked[double][first] = found
  end
  return found, found.n, found.why, found.more
end

-- The nodes that are right are shown whatever comes after them.
local function nodes(v, name, first, double, wanted)
  local found, n, why, more = walk(first, double)
  if not why and not more and wanted and wanted ~= n then
    why = format("length %.0f, but %d nodes", wanted, n)
  end
  if why and n == 0 then return invalid(v, name, why) end
  replace(v)
  for i, entry in ipairs(found) do
    add_pointer(v, "", entry[1], entry[2], i - 1)
  end
  if more then
    v:set_summary("%s(length>%d)", name, n)
    return
  end
  v:set_length(n)
  if why then
    v:set_summary("%s, valid up to node %d: %s", name, n, why)
  else
    v:set_summary("%s(length=%d)", name, n)
  end
end

local function list(v, raw, at) nodes(v, "GList", at, true) end
local function slist(v, raw, at) nodes(v, "GSList", at, false) end

local function queue(v, raw, at)
  local head, length = pointer(at), read(at + 16, 4)
  if not head or not length then
    return invalid(v, "GQueue", hex(at) .. " cannot be read")
  end
  nodes(v, "GQueue", head, true, length)
end

-- ---- arrays and text ----

local function gstring(v, raw, at)
  local str, len, room = pointer(at), read(at + 8, 8), read(at + 16, 8)
  if not str or not len or not room then
    return invalid(v, "GString", hex(at) .. " cannot be read")
  end
  -- There is always a zero behind the text.
  if len >= room or type(len) ~= "number" then
    return invalid(v, "GString", format("length %s, room for %s",
      hex(len), hex(room)))
  end
  local shown = math.min(len, TEXT)
  local text = shown == 0 and "" or pmodule.address_read_raw(str, shown)
  if not text or #text < shown or read(str + len, 1) ~= 0 then
    return invalid(v, "GString", "no text at " .. hex(str))
  end
  v:set_state(pmodule.variable_state.skip)
  v:set_string(text)
  if len > shown then v:set_length(len) end
end

-- Elements of a size, as unsigned numbers: their type is not known.
local function add_numbers(v, data, n, size)
  for i = 0, math.min(n, ELEMENTS) - 1 do
    local e = pmodule.create_variable(format("guint%d", size * 8), "",
      data + i * size, i, v)
    e:set_ull(read(data + i * size, size) or 0)
    v:add_variable(e)
  end
end

local function readable(data, n, size)
  return n == 0 or read(data, 1) ~= nil and read(data + n * size - 1, 1) ~= nil
end

local function ptr_array(v, raw, at)
  local data, n = pointer(at), read(at + 8, 4)
  if not data or not n then
    return invalid(v, "GPtrArray", hex(at) .. " cannot be read")
  end
  if not readable(data, n, 8) then
    return invalid(v, "GPtrArray", format("no %.0f elements at %s", n,
      hex(data)))
  end
  replace(v)
  for i = 0, math.min(n, ELEMENTS) - 1 do
    add_pointer(v, "", data + i * 8, read(data + i * 8, 8), i)
  end
  v:set_length(n)
  v:set_summary("GPtrArray(length=%d)", n)
end

-- Behind the public members: how many fit (in old versions: how many bytes),
-- and how large one is.
local function array(v, raw, at)
  local data, n = pointer(at), read(at + 8, 4)
  local room, size = read(at + 12, 4), read(at + 16, 4)
  if not data or not n or not size then
    return invalid(v, "GArray", hex(at) .. " cannot be read")
  end
  if size == 0 or size > 65536 or n > room or
    not readable(data, n, size) then
    return invalid(v, "GArray",
      format("%.0f elements of %.0f bytes at %s", n, size, hex(data)))
  end
  -- What has another size is a struct that nobody describes.
  if size ~= 1 and size ~= 2 and size ~= 4 and size ~= 8 then
    v:set_summary("GArray(length=%d, element size %d)", n, size)
    return
  end
  replace(v)
  add_numbers(v, data, n, size)
  v:set_length(n)
  v:set_summary("GArray(length=%d, element size %d)", n, size)
end

local function byte_array(v, raw, at)
  local data, n = pointer(at), read(at + 8, 4)
  if not data or not n then
    return invalid(v, "GByteArray", hex(at) .. " cannot be read")
  end
  if not readable(data, n, 1) then
    return invalid(v, "GByteArray", format("no %.0f bytes at %s", n,
      hex(data)))
  end
  replace(v)
  add_numbers(v, data, n, 1)
  v:set_length(n)
  v:set_summary("GByteArray(length=%d)", n)
end

-- ---- hash tables ----

-- Offset and size of each member.
local LAYOUT_62 = { -- GLib 2.62 to 2.86
  size = {0, 8}, mask = {12, 4}, nnodes = {16, 4}, noccupied = {20, 4},
  bits = {24, 4}, keys = {32, 8}, hashes = {40, 8}, values = {48, 8},
  hash_func = {56, 8},
}
local LAYOUT_87 = { -- since then
  size = {0, 4}, mask = {8, 4}, nnodes = {12, 4}, noccupied = {16, 4},
  bits = {20, 4}, keys = {24, 8}, hashes = {32, 8}, values = {40, 8},
  hash_func = {48, 8},
}

local function layout()
  local major = pmodule.symbol_address("glib_major_version")
  local minor = pmodule.symbol_address("glib_minor_version")
  major, minor = major and read(major, 4), minor and read(minor, 4)
  if major ~= 2 or not minor or minor < 62 then return nil end
  return minor < 87 and LAYOUT_62 or LAYOUT_87
end

-- nil: nobody knows where they are; and what cannot be read.
local function fields(raw, at)
  local out = {}
  local known = raw.nnodes == nil and layout()
  if raw.nnodes == nil and not known then return nil end
  for name in pairs(LAYOUT_62) do
    if known then
      out[name] = read(at + known[name][1], known[name][2])
    elseif name ~= "bits" then
      out[name] = raw[name] and number(raw[name])
    end
    if name ~= "bits" and type(out[name]) ~= "number" then
      return nil, "it cannot be read"
    end
  end
  if known then
    if not out.bits then return nil, "it cannot be read" end
    out.big_keys = out.bits % 2 == 1
    out.big_values = math.floor(out.bits / 2) % 2 == 1
  else
    out.big_keys = raw.have_big_keys == nil or number(raw.have_big_keys) ~= 0
    out.big_values = raw.have_big_values == nil or
      number(raw.have_big_values) ~= 0
  end
  return out
end

-- Indices of what is in use; the marks of an unused and a deleted place are 0
-- and 1.
local function used_places(h)
  local out, found, at = {}, 0, 0
  while at < h.size and places_left > 0 and found < h.nnodes and
    #out < ELEMENTS do
    local n = math.min(h.size - at, 1024)
    local bytes = pmodule.address_read_raw(h.hashes + at * 4, n * 4)
    if not bytes or #bytes < n * 4 then return out, found end
    for i = 0, n - 1 do
      local a, b, c, d = bytes:byte(i * 4 + 1, i * 4 + 4)
      if a > 1 or b + c + d > 0 then
        found = found + 1
        if #out < ELEMENTS then out[#out + 1] = at + i end
      end
    end
    at = at + n
    places_left = places_left - n
  end
  return out, found
end

local function entry_value(base, i, big)
  return read(base + i * (big and 8 or 4), big and 8 or 4)
end

local function add_key(v, name, h, i, index)
  local key = entry_value(h.keys, i, h.big_keys)
  local at = h.keys + i * (h.big_keys and 8 or 4)
  local kind = pmodule.address_symbol(h.hash_func)
  local e = pmodule.create_variable("gpointer", name, at, index, v)
  local text = kind == "g_str_hash" and key and
    pmodule.address_read_string(key, TEXT)
  if text then
    e:set_string(text)
  elseif kind == "g_int_hash" and key and read(key, 4) then
    e:set_ll(read(key, 4, true))
  elseif kind == "g_int64_hash" and key and read(key, 8) then
    e:set_ll(read(key, 8, true))
  else
    e:set_ref(key or 0)
  end
  v:add_variable(e)
end

local function hash_table(v, raw, at)
  local name = "GHashTable"
  local h, why = fields(raw, at)
  if not h then
    return why and invalid(v, name, hex(at) .. ": " .. why)
  end
  if h.size == 0 or h.size > 2 ^ 31 or h.mask ~= h.size - 1 or
    pmodule.band(h.mask, h.size) ~= 0 or h.nnodes > h.noccupied or
    h.noccupied > h.size then
    return invalid(v, name, format("%.0f of %.0f places in use", h.nnodes,
      h.size))
  end
  local places, found = used_places(h)
  if found < math.min(h.nnodes, ELEMENTS) and places_left > 0 then
    return invalid(v, name, format("%.0f entries, of which %d were found",
      h.nnodes, found))
  end
  for _, i in ipairs(places) do
    if not entry_value(h.keys, i, h.big_keys) or
      not entry_value(h.values, i, h.big_values) then
      return invalid(v, name, "entries at " .. hex(h.keys) ..
        " cannot be read")
    end
  end
  replace(v)
  for n, i in ipairs(places) do
    if h.keys == h.values then -- used as a set
      add_key(v, "", h, i, n - 1)
    else
      local pair = pmodule.create_variable("<entry>", "", 0, n - 1, v)
      pair:set_struct()
      v:add_variable(pair)
      add_key(pair, "key", h, i, -1)
      add_pointer(pair, "value", h.values + i * (h.big_values and 8 or 4),
        entry_value(h.values, i, h.big_values), -1)
    end
  end
  v:set_length(h.nnodes)
  v:set_summary("%s(size=%d)", name, h.nnodes)
end

-- ---- which type is shown how ----

-- By the names behind GLib's typedefs.

local shapes = {
  _GList = list, _GSList = slist, _GQueue = queue, _GString = gstring,
  _GArray = array, _GPtrArray = ptr_array, _GByteArray = byte_array,
  _GHashTable = hash_table,
}

-- A pointer to one is one, if it is not null; the object is looked at when it
-- has a variable of its own (a member, one that was followed to).
local function show(shape)
  return function(v, raw)
    local kind = v:type()
    if kind == pmodule.variable_type.tuple then
      local at = pmodule.address(raw)
      if at then shape(v, raw, at) end
      return
    end
    local at = kind == pmodule.variable_type.reference and number(raw)
    -- Of several pointers only the last one is to the object itself.
    local name = at and pmodule.type(raw):name() or ""
    if at == nil or at == 0 or type(at) ~= "number" or
      name:find("%*%s*%*") then return end
    shape(v, raw, at)
  end
end

pmodule.define {
  id = "glib",
  load = function()
    reset()
    for name, shape in pairs(shapes) do
      local m = pmodule.match()
      m:add_variable_base_type(name)
      pmodule.register(pmodule.event.variable, show(shape), m)
    end
  end,
  reset = reset,
}
