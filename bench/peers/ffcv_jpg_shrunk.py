# SPDX-License-Identifier: Apache-2.0
"""FFCV's `jpg` mode as it is meant: shrunken images, encoded again with its own quality, 90."""
import ffcv_pixels

if __name__ == "__main__":
    ffcv_pixels.main("jpg")
