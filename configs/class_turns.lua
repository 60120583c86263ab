-- SPDX-License-Identifier: Apache-2.0
-- class_turns.lua: the classes take turns, each with its samples in a new order every time round.
-- Everything follows from the row's position, so there is nothing to save.
local of_class = {} -- class -> its samples

local function build()
    for sample = 0, dataset.samples - 1 do
        local class = dataset.label(sample) + 1
        of_class[class] = of_class[class] or {}
        table.insert(of_class[class], sample)
    end
end

local function next(message)
    if message.position >= dataset.samples then return millrace.END_EPOCH end
    local turn, class = message.position // #of_class, message.position % #of_class + 1
    local samples = of_class[class]
    local order = (message.epoch * dataset.samples + turn // #samples) * #of_class + class
    message.sample = samples[millrace.permute(turn % #samples, #samples, order) + 1]
end

local function nothing() end

return {build = build, next = next, save = nothing, load = nothing, set_epoch = nothing}
