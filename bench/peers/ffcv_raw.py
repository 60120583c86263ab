# SPDX-License-Identifier: Apache-2.0
"""FFCV's `raw` mode: pixels, so that nothing is decoded."""
import ffcv_pixels

if __name__ == "__main__":
    ffcv_pixels.main("raw")
