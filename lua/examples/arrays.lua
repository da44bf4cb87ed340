-- SPDX-License-Identifier: MIT
--
-- How to walk what C keeps behind a pointer: a list whose elements point to the
-- next, and an array of which the program knows the length. It goes with
-- tests/lua/programs/arrays.c.

local info = pmodule.log_level.info
local element -- an object of the array's type, for its size

local function value(raw)
  return pmodule.variable_from_bt(raw):value()
end

-- The target is there, nothing was extracted: global variables can be asked
-- for. What bt_query returns stays valid for the whole run.
local function attach()
  element = pmodule.bt_query("some_struct_g", "arrays", "arrays.c")
  if not element then return end
  local node, n = element.list.stqh_first, 0
  while value(node) ~= 0 do
    n = n + 1
    pmodule.log(info, "node %d of %s: %d", n,
      pmodule.variable_from_bt(node):type_name(), value(node.n.c))
    node = node.linkage.stqe_next
  end
end

-- Each element is an object of the known type at its own address. Members
-- behind several pointers are reached as if there were none.
local function array(var, raw)
  local first, size = value(raw.kids), pmodule.sizeof(element)
  local shown = pmodule.create_variable("<kids>", "kids (all)", 0, -1, var)
  shown:set_array()
  var:frame():add_variable(shown)
  for i = 0, value(raw.len) - 1 do
    local kid = pmodule.deref(element, first + i * size)
    local text = string.format("a=%d b=%g c=%d", value(kid.a), value(kid.b),
      value(kid.nppp.c))
    local child = pmodule.create_variable("<kid>", "", first + i * size, i,
      shown)
    child:set_string(text)
    var:frame():add_variable(child)
  end
end

pmodule.define {
  id = "arrays",
  load = function()
    pmodule.register(pmodule.event.attach, attach)
    local m = pmodule.match()
    m:add_object("arrays")
    m:add_file("arrays.c")
    m:add_variable_base_type("array_struct", pmodule.match_type.substr)
    m:add_variable_ptrace_type(pmodule.variable_type.tuple)
    m:add_variable_name("papa", pmodule.match_type.substr)
    pmodule.register(pmodule.event.variable, array, m)
  end,
}
