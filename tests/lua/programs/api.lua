-- SPDX-License-Identifier: MIT
-- Every name of the Lua interface, on tests/modules/programs/crash.c. What is
-- not as it should be is logged with the word FAIL.

local seen, checks = {}, 0

local function where()
  local _, text = pcall(error, "", 5)
  return text
end

local function equal(got, want, what)
  checks = checks + 1
  if got ~= want then
    pmodule.log(pmodule.log_level.error, "FAIL %s %s: got %s, want %s",
      where(), what or "", tostring(got), tostring(want))
  end
end

local function fails(text, f, ...)
  local ok, why = pcall(f, ...)
  equal(ok, false, "no error")
  if not ok and not tostring(why):find(text, 1, true) then
    equal(why, text, "message")
  end
end

local function view(raw) return pmodule.variable_from_bt(raw) end
local function value(raw) return view(raw):value() end

local function numbers()
  local big = pmodule.num("0xfedcba9876543210")
  equal(pmodule.hex(big), "0xfedcba9876543210")
  equal(pmodule.key(big), pmodule.key(pmodule.num("0xfedcba9876543210")))
  equal(pmodule.hex(pmodule.band(big, 0xff00)), "0x3200")
  equal(pmodule.band("0xffffffff00000000", "0x0000ffffffffffff"),
    0xffff00000000)
  equal(pmodule.hex(pmodule.bor(pmodule.shl(1, 63), 1)), "0x8000000000000001")
  equal(pmodule.bxor(big, big), 0)
  equal(pmodule.shr(big, 60), 15)
  equal(pmodule.shl(1, 64), 0)
  equal(pmodule.shl(1, 40), 2 ^ 40)
  equal(pmodule.num("9007199254740991"), 2 ^ 53 - 1)
  equal(pmodule.hex(-1), "0xffffffffffffffff")
  equal(type(big), "cdata")
  equal(pmodule.key(5), pmodule.hex(5))
  equal(pmodule.key(5), "0x5")
  equal(tostring(2 ^ 50), "1125899906842624")
  fails("integer expected", pmodule.hex, 1.5)
  fails("integer expected", pmodule.num, "twelve")
end

-- Each kind of value, by its type.
local function kinds()
  local types = pmodule.variable_type
  local item = pmodule.bt_query("item", "crash", "crash.c")
  local more = pmodule.bt_query("kinds", "crash", "crash.c")
  local nowhere = pmodule.deref(more.nowhere)
  local table = {
    ll = {item.negative, -3}, ull = {more.ull, 6}, flt = {item.ratio, 0.5},
    dbl = {more.dbl, 0.25}, ldbl = {more.ldbl, 0.5},
    cflt = {more.cflt, 1, 2}, cdbl = {item.wave, 1, 2},
    cldbl = {more.cldbl, 3, 4}, string = {item.text}, enum = {item.color, 7},
    tuple = {item["in"]}, array = {item.numbers}, fn = {item.fn},
    reference = {more.nowhere, 8}, bottom = {nowhere},
  }
  local n = 0
  for name, case in pairs(table) do
    equal(view(case[1]):type(), types[name], name)
    local re, im = view(case[1]):value()
    equal(re, case[2], name)
    equal(im, case[3], name)
    equal(view(case[1]):resolved(), name ~= "bottom", name)
  end
  for _ in pairs(types) do n = n + 1 end
  equal(n, 15)
  equal(view(nowhere):address(), 8)
  equal(view(item.fn):symbol(), "helper")
  equal(view(item.fn):value() ~= nil, false, "functions have no value")
end

local function enumerations()
  local names = {"running", "sleeping", "disk", "stopped", "traced", "zombie",
    "dead", "idle", "blocked", "queued", "unknown"}
  local by = {}
  for _, name in ipairs(names) do
    local value = pmodule.process_state[name]
    equal(by[value], nil, name)
    by[value] = name
  end
  equal(pmodule.event_type, pmodule.event)
  equal(pmodule.match_type.exact ~= pmodule.match_type.substr, true)
  for _, level in ipairs {"debug", "info", "warning", "error"} do
    pmodule.log(pmodule.log_level[level], "a line of level %s", level)
  end
end

local function raw_variable(raw)
  equal(value(raw.id), 0)
  equal(value(raw.low), 5)
  equal(value(raw.high), 17)
  equal(value(raw.load), 2.5)
  equal(value(raw.ratio), 0.5)
  equal(view(raw.who):symbol(), "global")
  equal(view(raw.who):is_string(), true)
  equal(view(raw.who):type(), pmodule.variable_type.reference)
  equal(pmodule.address_read_string(value(raw.who), 256), "global")
  equal(view(raw.text):symbol(), "short")
  equal(view(raw.text):type(), pmodule.variable_type.string)
  equal(value(raw.text), nil)
  equal(value(raw.color), 7)
  equal(view(raw.color):symbol(), "GREEN")
  equal(view(raw.color):type(), pmodule.variable_type.enum)
  equal(value(raw["in"].v), 3)
  equal(value(raw.list.v), 2)
  equal(value(raw.deep.v), 2, "two levels")
  equal(value(raw.deeper.next.v), 1, "three levels and on")
  equal(pmodule.hex(value(raw.big)), "0xfedcba9876543210")
  equal(value(raw.negative), -3)
  equal(value(raw.hidden), 9)
  equal(view(raw.numbers):type(), pmodule.variable_type.array)
  equal(view(raw.fn):type(), pmodule.variable_type.fn)
  equal(view(raw.fn):symbol(), "helper")
  local re, im = value(raw.wave)
  equal(re, 1) equal(im, 2)
  equal(view(raw.wave):type(), pmodule.variable_type.cdbl)
  equal(raw.nobody, nil)
  equal(view(raw.list):base_type(), "nested")
  equal(view(raw.list):type_name(), "struct(nested) *")
  equal(view(raw.list):symbol(), "two", "the name of what it points to")
  equal(view(raw.deep):symbol(), "p_two")
  local node = pmodule.deref(raw.list)
  equal(value(node.v), 2)
  equal(pmodule.sizeof(node), 16)
  local other = pmodule.deref(node, value(node.next))
  equal(value(other.v), 1, "the same type elsewhere")
  fails("is no pointer", pmodule.deref, raw.id)
  fails("read-only", function() view(raw.id):set_ll(1) end)
  fails("cannot be assigned", function() raw.id = 1 end)
end

local function types(raw)
  local t = pmodule.type(raw.list)
  equal(t:name(), "struct nested *")
  equal(t:size(), 8)
  equal(t:target():name(), "struct nested")
  equal(pmodule.type(raw.numbers):base():name(), "int")
  equal(t:find("crash_item"):size(), pmodule.sizeof(raw))
  equal(t:find("struct nested") == t:target(), true)
  equal(t:find("int"):size(), 4)
  equal(t:find("nobody"), nil)
  equal(t:template_argument(0), nil)
  equal(pmodule.number(raw.negative), -3)
  equal(pmodule.hex(pmodule.number(raw.big)), "0xfedcba9876543210")
  equal(pmodule.number(raw.low), 5)
  equal(pmodule.number(raw.load), nil)
  equal(pmodule.address(raw.numbers), view(raw.numbers):address())
  equal(pmodule.number(raw.numbers[2]), 30)
  equal(pmodule.number(raw.list[0].v), 2)
  equal(pmodule.address(raw.list[-1]), pmodule.number(raw.list) - 16)
  equal(raw.id[0], nil)
  equal(raw.numbers[-1], nil)
  fails("an integer expected", function() return raw.numbers[0.5] end)
  equal(pmodule.number(pmodule.cast(raw, t:find("int"))), 0)
  local nested = pmodule.cast(raw, t:target(), pmodule.address(raw["in"]))
  equal(pmodule.number(nested.v), 3)
  fails("bt_type expected", pmodule.cast, raw, "nested")
  local first, name, is_base = pmodule.field(raw, 0)
  equal(pmodule.number(first), 0)
  equal(name, "id")
  equal(is_base, false)
  equal(pmodule.field(raw, 1000), nil)
  equal(pmodule.field(first, 0), nil)
  equal(pmodule.template_argument("std::map<int, A<B, C> >", 1), "A<B, C>")
  equal(pmodule.template_argument("std::map<int, A<B, C> >", 2), nil)
  equal(pmodule.demangle("_ZN2ns1fEi"), "ns::f(int)")
  equal(pmodule.demangle("main"), nil)
end

local function on_dispatched(v, raw)
  seen.dispatched = (seen.dispatched or 0) + 1
  equal(v:name(), "dispatched")
  equal(pmodule.number(raw), 7)
end

-- Called for one `local` of four: it refuses the type.
local function on_refused()
  seen.refused = (seen.refused or 0) + 1
  return false
end

-- What is added from raw variables. That is seen in the snapshot.
local function contents(fr)
  local item = pmodule.bt_query("item", "crash")
  local states = pmodule.variable_state
  local function new(name)
    local v = pmodule.create_variable("<contents>", name, 0, -1)
    fr:add_variable(v, false)
    return v
  end
  local v = new("contents")
  v:set_array()
  equal(v:add_elements(item.numbers[0], 2), 2)
  local named = v:add_member("named", item["in"])
  equal(named:depth(), 1)
  equal(named:name(), "named")
  equal(v:add_member(nil, item.ratio):name(), "")
  local b = pmodule.create_variable("bool", "b", 0, -1, v)
  b:set_bool(true)
  v:add_variable(b)
  fails("cannot be added", v.add_variable, v, b)
  fails("with this owner", v.add_variable, named,
    pmodule.create_variable("int", "x", 0, -1, v))
  v:set_summary("%d of many", 5)
  v:set_length(6)
  equal(v:symbol(), nil, "a summary is no value")
  local exact = new("exact")
  exact:set_array()
  exact:add_elements(item.numbers[0], 3)
  exact:set_length(3)
  local text = new("cut")
  text:set_string("cut")
  text:set_length(9)
  local skipped, shown = new("skipped"), new("shown")
  for _, one in ipairs {skipped, shown} do
    equal(one:set_value(item["in"]), true)
    equal(one:state(), states.shown)
    one:set_state(states.skip)
    equal(one:state(), states.skip)
    one:add_member("only", item.id)
  end
  shown:set_state(states.shown)
  fails("pmodule.variable_state", shown.set_state, shown, 2)
  new("flat"):set_value(item["in"], false)
  new("dispatched"):dispatch(item.id)
  equal(seen.dispatched, 1)
  fails("read-only", function() view(item):add_member("x", item.id) end)
end

local function on_variable(v, raw)
  seen.variable = (seen.variable or 0) + 1
  equal(v:name(), "local")
  equal(v:type_name(), "struct(crash_item)")
  equal(v:base_type(), "crash_item")
  equal(v:type(), pmodule.variable_type.tuple)
  equal(v:resolved(), true)
  equal(v:is_string(), false)
  equal(v:owner(), nil)
  equal(v:value(), nil)
  equal(v:fprm_offset(), nil)
  equal(v:frame():symbol(), "recurse")
  equal(v:thread():fault(), true)
  equal(v:backtrace() == pmodule.backtrace(), true)
  equal(v:address(), pmodule.variable_from_bt(raw):address())
  equal(v:address() > 0x1000, true)
  if seen.variable == 1 then
    raw_variable(raw)
    types(raw)
    equal(v:depth(), 0)
    v:annotate(pmodule.annotation.critical, "struct %s", v:name())
    fails("read-only and cannot be added", function()
      v:frame():add_variable(view(raw.id))
    end)
    local child = pmodule.create_variable("<text>", "child", 0, -1, v)
    child:set_string("made")
    equal(child:owner() == v, true)
    equal(child:frame() == v:frame(), true)
    v:frame():add_variable(child)
    fails("cannot be added", function() v:frame():add_variable(child) end)
  end
end

local function on_frame(fr)
  seen.frame = (seen.frame or 0) + 1
  equal(fr:symbol(), "recurse")
  equal(fr:object_file(), "crash")
  equal(fr:path():match("[^/]+$"), "crash.c")
  equal(fr:line_resolved(), true)
  equal(fr:line() > fr:decl_line() and fr:decl_line() > 0, true)
  equal(fr:thread():tid(), fr:backtrace():pid())
  equal(pmodule.address_symbol(fr:instruction()):match("^%w+"), "recurse")
  local names = {}
  for p, i in fr:fprm() do
    names[i] = p:name()
    equal(p:fprm_offset(), i)
    equal(fr:fprm_at(i) == p, true)
  end
  equal(names[0] .. names[1] .. names[2], "pointernname")
  equal(fr:fprm_at(3), nil)
  local si = fr:siginfo()
  local reason, sent = si:reason()
  equal(reason, "SEGV_MAPERR")
  equal(sent, false)
  equal(si:address_populated(), true)
  equal(si:address(), 0)
  equal(si:num(), 11)
  equal(si:code(), 1)
  equal(tostring(si), "SIGSEGV")
  equal(si:tostring(), "SIGSEGV")
  fr:annotate(pmodule.annotation.warning, "100%")
  fr:backtrace():annotate(pmodule.annotation.json,
    '{"json": {"context": "Fault", "Reason": "%s", "Num": %d}}', reason,
    si:num())
  coroutine.wrap(function()
    fr:backtrace():annotate(pmodule.annotation.json, "{broken")
    fr:annotate(pmodule.annotation.json, "[1]")
    fr:fprm_at(0):annotate(pmodule.annotation.json, "{} x")
  end)()
end

local function count(things, m)
  local n = 0
  for _ in things, m do n = n + 1 end
  return n
end

-- Every criterion lets some through and keeps others out.
local function matches(bt)
  local exact, substr = pmodule.match_type.exact, pmodule.match_type.substr
  local thr, fr
  for t in bt do thr = t end
  for f in thr, pmodule.match():add_frame_symbol("main", exact) do fr = f end
  equal(fr:symbol(), "main")
  for f in thr do fr = f break end
  local all = thr:n_frames()
  local function frames(method, text, type)
    local m = pmodule.match()
    equal(m[method](m, text, type), m, "a criterion returns its match")
    return count(thr, m)
  end
  equal(frames("add_object", "crash"), 6)
  equal(frames("add_object", "cras"), 0)
  equal(frames("add_object", "cras", substr), 6)
  equal(frames("add_object", "libc.so.6"), all - 6)
  equal(frames("add_file", "crash.c"), 5)
  equal(frames("add_file", "crash."), 0)
  equal(frames("add_file", "crash.", substr), 5)
  equal(frames("add_frame_symbol", "recurse"), 4)
  equal(frames("add_frame_symbol", "recurs", exact), 0)
  equal(frames("add_frame_symbol", "recurs", substr), 4)
  local function variables(method, ...)
    return count(fr, pmodule.match()[method](pmodule.match(), ...))
  end
  for _, name in ipairs {"add_base_type", "add_variable_base_type"} do
    equal(variables(name, "crash_item"), 2, name)
    equal(variables(name, "crash_"), 0, name)
    equal(variables(name, "crash_", substr), 2, name)
  end
  equal(variables("add_variable_name", "local"), 1)
  equal(variables("add_variable_name", "n"), 1)
  equal(variables("add_variable_name", "n", substr), 4)
  equal(variables("add_variable_ptrace_type", pmodule.variable_type.tuple), 1)
  local m = pmodule.match():add_frame_symbol("recurse"):add_file("other.c")
  equal(count(thr, m), 0, "all must hold")
  equal(count(thr, m:reset()), all)
  m:set_fault()
  equal(count(thr, m), 1)
  m:set_fault(true)
  equal(count(thr, m), all)
end

local function walk(bt)
  local m = pmodule.match()
  m:set_fault(true)
  local frames, variables, threads = 0, 0, 0
  for thr in bt, m do
    threads = threads + 1
    equal(thr:n_kframes(), 0)
    equal(thr:backtrace() == bt, true)
    for fr in thr do
      frames = frames + 1
      for var in fr do variables = variables + 1 end
    end
    equal(frames, thr:n_frames())
    local named = pmodule.match():add_variable_name("loc",
      pmodule.match_type.substr)
    for fr in thr, pmodule.match():add_frame_symbol("recurse") do
      for var in fr, named do
        equal(var:name(), "local")
        seen.named = (seen.named or 0) + 1
      end
    end
  end
  equal(threads, 1)
  equal(seen.named, 4)
  matches(bt)
  equal(variables > 12, true)
end

local function globals(bt)
  local names = {}
  for var, object, cu in bt:variables(), {object = "crash", cu = "crash.c"} do
    names[var:name()] = var
    equal(object, "crash")
    equal(cu:match("[^/]+$"), "crash.c")
    equal(var:frame(), nil)
  end
  equal(pmodule.address_read_string(names.global_version:value(), 256),
    "v1.2.3")
  equal(names.unnamed:base_type(), "unnamed_t")
  local n = 0
  for thr in bt do
    for var in thr:variables(), {cu = "crash.c"} do
      equal(var:name(), "tls_counter")
      equal(var:value(), 43)
      n = n + 1
    end
  end
  equal(n, 1)
  for var in bt:variables(), {name = "nobody"} do equal(var, nil) end
end

local function heap(bt)
  local at = pmodule.symbol_address("blocks", "crash")
  local first = pmodule.address_read_number(at, 8)
  local second = pmodule.address_read_number(at + 8, 8)
  local block, other = pmodule.heap_at(first + 5), pmodule.heap_at(second)
  equal(pmodule.heap_allocator(), "ptmalloc")
  equal(block.allocator, "ptmalloc")
  equal(block.state, "allocated")
  equal(block.start, first)
  equal(block.offset, 5)
  equal(block.usable, 40)
  equal(block.place, "")
  equal(block.owner, "main arena")
  equal(block.cache_tid, nil)
  equal(block.chunk < first and block.extent > 40, true)
  equal(block.mapped or block.damaged or block.transient, false)
  equal(other.state, "cached")
  equal(other.cache_tid, bt:pid())
  equal(pmodule.heap_at(first - 8).offset, -8)
  equal(pmodule.heap_at(8), nil)
  equal(pmodule.heap_after(first).start, second)
  equal(pmodule.heap_before(second).start, first)
  equal(pmodule.heap_before(8), nil)
  local allocated, cached, calls = 0, 0, 0
  equal(pmodule.heap_walk(function(b)
    if b.state == "allocated" then allocated = allocated + 1 end
    if b.state == "cached" then cached = cached + 1 end
  end), true)
  pmodule.heap_walk(function() calls = calls + 1 return false end)
  equal(calls, 1)
  fails("from within", pmodule.heap_walk, function() error("from within") end)
  fails("function expected", pmodule.heap_walk, 1)
  local all = pmodule.heap_statistics()
  equal(#all, 1)
  equal(all[1].allocator, "ptmalloc")
  equal(all[1].allocated_blocks, allocated)
  equal(all[1].cached_blocks, cached)
  equal(all[1].complete, true)
  equal(#pmodule.heap_anomalies(), 0)
  equal(#pmodule.heap_remarks(), 0)
end

local function machine(bt)
  local register = pmodule.machine_register
  local at = pmodule.symbol_address("global_version", "crash")
  local text = pmodule.address_read_raw(at, 8)
  equal(pmodule.address_read_number(at, 1), text:byte(1))
  equal(pmodule.address_read_number(at, 2), text:byte(1) + text:byte(2) * 256)
  equal(pmodule.address_read_number(at, 8),
    pmodule.bt_query("global_version", "crash") and
    value(pmodule.bt_query("global_version", "crash")))
  local negative = view(pmodule.bt_query("item", "crash").negative):address()
  equal(pmodule.address_read_number(negative, 4), 2 ^ 32 - 3)
  equal(pmodule.address_read_number(negative, 4, true), -3)
  equal(pmodule.address_read_number(1, 4), nil)
  fails("1, 2, 4 or 8 expected", pmodule.address_read_number, at, 3)
  for thr in bt do
    equal(thr:frames_skipped(), 0)
    equal(thr:register(register.thread_pointer) > 0x1000, true)
    equal(thr:register(200), nil)
    fails("DWARF register number", thr.register, thr, -4)
    local above
    for fr in thr do
      local sp, cfa = fr:stack_pointer(), fr:cfa()
      if above == nil then
        equal(thr:register(register.pc), fr:instruction())
        equal(thr:register(register.sp), sp)
      else
        equal(sp >= above, true, "stacks grow downwards")
      end
      equal(fr:register(register.pc), fr:instruction())
      equal(fr:register(register.sp), sp)
      equal(fr:register(7), sp, "by DWARF number")
      if cfa then equal(cfa >= sp, true) end
      above = cfa
      if fr:symbol() == "main" then break end
    end
    equal(above ~= nil, true)
  end
  local names = {}
  for name, path, first, last in bt:modules() do
    names[name] = path
    if name == "crash" then equal(at >= first and at < last, true) end
  end
  equal(names.crash:match("[^/]+$"), "crash")
  equal(names["libc.so.6"]:match("[^/]+$"), "libc.so.6")
end

local function memory(bt)
  local at = pmodule.symbol_address("global_version", "crash")
  equal(pmodule.address_symbol(at), "global_version")
  equal(pmodule.symbol_address("nobody"), nil)
  equal(#pmodule.symbol_read_raw("global_version", "crash", 8), 8)
  equal(#pmodule.address_read_raw(at, 5), 5)
  equal(pmodule.address_read_raw(1, 5), nil)
  equal(pmodule.address_read_string(1, 5), nil)
  equal(pmodule.symbol_read_string("nobody", "crash", 5), nil)
  equal(pmodule.symbol_read_string("global_text", "crash", 256), "in an array")
  equal(pmodule.symbol_read_string("global_text", nil, 5), "in an")
  local map = bt:pmap_entry(at)
  local perms = pmodule.pmap_perms
  equal(map:permissions(perms.rd, perms.wr, perms.pr), true)
  equal(map:permissions(perms.all), false)
  equal(map:permissions(perms.sh), false)
  equal(map:guard(), false)
  for thr in bt do
    for fr in thr do
      local code = bt:pmap_entry(fr:instruction())
      equal(code:permissions(perms.ex), true)
      equal(code:permissions(perms.wr), false)
      equal(code:permissions(perms.ex, perms.wr), false)
      break
    end
  end
  equal(bt:pmap_entry(1), nil)
  equal(pmodule.pmap_enabled(), true)
  equal(pmodule.pmap_cached(), true)
end

local function synthesis(bt)
  local fr = pmodule.create_frame()
  fr:set_symbol("made up")
  fr:set_object("made.so")
  equal(fr:object_file(), "made.so")
  fr:set_path("/a/b.c")
  equal(fr:path(), "/a/b.c")
  fr:set_directory("/d")
  fr:set_basename("e.c")
  fr:set_line(3)
  fr:set_decl_line(2)
  equal(fr:path(), "/d/e.c")
  equal(fr:decl_line(), 2)
  local function add(name, set, ...)
    local v = pmodule.create_variable("<" .. name .. ">", name, 0, -1)
    v[set](v, ...)
    fr:add_variable(v, false)
    return v
  end
  contents(fr)
  add("ll", "set_ll", -5)
  add("ull", "set_ull", pmodule.num("0xffffffffffffffff"))
  add("dbl", "set_dbl", 0.25)
  add("cdbl", "set_cdbl", 1, -1)
  add("enum", "set_enum", 2, "TWO")
  add("ref", "set_ref", 4096, "page")
  add("fn", "set_function", "f")
  add("text", "set_string", "a\0b")
  add("told", "set_summary", "words about it"):set_string("the value")
  add("integer", "set_string", 2, "ZWEI")
  add("label", "set_string", 3)
  add("struct", "set_struct")
  add("empty", "set_array")
  equal(pmodule.create_variable("int", "x"):type(),
    pmodule.variable_type.bottom)
  local array = add("array", "set_array")
  for i = 0, 2 do
    local e = pmodule.create_variable("int", "", 0, i, array)
    e:set_ll(i * i)
    fr:add_variable(e)
  end
  for thr in bt do
    thr:add_frame(fr, true)
    thr:set_name("renamed")
    thr:annotate(pmodule.annotation.comment, "thread %d", 1)
    local outer = pmodule.create_frame()
    outer:set_symbol("outermost")
    thr:add_frame(outer, false)
    local beside = pmodule.create_frame()
    beside:set_symbol("beside")
    fr:add_frame(beside, true)
    equal(thr:n_frames() > 6, true)
  end
  fails("cannot be added", function()
    for thr in bt do thr:add_frame(fr) end
  end)
end

local function mistakes(bt)
  fails("no method 'adress' on variable; did you mean 'address'?", function()
    for thr in bt do for fr in thr do for v in fr do v:adress() end end end
  end)
  fails("no name 'lgo' in pmodule; did you mean 'log'?", function()
    pmodule.lgo()
  end)
  fails("no name 'postatach' in pmodule.event; did you mean 'postattach'?",
    function() return pmodule.event.postatach end)
  fails("frame expected, got thread", function()
    for thr in bt do thr:add_frame(thr) end
  end)
  fails("string expected", function() bt:add_kv_string(nil, "x") end)
  fails("string expected, got no value", function() bt:add_classifier() end)
  fails("integer expected, got string", function() bt:add_kv_int("x", "y") end)
  fails("integer expected, got backtrace", pmodule.address_symbol, bt)
  fails("bt_variable expected, got backtrace", pmodule.deref, bt)
  fails("bt_variable expected, got nil", pmodule.sizeof, nil)
  fails("backtrace expected, got number", bt.pid, 1)
  fails("match expected, got table", function() for _ in bt, {} do end end)
  fails("pmodule.match_type", function()
    pmodule.match():add_object("x", "substr")
  end)
  fails("pmodule.variable_type", function()
    pmodule.match():add_variable_ptrace_type(15)
  end)
  fails("pmodule.pmap_perms", function()
    bt:pmap_entry(pmodule.symbol_address("item")):permissions(64)
  end)
  fails("variable expected, got string", pmodule.create_variable, "int", "x",
    0, -1, "owner")
  fails("pmodule.annotation", function() bt:annotate(9, "x") end)
  fails("called a second time", pmodule.define, {id = "x", load = print})
  equal(io, nil) equal(os, nil) equal(debug, nil) equal(ffi, nil)
  equal(require, nil) equal(dofile, nil) equal(loadfile, nil)
  equal(load("\27LJ"), nil, "compiled code")
  equal(load("return 1 + 1")(), 2)
  equal(getmetatable(bt), "backtrace")
  equal("a\z
         b", "ab")
end

local function on_postattach(bt)
  equal(bt == pmodule.backtrace(), true)
  equal(seen.order, "preattach attach thread")
  equal(seen.variable, 4)
  equal(seen.refused, 1)
  equal(seen.frame, 1)
  equal(bt:application_name(), "crash")
  equal(bt:process_state(), pmodule.process_state.unknown)
  numbers()
  kinds()
  enumerations()
  walk(bt)
  globals(bt)
  memory(bt)
  heap(bt)
  machine(bt)
  mistakes(bt)
  synthesis(bt)
  bt:add_tag("tagged")
  bt:add_kv_int("answer", 42)
  bt:add_kv_string("color", "red")
  bt:add_classifier("lua")
  pmodule.log(pmodule.log_level.info, "%d checks", checks)
end

local function note(name)
  return function()
    seen.order = (seen.order and seen.order .. " " or "") .. name
  end
end

pmodule.define {
  id = "api",
  unload = function() pmodule.log(pmodule.log_level.info, "unloaded") end,
  reset = function() end,
  load = function()
    local m = pmodule.match()
    m:add_object("crash")
    m:add_file("crash.c")
    m:add_frame_symbol("recur", pmodule.match_type.substr)
    m:add_variable_base_type("crash_", pmodule.match_type.substr)
    m:add_variable_ptrace_type(pmodule.variable_type.tuple)
    pmodule.register(pmodule.event.variable, on_variable, m)
    m:reset()
    m:add_variable_name("local")
    pmodule.register(pmodule.event.variable, on_refused, m)
    m:reset()
    m:add_variable_name("dispatched")
    pmodule.register(pmodule.event.variable, on_dispatched, m)
    m:reset()
    m:add_object("nobody.so")
    m:reset()
    m:set_fault()
    pmodule.event_register(pmodule.event_type.frame, on_frame, m)
    pmodule.register(pmodule.event.preattach, note("preattach"))
    pmodule.register(pmodule.event.attach, function(bt)
      note("attach")()
      equal(value(pmodule.bt_query("item", "crash", "crash.c").id), 7)
      equal(pmodule.bt_query("item", "crash", "other.c"), nil)
    end)
    pmodule.register(pmodule.event.thread, note("thread"))
    pmodule.register(pmodule.event.postattach, on_postattach)
    equal(pmodule.config_option("option"), "value")
    equal(pmodule.config_option("nothing"), nil)
    pmodule.constraint { symbol = "nobody",
      { name = "to", kind = "write", count = "n" }, { name = "n" } }
    for _, wrong in ipairs {
      { {}, "symbol is missing" },
      { { symbol = "f" }, "0 arguments" },
      { { symbol = "f", { kind = "writ" } }, "kind 'writ' of argument 1" },
      { { symbol = "f", { size = 1 } }, "argument 1 has no field 'size'" },
      { { symbol = "f", { unit = "x" } }, "unit of argument 1 is a string" },
      { { symbol = "f", { count = "n" } }, "there is no argument 'n'" },
    } do
      fails(wrong[2], pmodule.constraint, wrong[1])
    end
  end,
}
