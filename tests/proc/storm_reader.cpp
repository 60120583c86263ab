// SPDX-License-Identifier: Apache-2.0
#include "storm_reader.hpp"

#include <algorithm>

constexpr int hang_seconds = 60;

StormReader::StormReader(const Job &j, uint64_t seed) : job(j), random(seed ^ 0x5eed)
{
    seen.assign(batches_per_epoch(), false);
    handle = open_job(job);
    if (!handle)
        give_up(nullptr, std::string("mr_open: ") + mr_error(nullptr));
    beginning = state_of(handle);
    watchdog = std::thread([this] { watch(); });
}

StormReader::~StormReader()
{
    finish();
}

// mr_next has a time limit of its own; this is for the calls that have none.
void StormReader::watch()
{
    uint64_t last = 0;
    double since = seconds();
    while (!over) {
        sleep_us(20000);
        uint64_t now = alive;
        if (now != last)
            since = seconds();
        last = now;
        if (seconds() - since > hang_seconds + 30)
            give_up(handle, "a call of the trainer hangs; " + to_text(job));
    }
}

void StormReader::release_one()
{
    Leased l = leased.front();
    leased.pop_front();
    if (!(look_at(l.batch) == l.piece))
        give_up(handle, "a leased batch has changed: " + to_text(l.piece) + " became " +
                            to_text(look_at(l.batch)));
    if (mr_release(l.batch) < 0)
        give_up(handle, std::string("mr_release: ") + mr_error(handle));
}

void StormReader::take(mr_batch *batch)
{
    Piece p = look_at(batch);
    const Piece &want = expected(p.epoch, p.batch);
    if (p.epoch != epoch || (job.in_order && p.batch != next))
        give_up(handle, "epoch " + std::to_string(epoch) + " batch " + std::to_string(next) +
                            " was due, this came: " + to_text(p));
    if (seen[p.batch])
        give_up(handle, "this came twice: " + to_text(p));
    if (!(p == want))
        give_up(handle, "this came: " + to_text(p) + "; undisturbed it is " + to_text(want));
    seen[p.batch] = true;
    next = p.batch + 1;
    batches++;
    leased.push_back({batch, p});
    if (leased.size() >= (size_t)job.slots || random.chance(60))
        release_one();
}

void StormReader::epoch_ended()
{
    if (!cut && std::count(seen.begin(), seen.end(), false))
        give_up(handle, "epoch " + std::to_string(epoch) + " ended and a batch never came");
    epoch++;
    next = 0;
    cut = false;
    std::fill(seen.begin(), seen.end(), false);
    if (epoch == ref_epochs)
        rewind();
}

void StormReader::rewind()
{
    if (mr_load_state(handle, beginning.c_str()) < 0)
        give_up(handle, std::string("mr_load_state: ") + mr_error(handle));
    epoch = next = 0;
    cut = false;
    std::fill(seen.begin(), seen.end(), false);
    cancels++;
}

void StormReader::go_elsewhere()
{
    if (random.chance(50)) {
        rewind();
    } else if (!cut) {
        if (mr_end_epoch(handle) < 0)
            give_up(handle, std::string("mr_end_epoch: ") + mr_error(handle));
        cut = true;
        cancels++;
    }
}

void StormReader::step()
{
    mr_batch *batch;
    alive++;
    if (random.below(100) == 0)
        go_elsewhere();
    int rc = mr_next(handle, &batch, hang_seconds * 1000);
    if (rc == MR_E_TIMEOUT)
        give_up(handle,
                "no batch came for " + std::to_string(hang_seconds) + " s; " + to_text(job));
    if (rc < 0)
        give_up(handle, std::string("mr_next: ") + mr_error(handle));
    if (rc == MR_END)
        give_up(handle, "the run ended by itself");
    if (rc == MR_OK)
        take(batch);
    else
        epoch_ended();
}

void StormReader::finish()
{
    if (!handle)
        return;
    while (!leased.empty())
        release_one();
    over = true;
    watchdog.join();
    mr_close(&handle);
}
