# SPDX-License-Identifier: Apache-2.0
"""concurrent-buffer's hand-off: how long next() takes when a batch is ready. Its counterpart is
bench_handoff ready: same shape, one producer that does nearly nothing, a trainer that computes
between two batches. Giving the previous buffer back is in it, as it is in Millrace's figure."""
import argparse
import json
import time

import numpy as np
from concurrentbuffer.commander import Commander
from concurrentbuffer.iterator import buffer_iterator_factory
from concurrentbuffer.producer import Producer
from concurrentbuffer.state import BufferState

import common


class Nothing(Commander):
    def create_message(self):
        return {}


class Zeros(Producer):
    def __init__(self, shape):
        self.shape = shape

    def build(self):
        self.data = np.zeros(self.shape, dtype=np.float32)

    def create_data(self, message):
        return (self.data,)


def ready(iterator):
    """Buffers that are finished and not taken."""
    states = iterator._buffer_factory.buffer_state_memory.get_state_buffer()
    return int((states == BufferState.AVAILABLE.value).sum())


def compute(seconds):
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--pause", type=float, default=200, help="microseconds")
    options = parser.parse_args()
    shape = (options.batch, 3, common.SIZE, common.SIZE)
    iterator = buffer_iterator_factory(
        cpus=1, buffer_shapes=(shape,), commander=Nothing(), producer=Zeros(shape), context="fork",
        deterministic=True, buffer_dtype=np.float32)
    took = []
    for i in range(10 + options.rounds):
        compute(1e-6 * options.pause)
        while ready(iterator) < 2:  # one may still be on its way to the front
            time.sleep(0.001)
        start = time.perf_counter()
        next(iterator)
        took.append(1e6 * (time.perf_counter() - start))
    took = np.array(took[10:])
    print(json.dumps({"batch": options.batch, "mb": round(4 * np.prod(shape) / 1e6, 1),
                      "rounds": options.rounds, "median_us": float(np.median(took)),
                      "p99_us": float(np.percentile(took, 99)), "min_us": float(took.min()),
                      "max_us": float(took.max())}), flush=True)
    iterator.stop()


if __name__ == "__main__":
    main()
