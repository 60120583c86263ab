// SPDX-License-Identifier: Apache-2.0
//
// crash_case.hpp: one run of a small loader in which faults strike at named points, and what must
// be true of it.
#ifndef CRASH_CASE_HPP
#define CRASH_CASE_HPP

#include "fault_testing.hpp"

#include <ostream>
#include <string>

enum Scenario { // what the trainer does, with what data
    Plain,      // two epochs, in order
    Unordered,  // in completion order
    Cancel,     // ends an epoch early, goes back to the beginning, reads all
    Twice,      // opens, reads and closes a loader, and then another one
    Hang,       // as Plain, with a sample_timeout of 0.3 s
    Crashing,   // as Plain, with one producer whose first row crashes it twice: a bad sample
    User,       // a user's commander, which saves its state, and producer, which fills batches
    Sent,       // as User, and the commander is sent on to an epoch, past the end, and back
    Learning,   // feedback; saves its weights, ends an epoch early, goes back to them, reads all
    Bad,        // some files are damaged
    AllBad,     // all are: the run fails
    NoData,     // there is none: mr_open fails
    Scenarios
};

enum Outcome {
    Same, // the whole stream, as undisturbed
    Ends, // a beginning of it and a clear error, or all of it
    Dies  // the trainer dies; what it got was right, and its last state goes on from there
};

struct CrashCase {
    std::string plan; // MILLRACE_FAULT's text
    Scenario scenario;
    Outcome outcome;
    bool spawn; // a spawned warden, not a forked one
};
std::ostream &operator<<(std::ostream &out, const CrashCase &c);

// Makes the data of the scenarios in a folder that is there.
void make_data(const std::string &folder);
// Runs it; again when a point was not reached, which is a matter of luck for some: which rows are
// being written when a cancel comes, say. "": all is well; else what is not, in sentences.
// *unlucky: "", or which point was not reached in all the tries.
std::string run_case(const CrashCase &c, std::string *unlucky);

#endif
