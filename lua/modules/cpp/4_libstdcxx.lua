-- SPDX-License-Identifier: MIT
-- libstdc++: where the parts are. By the name of the class template.

local S = {}

S.vector = function(var, raw, c)
  local i = raw._M_impl
  local start = i and i._M_start
  if start and start._M_p then -- vector<bool>
    local from, finish = value(start, "_M_p"), value(i, "_M_finish", "_M_p")
    local offset = value(start, "_M_offset")
    local over = value(i, "_M_finish", "_M_offset")
    local stop = value(i, "_M_end_of_storage")
    if not (from and finish and offset and over and stop) then return end
    if not (is_plain(from) and is_plain(finish) and is_plain(stop)) then
      return invalid(var, c, "its begin, end and end of storage do not fit " ..
        "together")
    end
    return bits(var, c, from, offset, (finish - from) * 8 + over - offset,
      (stop - from) * 8)
  end
  vector(var, c, start, value(i, "_M_finish"), value(i, "_M_end_of_storage"))
end

S.deque = function(var, raw, c)
  local start, finish = member(raw, "_M_impl", "_M_start"),
    member(raw, "_M_impl", "_M_finish")
  local t = c.element
  local cur, first = value(start, "_M_cur"), value(start, "_M_first")
  local last, node = value(start, "_M_last"), value(start, "_M_node")
  local end_cur, end_first = value(finish, "_M_cur"),
    value(finish, "_M_first")
  local end_node = value(finish, "_M_node")
  if not (cur and first and last and node and end_cur and end_first and
      end_node and t) or t:size() == 0 then
    return
  end
  local size = t:size()
  if not (is_plain(cur) and is_plain(first) and is_plain(last) and
      is_plain(node) and is_plain(end_cur) and is_plain(end_first) and
      is_plain(end_node)) or cur < first or last < cur or
      end_cur < end_first or end_node < node or first == last or
      (cur - first) % size ~= 0 or (end_cur - end_first) % size ~= 0 or
      (end_node - node) % 8 ~= 0 or (last - first) % size ~= 0 then
    return invalid(var, c, "its begin and end do not fit together")
  end
  local per = (last - first) / size
  local skip = (cur - first) / size
  local n = (end_node - node) / 8 * per + (end_cur - end_first) / size - skip
  if n < 0 then
    return invalid(var, c, "it ends before it begins")
  end
  blocks(var, c, raw, t, node, skip, per, n)
end

-- The type of the nodes is what the container's allocator is for.
local function s_node(raw, ...)
  local impl = member(raw, ...)
  local allocator = impl and field(impl, 0)
  return allocator and allocated(allocator)
end

S.list = function(var, raw, c)
  local head = member(raw, "_M_impl", "_M_node")
  local at = head and address(head)
  if at == nil then return end
  list(var, c, raw, at, 0, 8, value(head, "_M_size"), s_node(raw, "_M_impl"),
    "_M_storage", "_M_data")
end

S.forward_list = function(var, raw, c)
  local first = value(raw, "_M_impl", "_M_head", "_M_next")
  if first == nil then return end
  chain(var, c, raw, first, nil, s_node(raw, "_M_impl"), show_nodes,
    "_M_storage")
end

local function s_tree(var, raw, c)
  local impl = member(raw, "_M_t", "_M_impl")
  local head = impl and impl._M_header
  local at = head and address(head)
  local n, first = value(impl, "_M_node_count"), value(head, "_M_left")
  local root = value(head, "_M_parent")
  if not (at and n and first and root) then return end
  if c.element == nil then
    c.element = type_argument(typeof(raw._M_t), 1)
  end
  tree(var, c, raw, at, first, root, n, 8, 16, 24,
    s_node(raw, "_M_t", "_M_impl"), "_M_storage", "_M_value_field")
end
S.map, S.multimap, S.set, S.multiset = s_tree, s_tree, s_tree, s_tree

local function s_hash(var, raw, c)
  local h = raw._M_h
  local first, n = value(h, "_M_before_begin", "_M_nxt"),
    value(h, "_M_element_count")
  local buckets, count = value(h, "_M_buckets"), value(h, "_M_bucket_count")
  if not (first and n and buckets and count) then return end
  if not (is_plain(buckets) and is_plain(count)) or count == 0 or
      not is_readable(buckets, 8 * count) then
    return invalid(var, c, "it has no buckets")
  end
  if c.element == nil then c.element = type_argument(typeof(h), 1) end
  local alloc = base_class(h, "std::__detail::_Hashtable_alloc<")
  -- Its one member, in a base class, is the allocator.
  local ebo = alloc and field(alloc, 0)
  local allocator = ebo and (field(ebo, 0))
  local node = allocator and allocated(allocator)
  chain(var, c, raw, first, n, node, c.is_map and show_pairs or show_nodes,
    "_M_storage", "_M_v")
end
S.unordered_map, S.unordered_multimap = s_hash, s_hash
S.unordered_set, S.unordered_multiset = s_hash, s_hash

-- Elements in order; those of the first base come last in memory.
local function s_tuple(raw)
  local out, level = {}, base_class(raw, "std::_Tuple_impl<")
  while level do
    local head = base_class(level, "std::_Head_base<")
    local inner = base_class(level, "std::_Tuple_impl<")
    if head == nil or #out == 64 then return nil end
    -- An empty class may be the base itself.
    out[#out + 1] = head._M_head_impl or field(head, 0)
    level = inner
  end
  return out
end

S.tuple = function(var, raw, c) tuple(var, c, s_tuple(raw)) end

S.pair = function(var, raw)
  local _, _, is_base = field(raw, 0)
  if not is_base or not raw.first or not raw.second then return end
  local first, second = raw.first, raw.second
  open(var, false)
  var:add_member("first", first)
  var:add_member("second", second)
end

S.array = function(var, raw, c)
  array(var, c, raw._M_elems, c.type:template_argument(1))
end

S.unique_ptr = function(var, raw, c)
  local t = member(raw, "_M_t", "_M_t") or raw._M_t
  local elements = t and s_tuple(t)
  unique_ptr(var, c, elements and elements[1])
end

local function s_shared(var, raw, c)
  local block = member(raw, "_M_refcount", "_M_pi")
  local at = block and number(block)
  local uses, weak
  if at and at ~= 0 then
    -- A table and two ints, also where debug information lacks the class.
    uses = value(block, "_M_use_count") or read(at + 8, 4, true)
    weak = value(block, "_M_weak_count") or read(at + 12, 4, true)
    -- All owners together hold one weak reference.
    if uses and weak and uses ~= 0 then weak = weak - 1 end
  end
  shared_ptr(var, c, raw._M_ptr, at, uses, weak)
end
S.shared_ptr, S.weak_ptr = s_shared, s_shared

S.optional = function(var, raw, c)
  local p = raw._M_payload
  optional(var, c, p and p._M_engaged,
    member(p, "_M_payload", "_M_value") or p and p._M_payload)
end

S.variant = function(var, raw, c)
  variant(var, c, raw, raw._M_index, raw._M_u)
end

S.span = function(var, raw, c)
  local n = value(raw, "_M_extent", "_M_extent_value")
  if n == nil then n = c.type:template_argument(1) end
  view(var, c, raw._M_ptr, n)
end

S.initializer_list = function(var, raw, c)
  view(var, c, raw._M_array, value(raw, "_M_len"))
end

-- Of char, core/value shows the text already, with the members.
S.basic_string_view = function(var, raw, c)
  local p = raw._M_str
  local at, n = p and number(p), value(raw, "_M_len")
  if at and n and c.width then show_text(var, c, at, n, c.width) end
end

S.basic_string = function(var, raw, c)
  local at = value(raw, "_M_dataplus", "_M_p")
  local n = value(raw, "_M_string_length")
  if at == nil or c.width == nil then return end
  if n == nil then -- before GCC 5: it stands in front of the text
    n = is_plain(at) and at > 24 and read(at - 24, 8)
    if not n then return invalid(var, c, "its text cannot be read") end
  end
  show_text(var, c, at, n, c.width)
end

S["function"] = function(var, raw, c)
  local manager, invoker = value(raw, "_M_manager"), value(raw, "_M_invoker")
  if manager == nil or invoker == nil then return end
  if manager == 0 then return open(var, false, c.name .. ", empty") end
  local symbol = symbol_at(invoker)
  local wrapper = symbol and symbol:match("^.-(_Function_handler<.*>)::_M_inv")
  local target = wrapper and pmodule.template_argument(wrapper, 1)
  if not target then return end
  local functor = raw._M_functor
  callable(var, c, target, functor and address(functor))
end

S.any = function(var, raw, c)
  local manager, storage = value(raw, "_M_manager"), raw._M_storage
  if manager == nil or storage == nil then return end
  if manager == 0 then return open(var, false, c.name .. " without a value") end
  local symbol = symbol_at(manager)
  local where, name = (symbol or ""):match("_Manager_(%w+)<(.*)>::_S_manage")
  if not name then return end
  local at = address(storage)
  if at and where == "external" then at = read(at, 8) end
  any(var, c, name, is_plain(at) and at or nil)
end

S.bitset = function(var, raw, c) bitset(var, c, raw._M_w) end

S.atomic = function(var, raw)
  local v = member(raw, "_M_base", "_M_i") or raw._M_i or
    member(raw, "_M_b", "_M_p") or raw._M_fp
  if v then var:set_value(v) end
end

S.reference_wrapper = function(var, raw)
  if raw._M_data then var:set_value(raw._M_data) end
end

S["chrono::duration"] = function(var, raw, c) duration(var, c, raw.__r) end
S["chrono::time_point"] = function(var, raw, c)
  time_point(var, c, member(raw, "__d", "__r"))
end

