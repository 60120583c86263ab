-- SPDX-License-Identifier: Apache-2.0
-- index_commander.lua: an index that wraps at max_index; examples/index_commander.c in Lua.
local index, max_index = 0, 10
return {
    build = function(params) max_index = params.max_index or max_index end,
    next = function(message)
        if index == max_index then index = 0 return millrace.END_EPOCH end
        message.index, index = index, index + 1
    end,
    save = function() return index end,
    load = function(state) index = state end,
}
