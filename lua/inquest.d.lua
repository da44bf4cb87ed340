---@meta
-- SPDX-License-Identifier: MIT
--
-- The interface of analysis modules in Lua, for editors with a Lua language
-- server (set Lua.workspace.library to the directory of this file) and the
-- source of docs/reference-lua.md (scripts/reference.py). It is not loaded by
-- anything; tests/modules/reference.py compares it with what is there.

--- An integer of up to 64 bits: a number below 2^53, a 64-bit integer of
--- LuaJIT from there on. Functions that take one also take its text, decimal
--- or with 0x.
---@alias integer64 number|ffi.cdata*|string

---@class pmodule
pmodule = {}

-- Definition and events

---@class pmodule.definition
---@field id string 1 to 64 bytes; the module goes by it everywhere
---@field load fun() registers callbacks; an error refuses the module
---@field unload? fun() at the end
---@field reset? fun() between snapshots, when several are taken

--- Says what the file is: to be called once, when the file is run.
---@param definition pmodule.definition
function pmodule.define(definition) end

--- Registers a callback; only in `load`. It gets the backtrace (preattach,
--- attach, postattach), the thread, the frame, or the variable and its
--- bt_variable. The match is copied. One for variables that returns false
--- (and not nil) is not called again for variables of a type with that name.
---@param event pmodule.event
---@param callback fun(object: any, raw?: bt_variable): boolean?
---@param match? match which threads, frames or variables; nil: all
function pmodule.register(event, callback, match) end

--- The same as `pmodule.register`.
---@param event pmodule.event
---@param callback fun(object: any, raw?: bt_variable)
---@param match? match
function pmodule.event_register(event, callback, match) end

--- When callbacks are called, in this order for each thread and frame.
---@enum pmodule.event
pmodule.event = {
  preattach = 1, -- before anything is read
  attach = 2, -- the target is there; nothing was extracted
  variable = 3, -- a variable; then its members and elements
  frame = 4, -- a frame is complete
  thread = 5, -- a thread is complete; the faulting one comes first
  postattach = 6, -- everything is there
}

--- The same as `pmodule.event`.
pmodule.event_type = pmodule.event

--- A criterion-less match, to which criteria are added.
---@return match
function pmodule.match() end

--- How a criterion compares.
---@enum pmodule.match_type
pmodule.match_type = {
  exact = 0, -- the whole name
  substr = 1, -- any part of it
}

--- The value that the user gave with `--module=ID:key,value`; nil: none.
---@param key string
---@return string?
function pmodule.config_option(key) end

---@class pmodule.argument
---@field name? string for people, and for `count` of others
---@field kind? string any (default), read, write, update, string, function, number
---@field count? string of memory: the argument that counts its elements
---@field unit? number of memory: bytes of an element (1)
---@field null? boolean of pointers: NULL is allowed
---@field min? number of a number; without min and max: what memory can have
---@field max? number as its size

---@class pmodule.rule: {[integer]: pmodule.argument}
---@field symbol string the function, without parameters

--- What a function expects of its arguments; only in `load`. A violated rule
--- becomes a finding of class bad-argument and the classifier
--- `constraint.SYMBOL`, in whatever thread the function is.
---@param rule pmodule.rule one table for each argument, in their order
function pmodule.constraint(rule) end

--- The backtrace; an error before `load`.
---@return backtrace
function pmodule.backtrace() end

--- A line on standard error, shown with `-L LEVEL`. `print` is the level info.
---@param level pmodule.log_level
---@param format string as for string.format; alone it is taken as it is
---@param ... any
function pmodule.log(level, format, ...) end

---@enum pmodule.log_level
pmodule.log_level = {
  debug = 0,
  info = 1,
  warning = 2,
  error = 3,
}

--- Levels of what `annotate` says.
---@enum pmodule.annotation
pmodule.annotation = {
  comment = 0,
  warning = 1,
  critical = 2,
  json = 3, -- the text is one JSON object, else it is dropped with a warning
}

-- Memory and symbols

--- The symbol at an address, "name" or "name+offset"; nil: none is known.
---@param address integer64
---@return string?
function pmodule.address_symbol(address) end

--- The address of a symbol; nil: there is none.
---@param symbol string linkage name
---@param object? string part of the path of the executable or library
---@return integer64?
function pmodule.symbol_address(symbol, object) end

--- Bytes at a symbol; nil: unreadable. May be fewer than asked for.
---@param symbol string
---@param object string?
---@param size integer64
---@return string?
function pmodule.symbol_read_raw(symbol, object, size) end

--- Bytes at an address; nil: unreadable. May be fewer than asked for, and are at
--- most 64 MiB.
---@param address integer64
---@param size integer64
---@return string?
function pmodule.address_read_raw(address, size) end

--- A block of the heap.
---@class pmodule.heap_block
---@field allocator string "ptmalloc", "jemalloc", "tcmalloc", "musl"
---@field state string "allocated", "free", "cached" (freed, in a thread's cache), "purged" (freed, its pages given back), "unused" (never handed out), "metadata" or "unknown"
---@field place string where a free one lies: "tcache of thread 7"; "" otherwise
---@field owner string? the part of the allocator it belongs to: "main arena", "arena of thread 7"
---@field start integer64 what malloc returned
---@field usable integer64 bytes from there
---@field offset integer64 of the address that was asked for, from start
---@field chunk integer64 with the allocator's header
---@field extent integer64 bytes of the chunk
---@field arena integer64? its arena, if it has one
---@field cache_tid integer? of a cached one: the thread
---@field mapped boolean a mapping of its own
---@field damaged boolean something is wrong with it
---@field transient boolean its arena was being changed: the state may be old

--- What an allocator counts. Bytes are usable bytes.
---@class pmodule.heap_statistics
---@field allocator string
---@field version string "" when unknown
---@field complete boolean every block was walked, nothing is wrong
---@field arenas integer
---@field caches integer
---@field allocated_blocks integer64
---@field allocated_bytes integer64
---@field free_blocks integer64
---@field free_bytes integer64
---@field cached_blocks integer64
---@field cached_bytes integer64
---@field mapped_blocks integer64 with mappings of their own, among the allocated
---@field mapped_bytes integer64
---@field unused_bytes integer64 never handed out
---@field system_bytes integer64 asked from the kernel
---@field largest_block integer64
---@field anomalies integer64
---@field transient integer64

--- A broken invariant of an allocator.
---@class pmodule.heap_anomaly
---@field allocator string
---@field check string "size", "prev-size", "in-use", "top", "link", "bin", "count", "twice", "foreign", "key", "overlap" or "metadata"
---@field text string what is wrong
---@field address integer64? the word that is wrong
---@field chunk integer64? of the block it belongs to
---@field start integer64? the block
---@field before integer64? the block in front of it
---@field arena integer64?
---@field expected integer64?
---@field found integer64?
---@field cache_tid integer? the thread whose cache shows it
---@field transient boolean met while the arena was being changed: no damage

--- The block of the heap that holds an address; nil: no allocator claims it.
---@param address integer64
---@return pmodule.heap_block?
function pmodule.heap_at(address) end

--- The block in front of the one that holds an address; nil: there is none, or
--- damage hides it.
---@param address integer64
---@return pmodule.heap_block?
function pmodule.heap_before(address) end

--- The block behind the one that holds an address.
---@param address integer64
---@return pmodule.heap_block?
function pmodule.heap_after(address) end

--- Calls the visitor for each block of all allocators, by arena and address,
--- until it returns false. It gets the same table every time: copy what is to be
--- kept.
---@param visitor fun(block: pmodule.heap_block): boolean?
---@return boolean whole false: a limit or unreadable memory ended it early
function pmodule.heap_walk(visitor) end

--- What each allocator in use counts, after all of its blocks were checked.
---@return pmodule.heap_statistics[]
function pmodule.heap_statistics() end

--- What is wrong with the heap, at most 1,000 of each allocator.
---@return pmodule.heap_anomaly[]
function pmodule.heap_anomalies() end

--- The name of the allocator that malloc and free go to; nil: none is known.
---@return string?
function pmodule.heap_allocator() end

--- Why a heap, or part of it, cannot be judged.
---@return string[]
function pmodule.heap_remarks() end

--- Text at a symbol up to a NUL, at most size bytes; nil: unreadable.
---@param symbol string
---@param object string?
---@param size integer64
---@return string?
function pmodule.symbol_read_string(symbol, object, size) end

--- Text at an address up to a NUL, at most size bytes; nil: unreadable.
---@param address integer64
---@param size integer64
---@return string?
function pmodule.address_read_string(address, size) end

--- A number in memory; nil: unreadable.
---@param address integer64
---@param size 1|2|4|8
---@param signed? boolean
---@return integer64?
function pmodule.address_read_number(address, size, signed) end

--- Whether mappings are known: always.
---@return boolean
function pmodule.pmap_enabled() end

--- Whether mappings are not those of a running process but of a core.
---@return boolean
function pmodule.pmap_cached() end

--- For `thread:register` and `frame:register`, beside DWARF numbers.
---@enum pmodule.machine_register
pmodule.machine_register = {
  pc = -1, -- program counter
  sp = -2, -- stack pointer
  thread_pointer = -3, -- of thread-local storage
}

-- Raw variables

--- A global or static variable; nil: there is none.
---@param symbol string
---@param object? string part of the path of the executable or library
---@param cu? string part of the name of the source file
---@return bt_variable?
function pmodule.bt_query(symbol, object, cu) end

--- What a raw variable holds: a variable for reading only, which cannot be added
--- to the snapshot.
---@param raw bt_variable
---@return variable
function pmodule.variable_from_bt(raw) end

--- What a pointer points to; with an address, a variable of the same type
--- there. An error for what is no pointer, or null.
---@param raw bt_variable
---@param address? integer64
---@return bt_variable
function pmodule.deref(raw, address) end

--- Bytes of its type; 0: unknown.
---@param raw bt_variable
---@return integer64
function pmodule.sizeof(raw) end

--- A variable of another type at an address; without one, where it is itself.
---@param raw bt_variable
---@param type bt_type
---@param address? integer64
---@return bt_variable
function pmodule.cast(raw, type, address) end

--- The i-th member of a class, from 0, base classes first; its name (of a base
--- class that of the type), and whether it is a base class. nil: no more.
---@param raw bt_variable
---@param i integer
---@return bt_variable?
---@return string?
---@return boolean?
function pmodule.field(raw, i) end

--- An integer, character, enumeration, boolean or pointer; nil: it is none, or
--- cannot be had.
---@param raw bt_variable
---@return integer64?
function pmodule.number(raw) end

--- Where it is in memory; nil: nowhere.
---@param raw bt_variable
---@return integer64?
function pmodule.address(raw) end

---@param raw bt_variable
---@return bt_type?
function pmodule.type(raw) end

--- The n-th argument of "T<A, B>", from 0, by the text; nil: there is none.
---@param name string
---@param n integer
---@return string?
function pmodule.template_argument(name, n) end

--- "ns::f(int)" of a mangled name (C++, Rust, D); nil: it is none.
---@param symbol string
---@return string?
function pmodule.demangle(symbol) end

-- Variables and frames of a module's own

--- A new variable, without a value until one is set, in the snapshot once it was
--- added. With an owner it becomes a member of that.
---@param type string
---@param name? string
---@param address? integer64 0: none
---@param offset? integer index in an array; -1: not in one
---@param owner? variable
---@return variable
function pmodule.create_variable(type, name, address, offset, owner) end

--- A new frame, in the snapshot once it was added.
---@return frame
function pmodule.create_frame() end

-- Numbers of 64 bits

--- Bitwise and, on all 64 bits (`bit.band` cuts to 32).
---@param a integer64
---@param ... integer64
---@return integer64
function pmodule.band(a, ...) end

--- Bitwise or.
---@param a integer64
---@param ... integer64
---@return integer64
function pmodule.bor(a, ...) end

--- Bitwise exclusive or.
---@param a integer64
---@param ... integer64
---@return integer64
function pmodule.bxor(a, ...) end

--- Shifts to the left; from 64 bits on 0.
---@param a integer64
---@param n integer
---@return integer64
function pmodule.shl(a, n) end

--- Shifts to the right, without the sign; from 64 bits on 0.
---@param a integer64
---@param n integer
---@return integer64
function pmodule.shr(a, n) end

--- "0x1234"
---@param x integer64
---@return string
function pmodule.hex(x) end

--- A key for tables: equal for equal integers, which 64-bit integers themselves
--- are not.
---@param x integer64
---@return string
function pmodule.key(x) end

--- The integer that a text stands for, as small as it can be.
---@param x integer64
---@return number|ffi.cdata*
function pmodule.num(x) end

-- Constants of objects

--- What a variable is.
---@enum pmodule.variable_type
pmodule.variable_type = {
  ll = 0, -- signed integer
  ull = 1, -- unsigned integer
  flt = 2,
  dbl = 3,
  ldbl = 4,
  cflt = 5, -- complex
  cdbl = 6,
  cldbl = 7,
  string = 8,
  enum = 9,
  tuple = 10, -- struct, class, union
  array = 11,
  bottom = 12, -- without a value: optimized out, unreadable, ...
  fn = 13,
  reference = 14, -- pointer
}

--- Whether a variable's own contents are shown.
---@enum pmodule.variable_state
pmodule.variable_state = {
  shown = 0,
  skip = 1, -- only what a module set or added is
}

--- What `backtrace:process_state` says.
---@enum pmodule.process_state
pmodule.process_state = {
  running = 1,
  sleeping = 2,
  disk = 3,
  stopped = 4,
  traced = 5,
  zombie = 6,
  dead = 7,
  idle = 8,
  blocked = 9,
  queued = 10,
  unknown = 0, -- of a core
}

--- Permissions of a mapping.
---@enum pmodule.pmap_perms
pmodule.pmap_perms = {
  ex = 1, -- executable
  wr = 2, -- writable
  rd = 4, -- readable
  pr = 8, -- private
  sh = 16, -- shared
  all = 7, -- executable, writable and readable
}

--- The whole process. `for thread in bt, match do` goes through its threads.
---@class backtrace
---@operator call(match?): thread
local backtrace = {}

--- The process id.
---@return integer
function backtrace:pid() end

--- The mapping that holds an address; nil: none.
---@param address integer64
---@return pmap?
function backtrace:pmap_entry(address) end

--- The name of the application: `--application`, or the program's.
---@return string
function backtrace:application_name() end

---@return pmodule.process_state
function backtrace:process_state() end

--- An attribute "tag.NAME" that is true.
---@param name string
function backtrace:add_tag(name) end

--- An attribute with a number.
---@param key string
---@param value integer64
function backtrace:add_kv_int(key, value) end

--- An attribute with a text.
---@param key string
---@param value string
function backtrace:add_kv_string(key, value) end

---@param name string
function backtrace:add_classifier(name) end

--- Says something about the process.
---@param level pmodule.annotation
---@param format string
---@param ... any
function backtrace:annotate(level, format, ...) end

--- Global variables: `for var, object, cu in bt:variables(), {object = "libx",
--- cu = "a.c", name = "count"} do`. object and cu are parts of names; each may
--- be missing.
---@return fun(filter?: table): variable?, string?, string?
function backtrace:variables() end

--- The program and its libraries: `for name, path, first, last in bt:modules()`.
---@return fun(): string?, string?, integer64?, integer64?
function backtrace:modules() end

--- A thread. `for frame in thread, match do` goes through its frames, from the
--- innermost on.
---@class thread
---@operator call(match?): frame
local thread = {}

--- Whether the fault happened in it.
---@return boolean
function thread:fault() end

---@return integer
function thread:tid() end

---@return backtrace
function thread:backtrace() end

---@return integer
function thread:n_frames() end

--- Frames within the kernel.
---@return integer
function thread:n_kframes() end

--- Frames that were left out of the middle of a very deep stack.
---@return integer64
function thread:frames_skipped() end

---@param name string
function thread:set_name(name) end

--- Adds a frame of `pmodule.create_frame`.
---@param frame frame
---@param first? boolean true (the default): innermost; false: outermost
function thread:add_frame(frame, first) end

--- Says something about the thread.
---@param level pmodule.annotation
---@param format string
---@param ... any
function thread:annotate(level, format, ...) end

--- Its thread-local variables, as `backtrace:variables`.
---@return fun(filter?: table): variable?, string?, string?
function thread:variables() end

--- A register at the time of the snapshot; nil: unknown.
---@param number integer|pmodule.machine_register DWARF number
---@return integer64?
function thread:register(number) end

--- A frame. `for variable in frame, match do` goes through its variables.
---@class frame
---@operator call(match?): variable
local frame = {}

--- The address in its function.
---@return integer64
function frame:instruction() end

--- The source file; nil: unknown.
---@return string?
function frame:path() end

--- The function, demangled; nil: unknown.
---@return string?
function frame:symbol() end

--- Whether its line is known.
---@return boolean
function frame:line_resolved() end

--- The name of the executable or library; nil: none.
---@return string?
function frame:object_file() end

---@return backtrace
function frame:backtrace() end

--- nil: a new frame that was not added.
---@return thread?
function frame:thread() end

--- 0: unknown.
---@return integer
function frame:line() end

--- The line of the function's declaration; 0: unknown.
---@return integer
function frame:decl_line() end

--- The signal, in the frame where the fault happened; nil in others.
---@return siginfo?
function frame:siginfo() end

--- The i-th parameter, from 0; nil: there is none.
---@param i integer
---@return variable?
function frame:fprm_at(i) end

--- The parameters: `for variable, i in frame:fprm() do`.
---@return fun(): variable?, integer?
function frame:fprm() end

--- The last component of its path.
---@param name string
function frame:set_basename(name) end

---@param symbol string
function frame:set_symbol(symbol) end

---@param directory string
function frame:set_directory(directory) end

---@param path string
function frame:set_path(path) end

---@param line integer
function frame:set_line(line) end

---@param line integer
function frame:set_decl_line(line) end

--- The name of the executable or library.
---@param name string
function frame:set_object(name) end

--- Adds a variable of `pmodule.create_variable`. One with an owner goes there.
---@param variable variable
---@param insert_after? boolean true (the default): in front; false: at the end
function frame:add_variable(variable, insert_after) end

--- Adds a frame of `pmodule.create_frame` beside this one.
---@param frame frame
---@param insert_after? boolean true: as its caller; false (the default): before
function frame:add_frame(frame, insert_after) end

--- Says something about the frame.
---@param level pmodule.annotation
---@param format string
---@param ... any
function frame:annotate(level, format, ...) end

--- A register as it was in this frame; nil: unknown.
---@param number integer|pmodule.machine_register DWARF number
---@return integer64?
function frame:register(number) end

---@return integer64?
function frame:stack_pointer() end

--- The canonical frame address: the stack pointer before the call.
---@return integer64?
function frame:cfa() end

--- A variable as the snapshot shows it.
---@class variable
local variable = {}

--- nil: it is in no memory.
---@return integer64?
function variable:address() end

--- Its text, enumerator, function, or the name of what it points to; nil: none.
---@return string?
function variable:symbol() end

---@return pmodule.variable_type
function variable:type() end

--- "struct(foo) *", "int"
---@return string
function variable:type_name() end

--- The name without words, pointers and arrays: "foo". A type without a name
--- goes by its typedef.
---@return string
function variable:base_type() end

---@return string
function variable:name() end

--- What it is a member or element of; nil: nothing.
---@return variable?
function variable:owner() end

--- nil: a global variable, or what a pointer leads to.
---@return frame?
function variable:frame() end

---@return thread?
function variable:thread() end

---@return backtrace
function variable:backtrace() end

--- Its place among the parameters, from 0; nil: it is none.
---@return integer?
function variable:fprm_offset() end

--- Whether it has a value or members.
---@return boolean
function variable:resolved() end

---@return boolean
function variable:is_string() end

--- An integer (integers, enumerations, pointers), a number (floating point), two
--- numbers (complex), or nil.
---@return integer64?
---@return number?
function variable:value() end

--- Makes it a struct: add members.
function variable:set_struct() end

--- Makes it an array: add elements.
function variable:set_array() end

---@param symbol? string
function variable:set_function(symbol) end

--- A text. With a number first the same as `set_enum`.
---@param text? string|integer64
---@param label? string
function variable:set_string(text, label) end

---@param value integer64
---@param label? string
function variable:set_enum(value, label) end

--- A pointer.
---@param value integer64
---@param symbol? string
function variable:set_ref(value, symbol) end

--- A complex number.
---@param real number
---@param imaginary number
function variable:set_cdbl(real, imaginary) end

---@param value number
function variable:set_dbl(value) end

--- An unsigned integer.
---@param value integer64
function variable:set_ull(value) end

--- A signed integer.
---@param value integer64
function variable:set_ll(value) end

---@param value boolean
function variable:set_bool(value) end

--- Fills it from a raw variable: name (unless it has one), type and value.
---@param raw bt_variable
---@param deep? boolean true (the default): with its members
---@return boolean
function variable:set_value(raw, deep) end

--- One line for people in front of its members ("std::vector of length 3"). It
--- changes nothing else.
---@param format string
---@param ... any
function variable:set_summary(format, ...) end

--- How many members or elements there are in truth (of a text: bytes): when that
--- is more than it shows, it is marked as cut.
---@param length integer64
function variable:set_length(length) end

--- Adds a member with the contents of a raw variable; name nil: an element. nil:
--- a limit was reached.
---@param name string?
---@param raw bt_variable
---@return variable?
function variable:add_member(name, raw) end

--- Adds elements that lie one behind the other in memory, the first of which is
--- given. How many were added.
---@param first bt_variable
---@param count integer64
---@return integer
function variable:add_elements(first, count) end

--- Adds a variable of `pmodule.create_variable` that has this one as its owner.
---@param variable variable
function variable:add_variable(variable) end

--- How deep within others it is, from 0.
---@return integer
function variable:depth() end

---@return pmodule.variable_state
function variable:state() end

---@param state pmodule.variable_state
function variable:set_state(state) end

--- Runs the callbacks for variables on it.
---@param raw bt_variable
function variable:dispatch(raw) end

--- Says something about the variable.
---@param level pmodule.annotation
---@param format string
---@param ... any
function variable:annotate(level, format, ...) end

--- A variable as the debugger has it. `raw.member` is another one, through as
--- many pointers as it takes; nil: there is no such member. `raw[i]` is the i-th
--- element of an array, from 0, or what lies there behind a pointer.
---@class bt_variable
---@field [string] bt_variable?
---@field [integer] bt_variable?
local bt_variable = {}

--- A type of the program.
---@class bt_type
local bt_type = {}

--- As GDB prints it: "struct list *", "ns::T<int>".
---@return string
function bt_type:name() end

--- In bytes; 0: unknown.
---@return integer64
function bt_type:size() end

--- Without qualifiers, pointers, arrays and typedefs.
---@return bt_type
function bt_type:base() end

--- What it points to, or consists of (array); nil: nothing.
---@return bt_type?
function bt_type:target() end

--- The n-th argument of a class template, from 0: a type, or a number; nil: there
--- is none. Those of a pack count one by one.
---@param n integer
---@return bt_type|integer64|nil
function bt_type:template_argument(n) end

--- The class, struct, union, enumeration or base type of that name in the same
--- debug information; nil: there is none.
---@param name string
---@return bt_type?
function bt_type:find(name) end

--- Criteria, all of which must hold. Each function gives the match back. Names
--- of files and libraries also match by their last component.
---@class match
local match = {}

--- Takes all criteria away.
---@return match
function match:reset() end

--- The executable or library of the frame.
---@param text string
---@param type? pmodule.match_type
---@return match
function match:add_object(text, type) end

--- The source file of the frame.
---@param text string
---@param type? pmodule.match_type
---@return match
function match:add_file(text, type) end

--- The function of the frame.
---@param text string
---@param type? pmodule.match_type
---@return match
function match:add_frame_symbol(text, type) end

--- The base type of the variable.
---@param text string
---@param type? pmodule.match_type
---@return match
function match:add_variable_base_type(text, type) end

--- The same as `add_variable_base_type`.
---@param text string
---@param type? pmodule.match_type
---@return match
function match:add_base_type(text, type) end

---@param type pmodule.variable_type
---@return match
function match:add_variable_ptrace_type(type) end

---@param text string
---@param type? pmodule.match_type
---@return match
function match:add_variable_name(text, type) end

--- Only the frame where the fault happened.
---@param thread? boolean true: all frames of that thread
---@return match
function match:set_fault(thread) end

--- A mapping.
---@class pmap
local pmap = {}

--- Whether nobody may touch it.
---@return boolean
function pmap:guard() end

--- Whether it has all of these permissions.
---@param ... pmodule.pmap_perms
---@return boolean
function pmap:permissions(...) end

--- The signal. `tostring` gives its name.
---@class siginfo
local siginfo = {}

--- The cause ("SEGV_MAPERR"), and whether a process sent it.
---@return string
---@return boolean
function siginfo:reason() end

--- Whether it has an address.
---@return boolean
function siginfo:address_populated() end

---@return integer64
function siginfo:address() end

--- The signal's number.
---@return integer
function siginfo:num() end

---@return integer
function siginfo:code() end

--- "SIGSEGV"
---@return string
function siginfo:tostring() end
