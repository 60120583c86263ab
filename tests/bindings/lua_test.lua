-- SPDX-License-Identifier: Apache-2.0
--
-- lua_test.lua SAMPLE: the Lua module over the tests' data set (60 images, 3 classes).
local millrace = require "millrace"

local sample = arg[1]
local config = [[
version: 1
seed: 5
epochs: 2
batch: {size: 7, last: short}
slots: 4
producers: 2
source: {type: folder, path: ]] .. sample .. [[/images}
ops:
  - resize: {size: [8, 6]}
fields:
  image: {dtype: float32, layout: NCHW}
  label: {dtype: int64}
]]

local function open(set, more)
    local options = {text = config, set = set}
    for key, value in pairs(more or {}) do
        options[key] = value
    end
    return millrace.open("test", options)
end

local function equal(got, want)
    if got ~= want then
        error(string.format("got %s, want %s", got, want), 2)
    end
end

-- The error that the call raises; it must raise one, and it must say `part`.
local function refused(part, call, ...)
    local ok, sentence = pcall(call, ...)
    if ok or type(sentence) ~= "string" or not sentence:find(part, 1, true) then
        error(string.format("want an error with '%s', got %s", part, sentence), 2)
    end
end

local tests = {}

function tests.the_run()
    local loader <close> = open()
    local batches, seen = 0, {}
    for batch in loader:batches() do
        local info = batch:info()
        equal(info.epoch, batches // 9)
        equal(info.batch, batches % 9)
        equal(#batch:ids(), info.rows)
        equal(info.tainted, false)
        for i, id in ipairs(batch:ids()) do
            seen[id] = (seen[id] or 0) + 1
            equal(batch:valid()[i], true)
        end
        batches = batches + 1
    end
    equal(batches, 18)
    for id = 0, 59 do
        equal(seen[id], 2)
    end
    equal(loader:ended(), true)
    equal(loader:next(), nil)
end

function tests.epoch_by_epoch()
    local loader <close> = open {epochs = 3}
    local epochs = {}
    while not loader:ended() do
        local batches = 0
        for batch in loader:epoch() do
            equal(batch:info().epoch, #epochs)
            batches = batches + 1
        end
        table.insert(epochs, batches)
    end
    equal(table.concat(epochs, " "), "9 9 9")
end

function tests.tensors_are_indexable()
    local loader <close> = open()
    local batch <close> = loader:next()
    equal(table.concat(batch:fields(), " "), "image label")
    local x, y = batch.image, batch.label
    equal(table.concat(x.shape, " "), "7 3 8 6")
    equal(x.dtype .. " " .. x.ndim .. " " .. x.name, "float32 4 image")
    equal(#x, 7)
    equal(#x[1][1], 8)
    equal(x[1][2][3][4], x:at(1, 2, 3, 4))
    equal(x[2][3][8][6], x:table()[2][3][8][6])
    local row = string.unpack("f", x:bytes(), 4 * (((1 * 3 + 2) * 8 + 7) * 6 + 5) + 1)
    equal(x[2][3][8][6], row)
    equal(#x:bytes(), 7 * 3 * 8 * 6 * 4)
    equal(x[8], nil)
    equal(x[0], nil)
    equal(x[1][1][9], nil)
    local rows = 0
    for i, image in ipairs(x) do
        rows = i
        equal(image.ndim, 3)
    end
    equal(rows, 7)
    x:set(7.5, 1, 2, 3, 4)
    equal(x[1][2][3][4], 7.5)
    x[1][2][3][4] = -1
    equal(batch.image:at(1, 2, 3, 4), -1)
    for i = 1, #y do
        equal(math.type(y[i]), "integer")
        local class = loader:class_name(y[i])
        assert(loader:sample_path(batch:ids()[i]):find("/" .. class .. "/", 1, true))
    end
    equal(loader:class_name(3), nil)
    equal(x.counts, nil)
    refused("has no field 'imgae'", function() return batch.imgae end)
    refused("has no 'shap'", function() return x.shap end)
    refused("outside of the tensor", x.at, x, 8, 1, 1, 1)
    refused("takes 4 indices", x.at, x, 1)
    refused("outside of the tensor", function() y[8] = 1 end)
    refused("only a number can be assigned", function() x[1] = 1 end)
    refused("number", function() y[1] = "cat" end)
    refused("millrace.tensor expected", x.at, batch, 1)
    refused("millrace.batch expected", batch.release, x)
end

function tests.every_dtype_holds_its_values()
    local values = {
        uint8 = {0, 255},
        float16 = {1.5, -65504, 2.0 ^ -14, 2.0 ^ -24}, -- the least normal number, the least
        bfloat16 = {1.5, -3.3895313892515355e+38},
        float32 = {0.5, -2.0 ^ 100},
        float64 = {0.1},
    }
    for dtype, list in pairs(values) do
        local loader <close> = open({["fields.image.dtype"] = dtype})
        local batch <close> = loader:next()
        local line = batch.image[1][1][1]
        for i, value in ipairs(list) do
            line[i] = value
            equal(line[i], value)
        end
        if dtype == "uint8" then
            refused("beyond what uint8 can hold", function() line[1] = 256 end)
            refused("integer", function() line[1] = 1.5 end)
        elseif dtype == "float16" then
            line[1] = 1 + 2 ^ -11 -- half way: to the even neighbour
            equal(line[1], 1.0)
            line[1] = 1 + 3 * 2 ^ -11
            equal(line[1], 1 + 2 ^ -9)
            line[1] = 65520
            equal(line[1], math.huge)
            line[1] = 2047.7
            equal(line[1], 2048.0)
        elseif dtype == "bfloat16" then
            line[1] = 1 + 2 ^ -8
            equal(line[1], 1.0)
        end
    end
end

function tests.stale_access_is_an_error()
    local loader <close> = open()
    local batch = loader:next()
    local x, part = batch.image, batch.image[1][1]
    batch:release()
    batch:release() -- again is none
    refused("was released", function() return x[1] end)
    refused("was released", function() return part[1][1] end)
    refused("was released", function() return #x end)
    refused("was released", function() return x.shape end)
    refused("was released", function() part[1][1] = 0 end)
    refused("was released", function() return x:table() end)
    refused("was released", function() return batch.image end)
    refused("was released", batch.info, batch)
    refused("was released", batch.ids, batch)
    refused("was released", batch.hash, batch)
    assert(tostring(x):find("released") and tostring(batch):find("released"))
    local kept
    for b in loader:batches() do
        kept = b.image
        break
    end
    refused("was released", function() return kept[1] end) -- the loop was left
    pcall(function()
        for b in loader:batches() do
            kept = b.image
            error("in the body")
        end
    end)
    refused("was released", function() return kept[1] end)
end

function tests.leases()
    local loader <close> = open()
    local held = {}
    for i = 1, 4 do
        held[i] = loader:next()
    end
    refused("release a batch", loader.next, loader)
    held[2]:release()
    held[2] = loader:next()
    equal(held[2]:info().batch, 4)
    held = nil -- nobody has them any more: they are collected when the next is asked for
    equal(loader:next():info().batch, 5)
end

function tests.a_batch_may_outlive_its_loader()
    local loader = open()
    local batch = loader:next()
    local x = batch.image
    local first = x[1][1][1][1]
    loader:close()
    loader:close()
    refused("the loader is closed", loader.next, loader)
    refused("the loader is closed", loader.stats, loader)
    loader = nil
    collectgarbage()
    equal(x[1][1][1][1], first)
    batch:release()
end

function tests.states()
    local hashes, state, between = {}, nil, nil
    do
        local loader <close> = open()
        for batch in loader:epoch() do
            table.insert(hashes, batch:hash())
            if #hashes == 4 then
                state = loader:save_state()
            end
        end
        equal(loader:ended(), false) -- looks ahead, which the state must not count
        between = loader:save_state()
        for batch in loader:batches() do
            table.insert(hashes, batch:hash())
        end
    end
    for from, text in pairs {[4] = state, [9] = between} do
        local loader <close> = open(nil, {state = text})
        local i = from
        for batch in loader:batches() do
            i = i + 1
            equal(batch:hash(), hashes[i])
        end
        equal(i, 18)
    end
    local loader <close> = open()
    loader:load_state(between)
    local batch <close> = loader:next()
    equal(batch:hash(), hashes[10])
    refused("", loader.load_state, loader, "{}")
end

function tests.feedback_steers_and_is_saved()
    local learning = {"sampler.type=adaptive", "sampler.feedback_delay=2", "sampler.floor=0"}
    local file, state = os.tmpname(), nil
    local function read(loader)
        local hashes = {}
        for batch in loader:batches() do
            for row = 1, batch:info().rows do
                batch:feedback(row, row % 3)
            end
            table.insert(hashes, batch:hash())
            if #hashes == 4 and not state then
                refused("no row", batch.feedback, batch, 0, 1)
                refused("row 1 of batch 3 of epoch 0", batch.feedback, batch, 1, -1)
                refused("row 4 of batch 3 of epoch 0", batch.feedback, batch, 4, 0 / 0)
                batch:release()
                loader:save_weights(file)
                state = loader:save_state()
            end
        end
        return hashes
    end
    local hashes
    do
        local loader <close> = open(learning)
        hashes = read(loader)
        equal(#hashes, 18)
    end
    refused("weights file", open, learning, {state = state})
    local loader <close> = open(learning, {state = state, weights = file})
    for _ = 1, 2 do
        local rest = read(loader)
        equal(#rest, 14)
        for i, hash in ipairs(rest) do
            equal(hash, hashes[i + 4])
        end
        loader:load_weights(file)
        loader:load_state(state)
    end
    os.remove(file)
end

function tests.an_epoch_may_end_early()
    local loader <close> = open()
    local batches = 0
    for batch in loader:epoch() do
        batches = batches + 1
        if batches == 3 then
            loader:end_epoch()
        end
    end
    equal(batches, 3)
    local batch <close> = loader:next()
    equal(batch:info().epoch, 1)
end

function tests.an_epoch_may_be_set()
    local loader <close> = open()
    loader:set_epoch(1)
    local hashes = {}
    for batch in loader:epoch() do
        table.insert(hashes, batch:hash())
    end
    equal(#hashes, 9)
    loader:set_epoch(0)
    for batch in loader:epoch() do
        equal(batch:info().epoch, 0)
    end
    equal(loader:ended(), false) -- has taken the next epoch's first batch
    loader:set_epoch(1)
    local i = 0
    for batch in loader:epoch() do
        i = i + 1
        equal(batch:hash(), hashes[i])
    end
    equal(i, 9)
    equal(loader:ended(), true)
    refused("there is no epoch 2", loader.set_epoch, loader, 2)
    refused("epochs begin at 0", loader.set_epoch, loader, -1)
end

function tests.options()
    refused("unknown option 'sets'", millrace.open, "test", {sets = {}})
    refused("must be a string", millrace.open, "test", {text = 5})
    refused("not a table", millrace.open, "test", {text = config, set = {seed = {}}})
    refused("the path of a config is missing", millrace.open)
    refused("/nowhere.yaml", millrace.open, "/nowhere.yaml")
    refused("epochz", millrace.open, "test", {text = config, set = {"epochz=1"}})
    refused("epochs", millrace.check, "test", {text = config, set = {epochs = -1}})
    equal(millrace.check("test", {text = config}), true)
    assert(millrace.explain("test", {text = config}):find("resize"))
    local loader <close> = open {"batch.size=3", epochs = 1, deterministic = true, seed = "9"}
    equal(loader:stats().batches_per_epoch, 20)
    equal(loader:stats().slots, 4)
    assert(loader:fd() > 2)
    assert(#loader:dump() > 0)
    equal(loader:next(5):info().rows, 3)
end

function tests.log_lines()
    local lines = {}
    local loader <close> = millrace.open("test", {
        text = config, set = {["source.path"] = arg[2], on_error = "skip", epochs = 1},
        log = function(level, line)
            table.insert(lines, level .. ": " .. line)
        end,
    })
    for batch in loader:batches() do
        equal(batch:info().valid, 0)
        equal(batch:ids()[1], false)
        equal(batch:valid()[1], false)
    end
    local bad = 0
    for _, line in ipairs(lines) do
        bad = bad + (line:find("^warning: bad sample") and 1 or 0)
    end
    equal(bad, 2)
end

local names = {}
for name in pairs(tests) do
    table.insert(names, name)
end
table.sort(names)
for _, name in ipairs(names) do
    local ok, why = xpcall(tests[name], debug.traceback)
    if not ok then
        io.stderr:write("FAILED ", name, ": ", tostring(why), "\n")
        os.exit(1, true)
    end
    print("ok " .. name)
end
