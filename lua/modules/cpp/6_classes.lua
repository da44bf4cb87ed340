-- SPDX-License-Identifier: MIT
-- Which printer a class has.

-- Inline namespaces that versions of the libraries are in.
local STD = {"__cxx11::", "__debug::", "__cxx1998::", "_V2::"}
local LIBCXX = {"__1::", "__2::", "__ndk1::", "__Cr::"}

-- "std::__cxx11::list<int>" -> "list", whether it is libc++'s.
local function template_of(name)
  local rest, is_libcxx = name:match("^std::(.*)$"), false
  if rest == nil then return nil end
  for _, prefix in ipairs(LIBCXX) do
    if rest:sub(1, #prefix) == prefix then
      rest, is_libcxx = rest:sub(#prefix + 1), true
    end
  end
  for _, prefix in ipairs(STD) do
    if rest:sub(1, #prefix) == prefix then rest = rest:sub(#prefix + 1) end
  end
  if rest == "any" then return rest, is_libcxx end
  return rest:match("^([%w_:]-)<"), is_libcxx
end

local CHARS = {char = 1, ["signed char"] = 1, ["unsigned char"] = 1,
  char8_t = 1, char16_t = 2, char32_t = 4, wchar_t = 4}

-- What there is to say of a class, once: its printer, its name as people write
-- it, its type, the type of its elements. false: nothing.
local classes = {}
local function class_of(raw, name)
  local template, is_libcxx = template_of(name)
  local print = template and (is_libcxx and L or S)[template]
  if print == nil then return false end
  local t = typeof(raw):base()
  local c = {name = "std::" .. template, print = print, type = t}
  c.is_map = template:find("map$") ~= nil
  if template == "deque" or template:find("list$") then
    c.element = type_argument(t, 0)
  elseif template:find("^basic_string") then
    local char = type_argument(t, 0)
    c.width = char and CHARS[char:name()]
    c.name = template == "basic_string" and "std::string" or "std::string_view"
    -- The text of these is there already.
    if c.width == 1 and char:name() == "char" and not is_libcxx and
        name:find("^std::__cxx11::basic_string<") then
      c.is_shown = true
    end
    if c.width == 1 and template == "basic_string_view" and not is_libcxx and
        char:name() == "char" then
      c.is_shown = true
    end
    c.get = is_libcxx and template == "basic_string" and l_string or nil
  end
  return c
end

function texts(name)
  local template, is_libcxx = template_of(name)
  if template == "basic_string" and is_libcxx then
    return function(raw)
      local at, n = l_string(raw)
      return is_plain(at) and is_plain(n) and n < 2^40 and
        read_text(at, n, 1) or nil
    end
  elseif template == "basic_string" or template == "basic_string_view" then
    return function(raw)
      return pmodule.variable_from_bt(raw):symbol()
    end
  end
end

local function show(var, raw)
  local c = classes[var:base_type()]
  if c == nil then -- new, or a typedef
    local name = typeof(raw):base():name()
    c = classes[name]
    if c == nil then
      c = class_of(raw, name)
      classes[name] = c
    end
  end
  -- Raw is still set where a printer erred: the class is not as we know it.
  if not c or c.is_shown or c.raw then
    -- Not again for that type, when its name can mean nothing else.
    return not var:base_type():find("^std::")
  end
  if containers == 0 then return end
  containers = containers - 1
  local thread = var:thread()
  most = (thread == nil or thread:fault()) and MAX or MAX_ELSEWHERE
  c.raw = raw
  c.print(var, raw, c)
  c.raw = nil
end

pmodule.define {
  id = "cpp",
  load = function()
    local m = pmodule.match()
    m:add_variable_base_type("std::", pmodule.match_type.substr)
    m:add_variable_ptrace_type(TYPE.tuple)
    pmodule.register(pmodule.event.variable, show, m)
  end,
  reset = function()
    classes, left, containers = {}, MAX_ELEMENTS, MAX_CONTAINERS
  end,
}
