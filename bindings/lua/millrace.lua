-- SPDX-License-Identifier: Apache-2.0
--
-- Millrace for Lua 5.4: a config file's batches, in shared memory, without a copy.
--
--     local millrace = require "millrace"
--     local loader <close> = millrace.open("train.yaml", {set = {"batch.size=64", seed = 1}})
--     for batch in loader:batches() do             -- the whole run; released behind the body
--         local x, y = batch.image, batch.label    -- fields by their names
--         print(x.shape[1], x[1][1][1][1], y[1], loader:class_name(y[1]))
--     end
--
-- Options: set (list of "key=value", or key = value), state (from loader:save_state()), weights (a
-- file of loader:save_weights()), text (the config itself), warden, log (function(level, line)).
--
-- Loader: batches(), epoch(), ended(), next([seconds]), close(), save_state(), load_state(text),
-- end_epoch(), set_epoch(number), begin_hash(),
--   hash(), stats(), class_name(label), sample_path(id), fd(), dump(), save_weights(path),
--   load_weights(path).
-- Batch: its fields by name; field(name), fields(), info(), ids(), valid(), hash(),
--   feedback(row, value), release().
-- Tensor: x[i]...[k] from 1, nil outside; #x; ipairs(x); at(i, ..), set(value, i, ..), table(),
-- bytes(); shape, strides,
--   dtype, ndim, name, counts. x[i] = v where x has one dimension.
-- Whatever goes wrong is a Lua error with the sentence; a released batch and its tensors raise one
-- too.
local core = require "millrace.core"

local loader_methods = core.loader

-- Per loader: how its last step ended, and what ended() has taken early: {last, known, batch,
-- state}.
local places = setmetatable({}, {__mode = "k"})

local function place_of(loader)
    local place = places[loader]
    if not place then
        place = {}
        places[loader] = place
    end
    return place
end

local function forget_ahead(place)
    if place.batch then
        place.batch:release()
    end
    place.batch, place.known, place.state = nil, nil, nil
end

-- The next batch; or nil and "epoch" (its batches were all delivered), "end" (the run's were), or
-- "timeout". The batch is the caller's to release. `seconds` is how long to wait, for ever when
-- absent.
function loader_methods:next(seconds)
    local place = place_of(self)
    local batch, why
    if place.known then
        batch, why = place.batch, place.known
        place.batch = nil
        forget_ahead(place)
    else
        batch, why = self:_next(seconds)
    end
    if why ~= "timeout" then
        place.last = why or "batch"
    end
    return batch, not batch and why or nil
end

-- Between epochs: was that the last one? Then it may wait for the next epoch's first batch, which
-- next() gives out afterwards (hash() counts it already). Within an epoch: false.
function loader_methods:ended()
    local place = place_of(self)
    if place.last == "epoch" and not place.known then
        local saved, state = pcall(self._save_state, self)
        local batch, why = self:_next()
        place.batch, place.known, place.state = batch, why or "batch", saved and state or nil
    end
    return (place.known or place.last) == "end"
end

local function each(loader, all)
    local current
    local function release()
        if current then
            current:release()
            current = nil
        end
    end
    local function step()
        local why
        release()
        repeat
            current, why = loader:next()
        until current or why == "end" or not all
        return current
    end
    return step, nil, nil, setmetatable({}, {__close = release})
end

-- Iterators: over the run, and over the rest of the epoch. A batch is released when the next is
-- asked for and when the loop is left; to keep one, take it by next().
function loader_methods:batches()
    return each(self, true)
end

function loader_methods:epoch()
    return each(self, false)
end

-- Where the run stands, for millrace.open's option `state` or load_state().
function loader_methods:save_state()
    return place_of(self).state or self:_save_state()
end

function loader_methods:load_state(state)
    local place = place_of(self)
    self:_load_state(state)
    forget_ahead(place)
    place.last = nil
end

-- With a sampler that learns: its weights, before save_state() of the same place. load_weights()
-- comes before load_state().
function loader_methods:save_weights(path)
    if place_of(self).known then
        error("ended() has taken the next batch: save the weights before it", 2)
    end
    self:_save_weights(path)
end

-- The next step is "epoch".
function loader_methods:end_epoch()
    forget_ahead(place_of(self))
    self:_end_epoch()
end

-- The next step is the first batch of this epoch, counted from 0.
function loader_methods:set_epoch(epoch)
    local place = place_of(self)
    if place.batch and place.batch:info().epoch == epoch then
        return -- ended() has taken it already
    end
    forget_ahead(place)
    self:_set_epoch(epoch)
    place.last = nil
end

return {open = core.open, check = core.check, explain = core.explain, version = core.version}
