-- SPDX-License-Identifier: MIT
-- Containers, smart pointers and the like of the C++ standard library as what
-- they hold: libstdc++ (both string ABIs, debug mode) and libc++.
--
-- Rust has a namespace of that name, too, so not just any type of it counts.
--
-- inquest: when type std::__* std::string* std::basic_string* std::*string_view
-- inquest: when type std::vector<* std::deque<* std::list<* std::forward_list<*
-- inquest: when type std::map<* std::multimap<* std::set<* std::multiset<*
-- inquest: when type std::unordered_* std::array<* std::span<* std::bitset<*
-- inquest: when type std::optional<* std::variant<* std::tuple<* std::pair<*
-- inquest: when type std::unique_ptr<* std::shared_ptr<* std::weak_ptr<*
-- inquest: when type std::function<* std::any std::chrono::* std::atomic<*
-- inquest: when type std::initializer_list<* std::reference_wrapper<*
--
-- Every number read here may be garbage: a variable that is not constructed
-- yet, was destroyed or overwritten. So a printer first makes sure that what it
-- sees can be true (ends in order, links that lead back, memory that is there)
-- and leaves the variable as it is when not, with a line that says why. Where
-- debug information lacks what a printer needs, nothing is said at all.

local SKIP = pmodule.variable_state.skip
local TYPE = pmodule.variable_type
local number, address, typeof = pmodule.number, pmodule.address, pmodule.type
local cast, field, sizeof = pmodule.cast, pmodule.field, pmodule.sizeof
local read = pmodule.address_read_number
local floor, min = math.floor, math.min
local format = string.format

-- Elements shown of one container: as many as of an array, where it matters
-- most; in the threads that did not fault, fewer.
local MAX, MAX_ELSEWHERE = 64, 10
local most = MAX        -- of the container at hand
local MAX_TEXT = 1024   -- bytes shown of a text
local MAX_COUNT = 10000 -- nodes counted where no size is kept
local MAX_STEPS = 200   -- links between neighbours in a tree
local MAX_OWNED = 8     -- depth to which pointers are followed
-- In all; of elements the words that they take, about.
local MAX_ELEMENTS, MAX_CONTAINERS = 20000, 5000
local left, containers = MAX_ELEMENTS, MAX_CONTAINERS

-- ---- reading ----

-- raw.a.b.c; nil when there is no such member.
local function member(raw, ...)
  for i = 1, select("#", ...) do
    if raw == nil then return nil end
    raw = raw[(select(i, ...))]
  end
  return raw
end

local function value(raw, ...)
  raw = member(raw, ...)
  return raw and number(raw)
end

-- Addresses and counts of real programs are plain numbers; what is larger is a
-- 64-bit integer and garbage.
local function is_plain(x)
  return type(x) == "number" and x >= 0
end

local function is_readable(at, size)
  return is_plain(at) and is_plain(size) and read(at, 1) ~= nil and
    (size <= 1 or read(at + size - 1, 1) ~= nil)
end

local function type_argument(t, n)
  local a = t and t:template_argument(n)
  return type(a) == "userdata" and a or nil
end

-- The class or function at an address, as in the source.
local function symbol_at(at)
  local symbol = is_plain(at) and pmodule.address_symbol(at)
  return symbol and (pmodule.demangle(symbol) or symbol)
end

-- What an allocator is for. GCC tells it of the allocator's base class.
local function allocated(raw)
  local t = typeof(raw)
  local base, _, is_base = field(raw, 0)
  local node = type_argument(t, 0) or
    is_base and type_argument(typeof(base), 0)
  if node == nil then
    local name = pmodule.template_argument(t:base():name(), 0)
    node = name and t:find(name)
  end
  return node or nil
end

-- The base class whose name begins so.
local function base_class(raw, prefix)
  local i, base, name, is_base = 0
  repeat
    base, name, is_base = field(raw, i)
    if is_base and name:sub(1, #prefix) == prefix then return base end
    i = i + 1
  until not is_base
end

local function plural(n, what)
  return format("%s %s%s", tostring(n), what, n == 1 and "" or "s")
end

-- ---- showing ----

-- From here on the variable shows what is added to it, and nothing else.
local function open(var, is_array, summary)
  var:set_state(SKIP)
  if is_array then var:set_array() else var:set_struct() end
  if summary then var:set_summary(summary) end
end

local function invalid(var, c, why)
  var:set_summary(c.name .. ", not valid (not constructed, destroyed or " ..
    "overwritten): " .. why)
end

local function unreadable(var, c, what, at)
  var:set_summary(format("%s %s, whose memory at %s cannot be read", c.name,
    what, pmodule.hex(at)))
end

-- How many of n elements of that size there is still room for; they count as
-- shown.
local function afford(n, size)
  local words = 1 + floor((size or 0) / 8)
  n = min(n, most, floor(left / words))
  left = left - n * words
  return n
end

-- n elements one behind the other.
local function show_elements(var, first, n)
  local shown = afford(n, sizeof(first))
  if shown > 0 then var:add_elements(first, shown) end
  var:set_length(n)
end

local function utf8(code)
  local char = string.char
  if code < 0x80 then return char(code) end
  if code < 0x800 then
    return char(0xc0 + floor(code / 64), 0x80 + code % 64)
  end
  if code < 0x10000 then
    return char(0xe0 + floor(code / 4096), 0x80 + floor(code / 64) % 64,
      0x80 + code % 64)
  end
  if code > 0x10ffff then return "\239\191\189" end
  return char(0xf0 + floor(code / 262144), 0x80 + floor(code / 4096) % 64,
    0x80 + floor(code / 64) % 64, 0x80 + code % 64)
end

-- Text of n characters of `width` bytes, as UTF-8, and whether it was cut.
local function read_text(at, n, width)
  local shown = min(n, floor(MAX_TEXT / width))
  local raw = shown > 0 and pmodule.address_read_raw(at, shown * width) or ""
  if #raw < shown * width then return nil end
  if width == 1 then return raw, shown < n end
  local out, i = {}, 1
  while i <= #raw do
    local code, scale = 0, 1
    for k = i, i + width - 1 do
      code, scale = code + raw:byte(k) * scale, scale * 256
    end
    i = i + width
    if width == 2 and code >= 0xd800 and code < 0xdc00 and i < #raw then
      local low = raw:byte(i) + raw:byte(i + 1) * 256
      if low >= 0xdc00 and low < 0xe000 then
        code = 0x10000 + (code - 0xd800) * 1024 + low - 0xdc00
        i = i + 2
      end
    end
    out[#out + 1] = utf8(code)
  end
  return table.concat(out), shown < n
end

local function show_text(var, c, at, n, width)
  if not is_plain(at) or not is_plain(n) or n > 2^40 then
    return invalid(var, c, "its length is absurd")
  end
  if n > 0 and not is_readable(at, n * width) then
    return unreadable(var, c, "of length " .. tostring(n), at)
  end
  local text, cut = read_text(at, n, width)
  if text == nil then
    return unreadable(var, c, "of length " .. tostring(n), at)
  end
  var:set_string(text)
  if cut then var:set_length(n * width) end
end

