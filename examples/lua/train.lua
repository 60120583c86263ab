-- SPDX-License-Identifier: Apache-2.0
--
-- The loop of a trainer in Lua: lua5.4 train.lua CONFIG [KEY=VALUE ...]
-- From a build: LUA_PATH="build/release/lua/?.lua" LUA_CPATH="build/release/lua/?.so"
local millrace = require "millrace"

local function train_step(x, y)
    local shape = table.concat(x.shape, " x ")
    print(shape .. ", first pixel " .. x[1][1][1][1] .. ", first label " .. y[1])
end

if #arg < 1 then
    io.stderr:write("usage: train.lua CONFIG [KEY=VALUE ...]\n")
    os.exit(2)
end
local loader <close> = millrace.open(arg[1], {set = {table.unpack(arg, 2)}})
loader:begin_hash()
for batch in loader:batches() do
    train_step(batch.image, batch.label)
end
print(string.format("hash %016x", loader:hash()))
