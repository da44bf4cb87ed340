-- SPDX-License-Identifier: MIT
-- libc++: where the parts are, from LLVM 7 on.

local L = {}

-- The first or the second of a compressed pair; since LLVM 20 plain members.
local function pair_part(raw, old, new, n)
  local pair = raw and raw[old]
  if pair == nil then return raw and raw[new] end
  local base = field(pair, n)
  return base and base.__value_ or (n == 0 and pair.__value_) or nil
end

-- The type that an allocator in second place is for.
local function l_node(raw, old, new)
  local pair = raw and raw[old]
  local t
  if pair then
    t = type_argument(typeof(pair), 1)
  else
    local allocator = raw and raw[new]
    t = allocator and typeof(allocator)
  end
  return type_argument(t, 0)
end

L.vector = function(var, raw, c)
  if raw.__size_ and raw.__begin_ and not raw.__end_ then -- vector<bool>
    local from, n = value(raw, "__begin_"), value(raw, "__size_")
    local words = pair_part(raw, "__cap_alloc_", "__cap_", 0)
    words = words and number(words)
    if not (from and n and words) then return end
    return bits(var, c, from, 0, n, is_plain(words) and words * 64 or -1)
  end
  local stop = pair_part(raw, "__end_cap_", "__cap_", 0)
  vector(var, c, raw.__begin_, value(raw, "__end_"), stop and number(stop))
end

L.deque = function(var, raw, c)
  local t = c.element
  local map, skip = value(raw, "__map_", "__begin_"), value(raw, "__start_")
  local map_end = value(raw, "__map_", "__end_")
  local n = pair_part(raw, "__size_", "__size_", 0) or raw.__size_
  n = n and number(n)
  if not (t and map and map_end and skip and n) or t:size() == 0 then
    return
  end
  local per = t:size() < 256 and floor(4096 / t:size()) or 16
  if not (is_plain(map) and is_plain(map_end) and is_plain(skip) and
      is_plain(n)) or map_end < map or (map_end - map) % 8 ~= 0 or
      skip + n > (map_end - map) / 8 * per then
    return invalid(var, c, "its size and its blocks do not fit together")
  end
  blocks(var, c, raw, t, map, skip, per, n)
end

L.list = function(var, raw, c)
  local head = raw.__end_
  local at = head and address(head)
  local n = pair_part(raw, "__size_alloc_", "__size_", 0)
  n = n and number(n)
  if at == nil or n == nil then return end
  list(var, c, raw, at, 8, 0, n,
    l_node(raw, "__size_alloc_", "__node_alloc_"), "__value_")
end

L.forward_list = function(var, raw, c)
  local head = pair_part(raw, "__before_begin_", "__before_begin_", 0)
  local first = value(head, "__next_")
  if first == nil then return end
  chain(var, c, raw, first, nil, l_node(raw, "__before_begin_", "__alloc_"),
    show_nodes, "__value_")
end

local function l_tree(var, raw, c)
  local t = raw.__tree_
  local head = pair_part(t, "__pair1_", "__end_node_", 0)
  local at = head and address(head)
  local n = pair_part(t, "__pair3_", "__size_", 0)
  n = n and number(n)
  local first, root = value(t, "__begin_node_"), value(head, "__left_")
  if not (at and n and first and root) then return end
  local node = l_node(t, "__pair1_", "__node_alloc_")
  if c.element == nil and is_plain(first) and node and n ~= 0 then
    local v = cast(raw, node, first).__value_
    -- map: a wrapper around the pair
    c.element = v and typeof(c.is_map and (v.__cc or v.__cc_) or v)
  end
  tree(var, c, raw, at, first, root, n, 16, 0, 8, node, "__value_")
end
L.map, L.multimap, L.set, L.multiset = l_tree, l_tree, l_tree, l_tree

local function l_hash(var, raw, c)
  local t = raw.__table_
  local head = pair_part(t, "__p1_", "__first_node_", 0)
  local n = pair_part(t, "__p2_", "__size_", 0)
  local first = value(head, "__next_")
  n = n and number(n)
  if first == nil or n == nil then return end
  local node = l_node(t, "__p1_", "__node_alloc_")
  if c.element == nil and node and is_plain(first) and first ~= 0 then
    local v = cast(raw, node, first).__value_
    c.element = v and typeof(c.is_map and (v.__cc or v.__cc_) or v)
  end
  chain(var, c, raw, first, n, node, c.is_map and show_pairs or show_nodes,
    "__value_")
end
L.unordered_map, L.unordered_multimap = l_hash, l_hash
L.unordered_set, L.unordered_multiset = l_hash, l_hash

L.tuple = function(var, raw, c)
  local base, out, i = raw.__base_, {}, 0
  while base do
    local leaf, name, is_base = field(base, i)
    if not is_base then break end
    if name:find("__tuple_leaf<", 1, true) then
      -- An empty class may be the base itself.
      out[#out + 1] = leaf.__value_ or field(leaf, 0) or leaf
    end
    i = i + 1
  end
  if base then tuple(var, c, out) end
end

L.pair = S.pair

L.array = function(var, raw, c)
  array(var, c, raw.__elems_, c.type:template_argument(1))
end

L.unique_ptr = function(var, raw, c)
  unique_ptr(var, c, pair_part(raw, "__ptr_", "__ptr_", 0) or raw.__ptr_)
end

local function l_shared(var, raw, c)
  local block = raw.__cntrl_
  local at = block and number(block)
  local uses, weak
  if at and at ~= 0 then
    -- Both are kept as one less; all owners together count as a weak one.
    -- Clang may leave the class to the library's own debug information; it
    -- has been a table and two longs ever since.
    uses = value(block, "__shared_owners_") or read(at + 8, 8, true)
    weak = value(block, "__shared_weak_owners_") or read(at + 16, 8, true)
    uses = uses and uses + 1
    if uses and weak and uses == 0 then weak = weak + 1 end
  end
  shared_ptr(var, c, raw.__ptr_, at, uses, weak)
end
L.shared_ptr, L.weak_ptr = l_shared, l_shared

L.optional = function(var, raw, c)
  optional(var, c, raw.__engaged_, raw.__val_)
end

L.variant = function(var, raw, c)
  local impl = raw.__impl or raw.__impl_
  variant(var, c, raw, impl and impl.__index, impl and impl.__data)
end

L.span = function(var, raw, c)
  local n = value(raw, "__size") or value(raw, "__size_")
  if n == nil then n = c.type:template_argument(1) end
  view(var, c, raw.__data or raw.__data_, n)
end

L.initializer_list = function(var, raw, c)
  view(var, c, raw.__begin_, value(raw, "__size_"))
end

L.basic_string_view = function(var, raw, c)
  local p = raw.__data or raw.__data_
  local at, n = p and number(p), value(raw, "__size") or value(raw, "__size_")
  if at and n and c.width then show_text(var, c, at, n, c.width) end
end

-- Long texts have the lowest bit of the first byte (of the capacity) set.
-- Returns where the text is and how long; false: that cannot be.
local function l_string(raw)
  local rep = pair_part(raw, "__r_", "__rep_", 0)
  local short, long = rep and rep.__s, rep and rep.__l
  local data = short and short.__data_
  local is_long = value(short, "__is_long_")
  local size = value(short, "__size_")
  local from = data and address(data)
  if size == nil or from == nil then return nil end
  if is_long == nil then -- before LLVM 15 both are in one byte
    is_long, size = size % 2, floor(size / 2)
  end
  if is_long == 0 then
    return size * sizeof(data[0]) < sizeof(data) and from, size
  end
  local at, n = value(long, "__data_"), value(long, "__size_")
  local capacity = value(long, "__cap_")
  if at == nil or n == nil or capacity == nil then return nil end
  -- Since LLVM 15 half of it is kept, beside the bit.
  return is_plain(at) and is_plain(n) and n <= capacity * 2 and at, n
end

L.basic_string = function(var, raw, c)
  local at, n = l_string(raw)
  if at and n and c.width then
    show_text(var, c, at, n, c.width)
  elseif at == false then
    invalid(var, c, "its length and its capacity do not fit together")
  end
end

L["function"] = function(var, raw, c)
  local base = member(raw, "__f_", "__f_")
  local at = base and number(base)
  if at == nil then return end
  if at == 0 then return open(var, false, c.name .. ", empty") end
  local vtable = is_plain(at) and read(at, 8)
  local symbol = is_plain(vtable) and symbol_at(vtable - 16)
  local wrapper = symbol and symbol:match("vtable for (.*__func<.*>)")
  local target = wrapper and pmodule.template_argument(wrapper, 0)
  if not target then return end
  callable(var, c, target, at + 8)
end

L.any = function(var, raw, c)
  local handler, storage = value(raw, "__h") or value(raw, "__h_"),
    raw.__s or raw.__s_
  if handler == nil or storage == nil then return end
  if handler == 0 then return open(var, false, c.name .. " without a value") end
  local symbol = symbol_at(handler)
  local where, name = (symbol or ""):match(
    "__any_imp::_(%w+)Handler<(.*)>::__handle")
  if not name then return end
  local at = address(storage)
  if at and where == "Large" then at = read(at, 8) end
  any(var, c, name, is_plain(at) and at or nil)
end

L.bitset = function(var, raw, c) bitset(var, c, raw.__first_) end

L.atomic = function(var, raw)
  local v = member(raw, "__a_", "__a_value")
  if v then var:set_value(v) end
end

L.reference_wrapper = function(var, raw)
  if raw.__f_ then var:set_value(raw.__f_) end
end

L["chrono::duration"] = function(var, raw, c) duration(var, c, raw.__rep_) end
L["chrono::time_point"] = function(var, raw, c)
  time_point(var, c, member(raw, "__d_", "__rep_"))
end

