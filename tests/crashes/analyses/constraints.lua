-- SPDX-License-Identifier: MIT
pmodule.define {
  id = "rules",
  load = function()
    pmodule.constraint {
      symbol = "copy_name",
      { name = "to", kind = "write", count = "size" },
      { name = "from", kind = "string" },
      { name = "size", kind = "number", min = 0, max = 4096 },
    }
    pmodule.constraint {
      symbol = "draw",
      { name = "points", kind = "read", count = "n", unit = 16, null = true },
      { name = "n", kind = "number", min = 0, max = 100 },
      { name = "done", kind = "function" },
    }
  end,
}
