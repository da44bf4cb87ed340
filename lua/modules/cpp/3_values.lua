-- SPDX-License-Identifier: MIT
-- What owns, refers to or is another value; times; what can be called.

-- ---- what owns or refers to something ----

local function show_owned(var, pointer)
  var:add_member("get()", pointer)
  local at = number(pointer)
  if not is_plain(at) or at == 0 or var:depth() >= MAX_OWNED or
      left <= 0 then
    return
  end
  local target = pointer[0]
  local base = target and typeof(target):base()
  -- A number is worth a look, too; void is not.
  if base == nil or sizeof(target) == 0 or not is_readable(at, 1) then
    return
  end
  if afford(1, sizeof(target)) == 1 then var:add_member("*get()", target) end
end

local function unique_ptr(var, c, pointer)
  if pointer == nil or number(pointer) == nil then return end
  open(var, false, c.name)
  show_owned(var, pointer)
end

-- uses, weak: as a person counts them; nil: there is no control block.
local function shared_ptr(var, c, pointer, block, uses, weak)
  if pointer == nil or number(pointer) == nil or block == nil then return end
  local what
  if block == 0 then
    what = "empty"
  elseif not is_readable(block, 16) or uses == nil or weak == nil or
      type(uses) ~= "number" or uses < 0 or uses > 2^31 or weak < 0 then
    return invalid(var, c, format("its control block at %s cannot be one",
      pmodule.hex(block)))
  elseif uses == 0 then
    what = format("expired, weak count %s", tostring(weak))
  else
    what = format("use count %s, weak count %s", tostring(uses),
      tostring(weak))
  end
  open(var, false, format("%s (%s)", c.name, what))
  if uses == 0 then
    var:add_member("get()", pointer) -- what it pointed to is gone
  else
    show_owned(var, pointer)
  end
end

local function optional(var, c, engaged, contained)
  local is = engaged and number(engaged)
  if is == nil or contained == nil then return end
  if is ~= 0 and is ~= 1 then
    return invalid(var, c, format("it is neither empty nor full (%s)",
      tostring(is)))
  end
  open(var, false, is == 1 and c.name or c.name .. " without a value")
  if is == 1 then var:add_member(nil, contained) end
end

local function variant(var, c, raw, index, storage)
  local i, at = index and number(index), storage and address(storage)
  if i == nil or at == nil then return end
  local none = 256 ^ sizeof(index) - 1
  if i == none or i == -1 then
    return open(var, false, c.name .. " without a value")
  end
  local t = is_plain(i) and type_argument(c.type, i)
  if not t then
    return invalid(var, c, format("it has no alternative %s", tostring(i)))
  end
  open(var, false, format("%s [index %s]", c.name, tostring(i)))
  var:add_member(nil, cast(raw, t, at))
end

local function tuple(var, c, elements)
  if elements == nil then return end
  open(var, false, c.name)
  for i = 1, #elements do
    if var:add_member(nil, elements[i]) == nil then break end
  end
end

local function array(var, c, elements, n)
  if elements == nil or not is_plain(n) then return end
  local first = n > 0 and elements[0] or nil
  if n > 0 and first == nil then return end
  open(var, true, format("%s of length %s", c.name, tostring(n)))
  if first and address(first) then
    show_elements(var, first, n)
  elseif first then
    for i = 0, afford(n, sizeof(elements[0])) - 1 do
      var:add_member(nil, elements[i])
    end
    var:set_length(n)
  end
end

-- A pointer and a count.
local function view(var, c, pointer, n)
  local first, at = pointer and pointer[0], pointer and number(pointer)
  if first == nil or at == nil or n == nil then return end
  local size = sizeof(first)
  if not is_plain(at) or not is_plain(n) or n > 2^46 then
    return invalid(var, c, "its length is absurd")
  end
  if n > 0 and not is_readable(at, n * size) then
    return unreadable(var, c, "of length " .. tostring(n), at)
  end
  open(var, true, format("%s of length %s", c.name, tostring(n)))
  show_elements(var, first, n)
end

local function bitset(var, c, words)
  local n = c.type:template_argument(0)
  if words == nil or not is_plain(n) or n > 2^40 then return end
  local at, word = address(words), nil
  if at == nil then word = number(words) end -- in a register
  if at and n > 0 and not is_readable(at, floor((n + 7) / 8)) or
      at == nil and (not is_plain(word) or n > 52) then
    return
  end
  local shown, set = {}, 0
  -- As to_string() writes it: the highest bit first.
  for i = min(n, 256) - 1, 0, -1 do
    local bit = at and floor(read(at + floor(i / 8), 1) / 2 ^ (i % 8)) % 2 or
      floor(word / 2 ^ i) % 2
    shown[#shown + 1] = tostring(bit)
    set = set + bit
  end
  open(var, false, format("std::bitset %s%s (%d of %s set)",
    n > 256 and "..." or "", table.concat(shown), set,
    tostring(min(n, 256))))
end

-- ---- time ----

local UNITS = {["1/1000000000"] = "ns", ["1/1000000"] = "us",
  ["1/1000"] = "ms", ["1/1"] = "s", ["60/1"] = "min", ["3600/1"] = "h",
  ["86400/1"] = "days", ["604800/1"] = "weeks"}

-- The count, its unit and what a unit is in seconds.
local function ticks(t, count)
  local ratio = type_argument(t, 1)
  local a, b = ratio and ratio:template_argument(0),
    ratio and ratio:template_argument(1)
  if type(a) ~= "number" or type(b) ~= "number" or b == 0 or not count then
    return nil
  end
  local unit = UNITS[a .. "/" .. b] or format("[%s/%s]s", tostring(a),
    tostring(b))
  return pmodule.variable_from_bt(count):value(), unit, a, b
end

local function duration(var, c, count)
  local n, unit = ticks(c.type, count)
  if n == nil then return end
  var:set_value(count)
  var:set_summary((type(n) == "number" and n ~= floor(n) and
    format("%.9g", n) or tostring(n)) .. " " .. unit)
end

-- Days since 1970 to a date (of the proleptic Gregorian calendar).
local function civil(days)
  local z = days + 719468
  local era = floor(z / 146097)
  local doe = z - era * 146097
  local yoe = floor((doe - floor(doe / 1460) + floor(doe / 36524) -
    floor(doe / 146096)) / 365)
  local doy = doe - (365 * yoe + floor(yoe / 4) - floor(yoe / 100))
  local mp = floor((5 * doy + 2) / 153)
  local m = mp < 10 and mp + 3 or mp - 9
  return yoe + era * 400 + (m <= 2 and 1 or 0), m,
    doy - floor((153 * mp + 2) / 5) + 1
end

-- Exact also beyond 2^53: whole seconds and what is left, as numbers.
local function split(n, a, b)
  if b == 1 then return tonumber(n) * a, 0 end
  if a ~= 1 then return nil end
  local seconds = type(n) == "number" and floor(n / b) or n / b
  local rest = tonumber(n - seconds * b)
  seconds = tonumber(seconds)
  if rest < 0 then seconds, rest = seconds - 1, rest + b end
  return seconds, rest / b
end

local function time_point(var, c, count)
  local clock, d = type_argument(c.type, 0), type_argument(c.type, 1)
  local n, unit, a, b = ticks(d, count)
  if n == nil or clock == nil then return end
  local name = clock:name():match("(%w+_clock)") or clock:name()
  local text = format("%s %s of %s", tostring(n), unit, name)
  local seconds, rest = split(n, a, b)
  if name == "system_clock" and seconds and
      seconds > -62e9 and seconds < 253e9 then
    local day = floor(seconds / 86400)
    local s = seconds - day * 86400
    local year, month, mday = civil(day)
    local part = b > 1 and format("%.9f", rest):sub(2) or ""
    part = part:gsub("0+$", ""):gsub("%.$", "")
    text = format("%04d-%02d-%02d %02d:%02d:%02d%s UTC", year, month, mday,
      floor(s / 3600), floor(s / 60) % 60, s % 60, part)
  end
  var:set_value(count)
  var:set_summary(text)
end

-- ---- functions and any ----

-- "f" or "a::{lambda()#1}" of the symbol of a call wrapper.
local function callable(var, c, target, functor)
  local what = target
  if target:find("%(%*%)") and functor then
    local at = read(functor, 8)
    what = at ~= 0 and symbol_at(at) or target
  end
  open(var, false, format("%s calling %s", c.name, what))
end

-- A value of the type of that name, which is known by a symbol alone.
local function any(var, c, name, at)
  name = name:gsub(" $", "")
  local short = name:gsub("^std::__%w+::basic_string<char,.*", "std::string")
  -- Symbols abbreviate the old one.
  local t = at and c.type:find(name == "std::string" and
    "std::basic_string<char, std::char_traits<char>, std::allocator<char> >"
    or name)
  open(var, false, format("%s holding %s", c.name, short))
  if t and is_readable(at, t:size()) then
    var:add_member(nil, cast(c.raw, t, at))
  end
end

