// SPDX-License-Identifier: Apache-2.0
#include "attacker.hpp"

#include <csignal>
#include <unistd.h>

constexpr int lane_commander = 1, lane_producers = 2;

void Faults::add(const Faults &o)
{
    kills += o.kills;
    stops += o.stops;
    timeouts += o.timeouts;
    crashes += o.crashes;
    doubles += o.doubles;
    commanders += o.commanders;
}

Attacker::Attacker(mr_loader *l, const Attack &a) : loader(l), attack(a), random(a.seed)
{
    thread = std::thread([this] { run(); });
}

Attacker::~Attacker()
{
    end();
}

const Faults &Attacker::end()
{
    leave = true;
    if (thread.joinable())
        thread.join();
    return faults;
}

bool Attacker::wait(bool (Attacker::*what)(), int timeout_ms)
{
    double until = seconds() + timeout_ms / 1e3;
    while (!(this->*what)()) {
        if (leave || seconds() > until)
            return false;
        sleep_us(200);
    }
    return true;
}

// A stopped process goes on after a while, or it has to be ended by the loader.
void Attacker::stop_for_a_while(int pidfd)
{
    send(pidfd, SIGSTOP);
    if (!attack.timeouts || !random.chance(4)) {
        sleep_us(random.below(5000));
        send(pidfd, SIGCONT);
        faults.stops++;
        return;
    }
    if (!has_ended(pidfd, 30000)) {
        if (leave) { // the run has ended meanwhile
            send(pidfd, SIGCONT);
            return;
        }
        give_up(loader, "a process was stopped for 30 s and nobody ended it");
    }
    faults.timeouts++;
}

// One fault. True: a process has died of it.
bool Attacker::strike()
{
    static const int crashes[] = {SIGSEGV, SIGBUS, SIGABRT, SIGILL, SIGFPE};
    int lane =
        random.chance(12)
            ? lane_commander
            : lane_producers + (int)random.below((uint64_t)lanes_of(loader) - lane_producers);
    int pidfd = open_lane(loader, lane);
    if (pidfd < 0) // dead, and not yet replaced
        return false;
    uint64_t before = faults.all(), stops = faults.stops;
    int kind = (int)random.below(100);
    if (kind < 15)
        stop_for_a_while(pidfd);
    else if (kind < 25 && attack.crashes)
        faults.crashes += send(pidfd, crashes[random.below(5)]);
    else
        faults.kills += send(pidfd, SIGKILL);
    close(pidfd);
    faults.commanders += lane == lane_commander && faults.all() > before;
    return faults.all() > before && faults.stops == stops;
}

// One fault, or two or three so close together that they meet the recovery. Five deaths without a
// row between them end a run, so there are never more, and rows are waited for.
void Attacker::burst()
{
    uint64_t n = random.chance(25) ? 2 + random.chance(20) : 1, deaths = 0;
    uint64_t before = respawns(loader);
    for (uint64_t i = 0; i < n && !leave && faults.all() < attack.faults; i++) {
        uint64_t had = faults.all();
        if (i)
            sleep_us(random.below(random.chance(50) ? 300 : 4000));
        deaths += strike();
        faults.doubles += i && faults.all() > had;
    }
    want = before + deaths;
    wait(&Attacker::replaced, 500); // a limit: the last one may have died of the run's end
    want = rows_made(loader);
    wait(&Attacker::row_made, 60000);
}

void Attacker::run()
{
    while (!leave && faults.all() < attack.faults) {
        sleep_us(random.below(2 * attack.pause_us + 1500));
        burst();
    }
    finished = true;
}
