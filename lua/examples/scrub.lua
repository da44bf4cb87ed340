-- SPDX-License-Identifier: MIT
--
-- How to keep secrets out of snapshots: variables and members whose names say
-- that they hold one show "(removed)" instead, in all threads. It goes with
-- tests/lua/programs/scrub.c.
--
-- The words can be chosen: --module=scrub:names,password+iban
--
-- It changes what variables show. A secret that lies in a variable of another
-- name (the buffer that was read from a socket) stays; so do attached files.

local words = "password passwd secret token"

local function remove(var)
  local kind = var:type()
  -- There is nothing to remove, and "optimized out" is worth to be known.
  if kind == pmodule.variable_type.bottom then return end
  -- Members would still be there beneath the text.
  var:set_state(pmodule.variable_state.skip)
  var:set_string("(removed)")
end

pmodule.define {
  id = "scrub",
  load = function()
    local names = pmodule.config_option("names") or words
    for word in names:gmatch("[^+%s]+") do
      local m = pmodule.match()
      m:add_variable_name(word, pmodule.match_type.substr)
      pmodule.register(pmodule.event.variable, remove, m)
    end
  end,
}
