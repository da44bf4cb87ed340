-- SPDX-License-Identifier: MIT
--
-- inquest: when symbol _PyRuntime in python* libpython* uwsgi* blender*
--
-- Python frames of a CPython process: function, file, line and locals, put in
-- where the interpreter's loop (_PyEval_EvalFrameDefault) is in the stack.
--
-- Nothing of the program is run and no debug information is needed: the
-- offsets of each version are in a table (they did not change within 3.9, 3.10
-- or 3.11, debug builds included), and what is read is believed only if it
-- looks as the interpreter would have left it: a code object must be of type
-- code, a thread state must point back to its interpreter. Every chain has a
-- budget and ends where an address comes up again.

local read, read_text = pmodule.address_read_number, pmodule.address_read_raw
local format, floor = string.format, math.floor
local char, byte, sub = string.char, string.byte, string.sub
local hex, band = pmodule.hex, pmodule.band
local concat = table.concat

-- What a module may take from a process, whatever its memory says.
local INTERPRETERS, THREADS = 64, 20000
local FRAMES = 20000       -- of one thread
local FRAMES_ALL = 40000   -- of all; each is two to ten things in the snapshot
local VARIABLES_ALL = 15000
local LOCALS = 64          -- of one frame
local TEXT = 1024          -- characters of a string that are shown
local DEPTH, ITEMS, REPR = 2, 10, 300 -- of a repr
local TABLE = 1024 * 1024  -- bytes of a line table
local REMEMBERED = 4096    -- objects of a kind that are not looked at again

-- ---- layouts ----

local common = {
  tstate_next = 8, tstate_interp = 16,
  type_name = 24, type_flags = 168, type_dict = 264,
  dict_used = 16, dict_keys = 32, dict_values = 40,
  set_used = 24, set_mask = 32, set_table = 40,
}

local function layout(fields)
  for name, value in pairs(common) do fields[name] = value end
  return fields
end

local layouts = {
  ["3.9"] = layout {
    head = 32, current = 568, tstates = 8, thread_id = 176,
    sysdict = 872, collecting = 816,
    frame = 24, f_back = 24, f_code = 32, f_lasti = 104, f_lineno = 108,
    f_trace = 80, f_locals = 56, f_fast = 360,
    co_varnames = 72, co_cellvars = 88, co_freevars = 80, co_lines = 120,
    co_flags = 36, co_first = 40, co_filename = 104, co_name = 112,
    function_name = 104, type_qualname = 856, lasti_unit = 1,
  },
  ["3.10"] = layout {
    head = 32, current = 568, tstates = 8, thread_id = 176,
    sysdict = 872, collecting = 816,
    cframe = 48, cframe_previous = 8,
    frame = 24, f_back = 24, f_code = 32, f_lasti = 96, f_lineno = 100,
    f_trace = 72, f_locals = 56, f_fast = 352,
    co_varnames = 72, co_cellvars = 88, co_freevars = 80, co_lines = 120,
    co_flags = 36, co_first = 40, co_filename = 104, co_name = 112,
    function_name = 40, type_qualname = 864, lasti_unit = 2,
  },
  ["3.11"] = layout {
    head = 40, current = 576, tstates = 16, thread_id = 152, native_id = 160,
    sysdict = 904, collecting = 848,
    cframe = 56, cframe_previous = 16, cframe_frame = 8,
    f_back = 48, f_code = 32, f_instr = 56, f_entry = 68, -- then the owner
    f_locals = 24, f_fast = 72,
    co_plusnames = 96, co_pluskinds = 104, co_lines = 136,
    co_flags = 48, co_first = 72, co_filename = 112, co_name = 120,
    co_qualname = 128, co_traceable = 168,
    co_code = 184, function_name = 40, type_qualname = 864,
  },
}

local at            -- the layout of this process
local version       -- "3.11"
local types = {}    -- address -> name, for what repr knows
local none, yes, no, dummy -- None, True, False, a deleted member of a set
local frames_left, variables_left
local codes         -- address -> what is known of a code object

local function pointer(address)
  local value = read(address, 8)
  if type(value) == "number" and value ~= 0 then return value end
end

-- ---- objects ----

local function is(object, name)
  local t = pointer(object + 8)
  return t ~= nil and types[t] == name
end

local names = {} -- of types
local function type_name(t)
  if not t then return nil end
  local name = names[t]
  if name == nil then
    local text = pointer(t + at.type_name)
    name = text and pmodule.address_read_string(text, 200) or false
    -- The last part; a static type has it with its module.
    if name and (name == "" or name:find("[%c\128-\255]")) then name = false end
    names[t] = name and (name:match("[^.]+$") or name)
  end
  return names[t] or nil
end

local function utf8(code)
  if code < 0x80 then return char(code) end
  if code < 0x800 then
    return char(0xC0 + floor(code / 64), 0x80 + code % 64)
  end
  if code < 0x10000 then
    return char(0xE0 + floor(code / 4096), 0x80 + floor(code / 64) % 64,
      0x80 + code % 64)
  end
  return char(0xF0 + floor(code / 262144), 0x80 + floor(code / 4096) % 64,
    0x80 + floor(code / 64) % 64, 0x80 + code % 64)
end

-- The bytes of the characters, at most `most` of them, how many bytes one takes,
-- and how many there are in all.
local function raw_text(object, most)
  if not is(object, "str") then return nil end
  local length = read(object + 16, 8)
  local state = read(object + 32, 4)
  if type(length) ~= "number" or not state then return nil end
  local kind = floor(state / 4) % 8
  local compact, ascii = floor(state / 32) % 2, floor(state / 64) % 2
  if kind ~= 1 and kind ~= 2 and kind ~= 4 then return nil end
  local data = object + (ascii == 1 and 48 or 72)
  if compact == 0 then data = pointer(object + 72) end
  -- Behind the last character there is always a zero.
  if not data or length > 2 ^ 40 or
    read(data + length * kind, kind) ~= 0 then return nil end
  local n = math.min(length, most)
  local raw = n == 0 and "" or data and read_text(data, n * kind)
  if not raw or #raw < n * kind then return nil end
  return raw, kind, length
end

-- The characters as numbers, at most `most`; and how many there are.
local function characters(object, most)
  local raw, kind, length = raw_text(object, most)
  if not raw then return nil end
  local out = {}
  for i = 1, #raw / kind do
    local p = (i - 1) * kind
    if kind == 1 then
      out[i] = byte(raw, p + 1)
    elseif kind == 2 then
      local a, b = byte(raw, p + 1, p + 2)
      out[i] = a + b * 256
    else
      local a, b, c = byte(raw, p + 1, p + 3)
      out[i] = a + b * 256 + c * 65536
      if out[i] > 0x10FFFF then return nil end
    end
  end
  return out, length
end

-- Text of a str and its whole length in characters; nil: it is none.
local function text_of(object, most)
  local raw, kind, length = raw_text(object, most or TEXT)
  if not raw then return nil end
  if kind == 1 and not raw:find("[\128-\255]") then return raw, length end
  local all = characters(object, most or TEXT)
  if not all then return nil end
  for i = 1, #all do all[i] = utf8(all[i]) end
  return concat(all), length
end

-- Many frames have the same objects. What is said of one depends on nothing
-- but the memory, which does not change within a snapshot: it is found out
-- once.
local snapshots = 0
local function remembered(fn)
  local known, n, of = {}, 0, 0
  return function(object)
    if of ~= snapshots then known, n, of = {}, 0, snapshots end
    local out = known[object]
    if out == nil then
      out = fn(object) or false
      if n < REMEMBERED then known[object], n = out, n + 1 end
    end
    return out or nil
  end
end

local function bytes_of(object, most)
  if not is(object, "bytes") then return nil end
  local length = read(object + 16, 8)
  if type(length) ~= "number" then return nil end
  local n = math.min(length, most)
  local raw = n == 0 and "" or read_text(object + 32, n)
  if not raw or #raw < n then return nil end
  return raw, length
end

-- The members of a tuple or list that are wanted, and how many there are.
local function items(object, most)
  local n = read(object + 16, 8)
  if type(n) ~= "number" or n >= 2 ^ 40 then return nil end
  local first = object + 24
  if is(object, "list") and n ~= 0 then
    local room = read(object + 32, 8)
    first = pointer(first)
    if not first or type(room) ~= "number" or n > room then return nil end
  end
  local out = {}
  for i = 1, math.min(n, most) do
    out[i] = pointer(first + (i - 1) * 8)
    if not out[i] then return nil end
  end
  return out, n
end

-- Where the entries of a dict lie, how many, and how long one is.
local function dict_table(keys)
  if version == "3.11" then
    local size, kind = read(keys + 9, 1), read(keys + 10, 1)
    local n = read(keys + 24, 8)
    if not size or size > 40 or type(n) ~= "number" then return nil end
    return keys + 32 + 2 ^ size, n, kind ~= 0 and 16 or 24
  end
  local size, n = read(keys + 8, 8), read(keys + 32, 8)
  if type(size) ~= "number" or type(n) ~= "number" or size > 2 ^ 40 then
    return nil
  end
  local index = size <= 0xff and 1 or size <= 0xffff and 2
    or size <= 0xffffffff and 4 or 8
  return keys + 40 + size * index, n, 24
end

-- Calls fn(key, value) for each until it returns true; the number of members,
-- nil when the dict is damaged. `most` is for the places that are looked at.
local function each_item(dict, most, fn)
  local used = read(dict + at.dict_used, 8)
  local keys = pointer(dict + at.dict_keys)
  local values = pointer(dict + at.dict_values)
  if type(used) ~= "number" or not keys then return nil end
  local first, n, size = dict_table(keys)
  if not first or used > n then return nil end
  for i = 0, math.min(n, most) - 1 do
    local entry = first + i * size
    local key = pointer(size == 16 and entry or entry + 8)
    local value = values and pointer(values + i * 8)
      or not values and pointer(size == 16 and entry + 8 or entry + 16)
    if key and value and fn(key, value) then break end
  end
  return used
end

-- ---- repr ----

local function quoted(all, more, prefix)
  local quote, out = "'", {}
  for i = 1, #all do
    if all[i] == 39 then quote = '"' end
  end
  for i = 1, #all do
    if all[i] == 34 then quote = "'" end
  end
  for i = 1, #all do
    local c = all[i]
    if c == 10 then out[i] = "\\n"
    elseif c == 13 then out[i] = "\\r"
    elseif c == 9 then out[i] = "\\t"
    elseif c == 92 or c == byte(quote) then out[i] = "\\" .. char(c)
    elseif c < 32 or c == 127 or (prefix == "b" and c > 126) or
      (c >= 0x80 and c < 0xA0) then
      out[i] = format("\\x%02x", c)
    elseif c >= 0xD800 and c < 0xE000 then out[i] = format("\\u%04x", c)
    else out[i] = utf8(c) end
  end
  return prefix .. quote .. concat(out) .. quote .. (more and "..." or "")
end

-- Shortest digits that read back as the same number, laid out as Python does.
local function float_text(x)
  if x ~= x then return "nan" end
  if x == math.huge or x == -math.huge then return x > 0 and "inf" or "-inf" end
  local text
  for digits = 0, 16 do
    text = format("%." .. digits .. "e", x)
    if tonumber(text) == x then break end
  end
  local sign, mantissa, exponent = text:match("^(-?)([%d.]+)e([-+]%d+)$")
  exponent = tonumber(exponent)
  local figures = mantissa:gsub("%.", "")
  if exponent < -4 or exponent >= 16 then
    if #figures > 1 then
      figures = figures:sub(1, 1) .. "." .. figures:sub(2)
    end
    return format("%s%se%s%02d", sign, figures, exponent < 0 and "-" or "+",
      math.abs(exponent))
  end
  if exponent < 0 then
    return sign .. "0." .. ("0"):rep(-exponent - 1) .. figures
  end
  if #figures <= exponent + 1 then
    return sign .. figures .. ("0"):rep(exponent + 1 - #figures) .. ".0"
  end
  return sign .. figures:sub(1, exponent + 1) .. "." ..
    figures:sub(exponent + 2)
end

local function float_of(object)
  local low, high = read(object + 16, 4), read(object + 20, 4)
  if not low or not high then return nil end
  local sign = high >= 2 ^ 31 and -1 or 1
  local exponent = floor(high / 2 ^ 20) % 2048
  local fraction = (high % 2 ^ 20) * 2 ^ 32 + low
  if exponent == 2047 then
    return fraction == 0 and sign * math.huge or 0 / 0
  end
  if exponent == 0 then return sign * fraction * 2 ^ -1074 end
  return sign * (1 + fraction * 2 ^ -52) * 2 ^ (exponent - 1023)
end

-- An int in decimal, whatever its size; the digits have 30 bits.
local function int_text(object)
  local n = read(object + 16, 8, true)
  if type(n) ~= "number" then return nil end
  local count, sign = math.abs(n), n < 0 and "-" or ""
  if count == 0 then return "0" end
  if count > 100 then return format("<int of %.0f bits>", count * 30) end
  -- Of 6 decimal digits, the lowest first: times 2^30 they stay below 2^53.
  local parts = {}
  for i = count - 1, 0, -1 do
    local carry = read(object + 24 + i * 4, 4)
    if not carry or carry >= 2 ^ 30 then return nil end
    for k = 1, #parts do
      local v = parts[k] * 2 ^ 30 + carry
      parts[k] = v % 1e6
      carry = floor(v / 1e6)
    end
    while carry > 0 do
      parts[#parts + 1] = carry % 1e6
      carry = floor(carry / 1e6)
    end
  end
  local out = {format("%.0f", parts[#parts] or 0)}
  for k = #parts - 1, 1, -1 do out[#out + 1] = format("%06.0f", parts[k]) end
  return sign .. concat(out)
end

-- Of one digit, as nearly all are; nil: it has more.
local function small_int(object)
  local n = read(object + 16, 8, true)
  if n == 0 then return 0 end
  if n ~= 1 and n ~= -1 then return nil end
  local digit = read(object + 24, 4)
  return digit and digit < 2 ^ 30 and n * digit or nil
end

local repr

local function sequence(object, depth, open, close)
  local all, n = items(object, ITEMS)
  if not all then return nil end
  if depth >= DEPTH and n > 0 then return open .. "..." .. close end
  for i = 1, #all do all[i] = repr(all[i], depth + 1) end
  if n > #all then all[#all + 1] = format("... (%d)", n) end
  return open .. concat(all, ", ") .. (n == 1 and open == "(" and "," or "") ..
    close
end

local function mapping(object, depth)
  local out = {}
  local n = each_item(object, 4 * ITEMS, function(key, value)
    if #out >= ITEMS or depth >= DEPTH then return true end
    out[#out + 1] = repr(key, depth + 1) .. ": " .. repr(value, depth + 1)
  end)
  if not n then return nil end
  if n > #out then
    out[#out + 1] = depth >= DEPTH and "..." or format("... (%d)", n)
  end
  return "{" .. concat(out, ", ") .. "}"
end

local function set_text(object, depth, name)
  local used = read(object + at.set_used, 8)
  local mask = read(object + at.set_mask, 8)
  local first = pointer(object + at.set_table)
  local out = {}
  if type(used) ~= "number" or type(mask) ~= "number" or not first or
    used > mask or mask > 2 ^ 40 or band(mask, mask + 1) ~= 0 then
    return nil
  end
  for i = 0, math.min(mask, 1024) do
    local key = pointer(first + i * 16)
    if depth >= DEPTH or #out >= ITEMS then break end
    if key and key ~= dummy then out[#out + 1] = repr(key, depth + 1) end
  end
  if used > #out then
    out[#out + 1] = depth >= DEPTH and "..." or format("... (%d)", used)
  end
  local text = concat(out, ", ")
  if name == "frozenset" then
    return used == 0 and "frozenset()" or "frozenset({" .. text .. "})"
  end
  return used == 0 and "set()" or "{" .. text .. "}"
end

-- The name of a type with its module, as in its repr.
local HEAP = 2 ^ 9 -- Py_TPFLAGS_HEAPTYPE
local class_name = remembered(function(t)
  local name, module = pointer(t + at.type_name)
  name = name and pmodule.address_read_string(name, 200)
  if not name or name == "" or name:find("[%c\128-\255]") then return nil end
  if band(read(t + at.type_flags, 8) or 0, HEAP) == 0 then return name end
  local qualname = pointer(t + at.type_qualname)
  name = qualname and text_of(qualname, 200) or name
  local dict = pointer(t + at.type_dict)
  if not dict then return name end
  each_item(dict, 200, function(key, value)
    if text_of(key, 20) ~= "__module__" then return end
    module = text_of(value, 200)
    return true
  end)
  return module and module ~= "builtins" and module .. "." .. name or name
end)

local function_name = remembered(function(object)
  local name = pointer(object + at.function_name)
  return name and text_of(name, 200)
end)

local makers = {
  NoneType = function() return "None" end,
  bool = function(o)
    return o == yes and "True" or o == no and "False" or nil
  end,
  int = int_text,
  float = function(o)
    local x = float_of(o)
    return x and float_text(x)
  end,
  str = function(o)
    local all, n = characters(o, 80)
    return all and quoted(all, n > #all, "")
  end,
  bytes = function(o)
    local raw, n = bytes_of(o, 80)
    return raw and quoted({byte(raw, 1, -1)}, n > #raw, "b")
  end,
  tuple = function(o, d) return sequence(o, d, "(", ")") end,
  list = function(o, d) return sequence(o, d, "[", "]") end,
  dict = mapping,
  set = function(o, d) return set_text(o, d, "set") end,
  frozenset = function(o, d) return set_text(o, d, "frozenset") end,
  type = function(o)
    local name = class_name(o)
    return name and "<class '" .. name .. "'>"
  end,
  ["function"] = function(o)
    local name = function_name(o)
    return name and format("<function %s at %s>", name, hex(o))
  end,
}

-- What Python would print for it, as far as that can be known without running
-- any of its code.
function repr(object, depth)
  local t = pointer(object + 8)
  local name = t and types[t]
  local text = name and makers[name](object, depth)
  if text then
    return #text <= REPR and text or sub(text, 1, REPR):gsub("[\128-\255]*$",
      "") .. "..."
  end
  name = t and class_name(t)
  if name then return format("<%s object at %s>", name, hex(object)) end
  return format("<unreadable object at %s>", hex(object))
end

local whole_repr = remembered(function(object) return repr(object, 0) end)

-- ---- code objects ----

-- Line tables. Each function gets the offset of the instruction in bytes, and
-- gives the line; nil: there is none.

-- 3.9, co_lnotab: pairs (bytes of code, lines).
local function line_3_9(code, offset)
  local line, address, raw = code.first, 0, code.table
  for i = 1, #raw - 1, 2 do
    local step, delta = byte(raw, i, i + 1)
    address = address + step
    if address > offset then break end
    line = line + (delta < 128 and delta or delta - 256)
  end
  return line
end

-- 3.10, co_linetable: pairs (bytes of code, lines before it); -128: no line.
local function line_3_10(code, offset)
  local line, address, raw = code.first, 0, code.table
  for i = 1, #raw - 1, 2 do
    local step, delta = byte(raw, i, i + 1)
    address = address + step
    if delta ~= 128 then
      line = line + (delta < 128 and delta or delta - 256)
    end
    if address > offset then return delta ~= 128 and line or nil end
  end
end

-- A number of 6 bits a byte; the sign is the lowest bit.
local function signed_varint(raw, i)
  local value, scale = 0, 1
  repeat
    local b = byte(raw, i)
    if not b or scale > 2 ^ 40 then return nil end
    value = value + b % 64 * scale
    scale = scale * 64
    i = i + 1
  until b < 64
  if value % 2 == 1 then return -floor(value / 2) end
  return floor(value / 2)
end

-- 3.11, co_linetable: entries that begin with a byte above 127: four bits of
-- kind, three of length (in units of two bytes), then what the kind needs.
local function line_3_11(code, offset)
  local line, address, raw, i = code.first, 0, code.table, 1
  while i <= #raw do
    local head = byte(raw, i)
    if head < 128 then return nil end
    local kind = floor(head / 8) % 16
    local has_line = kind ~= 15
    if kind == 13 or kind == 14 then
      line = line + (signed_varint(raw, i + 1) or 0)
    elseif kind >= 10 and kind <= 12 then
      line = line + kind - 10
    end
    address = address + (head % 8 + 1) * 2
    if address > offset then return has_line and line or nil end
    repeat i = i + 1 until i > #raw or byte(raw, i) >= 128
  end
end

local line_of = {
  ["3.9"] = line_3_9, ["3.10"] = line_3_10, ["3.11"] = line_3_11,
}

local function name_list(code, field, out, kind)
  local all = pointer(code + field)
  all = all and items(all, LOCALS)
  for i = 1, all and #all or 0 do
    out[#out + 1] = {name = text_of(all[i], 100), cell = kind}
  end
end

-- The names of the fast locals, in the order of their values.
local function local_names(code)
  local out = {}
  if not at.co_plusnames then
    name_list(code, at.co_varnames, out, false)
    name_list(code, at.co_cellvars, out, true)
    name_list(code, at.co_freevars, out, true)
    return out
  end
  name_list(code, at.co_plusnames, out, false)
  local kinds = pointer(code + at.co_pluskinds)
  kinds = kinds and bytes_of(kinds, LOCALS)
  for i = 1, kinds and math.min(#out, #kinds) or 0 do
    out[i].cell = byte(kinds, i) >= 0x40
  end
  return out
end

-- What is known of a code object; nil: it is none.
local function code_of(address)
  local code = codes[address]
  if code ~= nil then return code or nil end
  codes[address] = false
  if not is(address, "code") then return nil end
  local name = pointer(address + (at.co_qualname or at.co_name))
  local file = pointer(address + at.co_filename)
  local lines = pointer(address + at.co_lines)
  code = {
    name = name and text_of(name, 300) or "?",
    file = file and text_of(file, 1000) or "",
    first = read(address + at.co_first, 4, true) or 0,
    optimized = (read(address + at.co_flags, 4) or 0) % 2 == 1,
    table = lines and bytes_of(lines, TABLE) or "",
    names = local_names(address),
    traceable = at.co_traceable and
      read(address + at.co_traceable, 4, true) or 0,
  }
  code.lines = remembered(function(offset)
    return line_of[version](code, offset)
  end)
  codes[address] = code
  return code
end

-- ---- frames ----

-- What a frame says of itself; nil: it is none. `hidden`: not begun, as Python
-- itself does not show it.
local function frame_of(address)
  local code_address = pointer(address + at.f_code)
  if at.frame and not is(address, "frame") then return nil end
  local code = code_address and code_of(code_address)
  if not code then return nil end
  local f = {
    address = address, code = code, back = read(address + at.f_back, 8),
  }
  if at.f_instr then
    local instruction = read(address + at.f_instr, 8)
    local first = code_address + at.co_code
    if type(instruction) ~= "number" then return nil end
    local offset = instruction - first
    -- Two bytes that follow each other.
    local entry = read(address + at.f_entry, 2)
    f.entry = not entry or entry % 256 ~= 0
    f.line = offset < 0 and code.first or code.lines(offset)
    f.hidden = not (entry and floor(entry / 256) == 1) and
      offset < code.traceable * 2
    return f
  end
  local line = read(address + at.f_lineno, 4, true) or 0
  local last = read(address + at.f_lasti, 4, true) or -1
  local traced = read(address + at.f_trace, 8) ~= 0
  if version == "3.10" and line ~= 0 or version == "3.9" and traced then
    f.line = line
  elseif last < 0 then
    f.line = code.first
  else
    f.line = code.lines(last * at.lasti_unit)
  end
  return f
end

-- Frames from the innermost out, until `last` says so; and why they end early.
local function chain(address, seen, last)
  local out = {}
  while address and address ~= 0 do
    if type(address) ~= "number" or seen[address] then
      return out, format("%s, which was there before", hex(address))
    end
    if #out >= FRAMES or frames_left <= 0 then
      return out, "the limit of what is shown"
    end
    seen[address] = true
    local f = frame_of(address)
    if not f then
      return out, format("%s, where there is no frame", hex(address))
    end
    frames_left = frames_left - 1
    out[#out + 1] = f
    if last(f) then break end
    if not f.back then
      return out, format("%s, which cannot be read", hex(address))
    end
    address = f.back
  end
  return out
end

-- The interpreter's records of its loops on the native stack, innermost first.
local function cframes(tstate)
  local out, seen = {}, {}
  local address = pointer(tstate + at.cframe)
  while address and not seen[address] and #out < FRAMES do
    seen[address] = true
    -- The last one is part of the thread state; 3.10 leaves in it whatever was
    -- there before.
    if address >= tstate and address < tstate + 1024 then break end
    out[#out + 1] = address
    address = pointer(address + at.cframe_previous)
  end
  return out
end

-- ---- variables ----

local function add_variable(frame, name, object)
  if variables_left <= 0 then return end
  variables_left = variables_left - 1
  local t = pointer(object + 8)
  local v = pmodule.create_variable(type_name(t) or "?", name, object, -1)
  local kind = t and types[t]
  local text, length
  if kind == "str" then
    text, length = text_of(object)
  elseif kind == "int" then
    local value = small_int(object)
    if not value then
      text = int_text(object)
      value = text and tonumber(text)
    end
    if value and value > -2 ^ 53 and value < 2 ^ 53 then
      v:set_ll(value)
      frame:add_variable(v, false)
      return
    end
    text = nil
  elseif kind == "float" then
    local x = float_of(object)
    if x then
      v:set_dbl(x)
      frame:add_variable(v, false)
      return
    end
  end
  if text then
    v:set_string(text)
    if length > TEXT then v:set_length(length) end
  else
    v:set_ref(object, whole_repr(object))
  end
  frame:add_variable(v, false)
end

local function add_dict(frame, dict)
  local n = 0
  each_item(dict, 1000, function(key, value)
    local name = text_of(key, 100)
    if not name or name:find("^__") or is(value, "module") or
      is(value, "function") or is(value, "type") then return end
    add_variable(frame, name, value)
    n = n + 1
    return n >= LOCALS
  end)
end

local function add_locals(frame, f)
  for i, slot in ipairs(f.code.names) do
    if i > LOCALS then break end
    local object = pointer(f.address + at.f_fast + (i - 1) * 8)
    if object and slot.cell and is(object, "cell") then
      object = pointer(object + 16)
    end
    if object and slot.name then add_variable(frame, slot.name, object) end
  end
  -- Modules and classes keep theirs in a dict; that of a function (of code
  -- flagged CO_OPTIMIZED) is a copy that locals() made.
  local dict = not f.code.optimized and pointer(f.address + at.f_locals)
  if dict and is(dict, "dict") then add_dict(frame, dict) end
end

local function make_frame(f)
  local frame = pmodule.create_frame()
  frame:set_object("python")
  frame:set_symbol(f.code.name)
  frame:set_path(f.code.file)
  if f.line and f.line > 0 and f.line < 2 ^ 31 then frame:set_line(f.line) end
  add_locals(frame, f)
  return frame
end

-- ---- into the stacks ----

local LOOP = "_PyEval_EvalFrameDefault"
local is_loop_name = remembered(function(symbol)
  return symbol:find("^" .. LOOP) ~= nil
end)

-- Of a deep stack only these few frames become objects here.
local loop_match
local function loops_of(thread)
  loop_match = loop_match or
    pmodule.match():add_frame_symbol(LOOP, pmodule.match_type.substr)
  local out = {}
  for frame in thread, loop_match do
    if is_loop_name(frame:symbol()) then out[#out + 1] = frame end
  end
  return out
end

-- In front of `place`, which ran them; nil: at the end of the thread.
local function put(thread, place, frames)
  for _, f in ipairs(frames) do
    if place and not f.hidden then
      place:add_frame(make_frame(f), false)
    elseif not f.hidden then
      thread:add_frame(make_frame(f), false)
    end
  end
end

-- The loop in whose native frame a record lies: they are in the order of the
-- stack, so one pass finds all.
local function places_of(loops, records)
  local out, k, low, high = {}, 0, nil, nil
  for i, record in ipairs(records) do
    while k <= #loops and (not low or not high or record >= high) do
      k = k + 1
      if k <= #loops then low, high = loops[k]:stack_pointer(), loops[k]:cfa() end
    end
    if k <= #loops and record >= low then out[i] = loops[k] end
  end
  return out
end

-- 3.11: each loop runs a chain of frames of its own.
local function segments(records)
  local out, seen, why = {}, {}
  for i, record in ipairs(records) do
    local first = pointer(record + at.cframe_frame)
    local frames, ends = chain(first, seen, function(f) return f.entry end)
    out[i] = frames
    why = why or ends
  end
  return out, why
end

-- Before: one frame a loop. They are counted from the outermost, for a loop
-- that has just begun has no frame yet; from the innermost when the chain did
-- not reach its end.
local function single_segments(tstate, n)
  local out = {}
  local frames, why = chain(pointer(tstate + at.frame), {},
    function() return false end)
  local shift = why and 0 or n - #frames
  for i, f in ipairs(frames) do
    local place = math.max(1, math.min(i + shift, math.max(n, 1)))
    out[place] = out[place] or {}
    table.insert(out[place], f)
  end
  return out, why
end

local function show_thread(thread, tstate)
  local loops = loops_of(thread)
  local places, all, why
  if at.cframe then
    local records = cframes(tstate)
    places = places_of(loops, records)
    if at.cframe_frame then
      all, why = segments(records)
    else
      all, why = single_segments(tstate, #records)
    end
  else
    places = loops
    all, why = single_segments(tstate, #loops)
    if thread:frames_skipped() > 0 then
      thread:annotate(pmodule.annotation.warning,
        "Python frames may stand in front of another loop than their own: " ..
        "the native stack is not shown whole")
    end
  end
  local most, homeless = 0, 0
  for i in pairs(all) do most = math.max(most, i) end
  for i = 1, most do
    if all[i] and #all[i] > 0 then
      if not places[i] then homeless = homeless + #all[i] end
      put(thread, places[i], all[i])
    end
  end
  if homeless > 0 then
    thread:annotate(pmodule.annotation.warning,
      "%d Python frames stand at the end: the native stack does not show " ..
      "where they ran", homeless)
  end
  if why then
    thread:annotate(pmodule.annotation.warning,
      "Python frames end at %s", why)
  end
end

-- ---- the process ----

local type_symbols = {
  str = "PyUnicode_Type", int = "PyLong_Type", float = "PyFloat_Type",
  bool = "PyBool_Type", bytes = "PyBytes_Type", tuple = "PyTuple_Type",
  list = "PyList_Type", dict = "PyDict_Type", set = "PySet_Type",
  frozenset = "PyFrozenSet_Type", code = "PyCode_Type", frame = "PyFrame_Type",
  cell = "PyCell_Type", type = "PyType_Type", ["function"] = "PyFunction_Type",
  module = "PyModule_Type",
}
-- They are told apart, but have no repr of their own here.
for _, name in ipairs {"code", "frame", "cell", "module"} do
  makers[name] = function() end
end

local function find_types()
  types = {}
  for name, symbol in pairs(type_symbols) do
    local address = pmodule.symbol_address(symbol)
    if address then types[address] = name end
  end
  none = pmodule.symbol_address("_Py_NoneStruct")
  yes = pmodule.symbol_address("_Py_TrueStruct")
  no = pmodule.symbol_address("_Py_FalseStruct")
  dummy = pmodule.symbol_address("_PySet_Dummy")
  dummy = dummy and pointer(dummy)
  local t = none and pointer(none + 8)
  if t then types[t] = "NoneType" end
end

local function version_text(number)
  return format("%d.%d.%d", floor(number / 2 ^ 24),
    floor(number / 2 ^ 16) % 256, floor(number / 2 ^ 8) % 256)
end

-- sys.hexversion, with the layout that is set.
local function hexversion(runtime)
  local interpreter = pointer(runtime + at.head)
  local dict = interpreter and pointer(interpreter + at.sysdict)
  local found
  if not dict or not is(dict, "dict") then return nil end
  each_item(dict, 1000, function(key, value)
    if text_of(key, 20) ~= "hexversion" then return end
    found = tonumber(int_text(value) or "")
    return true
  end)
  return found
end

-- From 3.11 on it is a constant of the library. Before, the interpreter's own
-- sys.hexversion (3.9 and 3.10 keep it in the same place), else the name of
-- the program or library.
local function find_version(runtime, bt)
  local constant = pmodule.symbol_address("Py_Version")
  local number = constant and read(constant, 4)
  if number then return version_text(number) end
  version, at = "3.10", layouts["3.10"]
  number = hexversion(runtime)
  if number then return version_text(number) end
  for name, _, first, last in bt:modules() do
    if runtime >= first and runtime < last then
      return name:match("python(%d+%.%d+)")
    end
  end
end

local function threads_by_id(bt)
  local by_pointer, by_tid = {}, {}
  for thread in bt do
    local tp = thread:register(pmodule.machine_register.thread_pointer)
    if tp then by_pointer[tp] = thread end
    by_tid[thread:tid()] = thread
  end
  return by_pointer, by_tid
end

-- pthread_self() is the thread pointer; the kernel's number is the way for
-- cores without that register.
local function thread_of(tstate, by_pointer, by_tid)
  local self = read(tstate + at.thread_id, 8)
  local thread = by_pointer[self]
  if thread == nil and at.native_id then
    thread = by_tid[read(tstate + at.native_id, 8)]
  end
  return thread
end

local function show_interpreter(interpreter, current, by_pointer, by_tid, shown)
  local tstate, seen, n = pointer(interpreter + at.tstates), {}, 0
  while tstate and n < THREADS do
    if seen[tstate] or pointer(tstate + at.tstate_interp) ~= interpreter then
      return format("thread states of Python end at %s, which %s", hex(tstate),
        seen[tstate] and "was there before" or "is none")
    end
    seen[tstate], n = true, n + 1
    local thread = thread_of(tstate, by_pointer, by_tid)
    -- A thread may have states of several interpreters; one of them runs.
    if thread and not shown[thread:tid()] then
      shown[thread:tid()] = true
      show_thread(thread, tstate)
      if tstate == current then
        thread:annotate(pmodule.annotation.comment,
          "holds the interpreter's lock (GIL)")
      end
    end
    tstate = pointer(tstate + at.tstate_next)
  end
end

local function show(bt)
  local runtime = pmodule.symbol_address("_PyRuntime")
  if not runtime then return end
  find_types()
  local full = find_version(runtime, bt)
  version = full and full:match("^%d+%.%d+")
  if not version then return end
  bt:add_kv_string("python.version", full)
  at = layouts[version]
  if not at then
    bt:annotate(pmodule.annotation.comment,
      "Python %s: its frames are not shown (3.9, 3.10 and 3.11 are)", full)
    return
  end
  names, codes, snapshots = {}, {}, snapshots + 1
  frames_left, variables_left = FRAMES_ALL, VARIABLES_ALL
  local by_pointer, by_tid = threads_by_id(bt)
  -- The thread state that runs; none, while nobody has the lock.
  local current = pointer(runtime + at.current)
  local interpreter, seen, shown, n = pointer(runtime + at.head), {}, {}, 0
  while interpreter and not seen[interpreter] and n < INTERPRETERS do
    seen[interpreter], n = true, n + 1
    if read(interpreter + at.collecting, 4) == 1 then
      bt:annotate(pmodule.annotation.comment,
        "Python: a garbage collection was running")
    end
    local why = show_interpreter(interpreter, current, by_pointer, by_tid,
      shown)
    if why then bt:annotate(pmodule.annotation.warning, "%s", why) end
    interpreter = pointer(interpreter)
  end
  if variables_left <= 0 then
    bt:annotate(pmodule.annotation.comment,
      "Python: local variables beyond %d are not shown", VARIABLES_ALL)
  end
end

pmodule.define {
  id = "cpython",
  load = function()
    pmodule.register(pmodule.event.postattach, show)
  end,
}
