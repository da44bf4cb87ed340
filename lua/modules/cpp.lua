-- SPDX-License-Identifier: MIT
-- Containers of the C++ standard library: libstdc++ and libc++.
--
-- inquest: when type std::*
pmodule.define {
  id = "cpp",
  load = function() end,
}
