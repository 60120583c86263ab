# SPDX-License-Identifier: Apache-2.0
"""Who runs, and what: one row each. A peer is a script in peers/ and the virtual environment it
needs (see setup.sh); a Millrace row is a config. To add one, add a row; a job is a list of rows."""
import os
from dataclasses import dataclass, replace
from pathlib import Path

BENCH = Path(__file__).resolve().parent.parent

# What a run is held against, measured right before and right after it: bench_limit's --decode, and
# the name in the table.
REFERENCES = {
    "full": "L",
    "crop": "crop decode alone, libjpeg-turbo",
    "codec": "crop decode alone, Millrace's codec",
}


@dataclass(frozen=True)
class Candidate:
    name: str       # on the command line and in the JSON
    title: str      # in the table and the plot
    note: str       # how it does the job, where that is not plain
    venv: str = ""  # peers: the virtual environment
    script: str = ""  # peers: the script
    config: str = ""  # Millrace: the config
    settings: tuple = ()  # Millrace: more --set
    against: str = ""  # a second reference: its time is 1
    workers: int = 0   # another number than the command line's, on as many cores

    @property
    def is_millrace(self):
        return bool(self.config)


@dataclass(frozen=True)
class Job:
    title: str
    candidates: tuple
    crop: int = 0  # 0: random_resized_crop 224; else a random crop of so many pixels, not resized
    batch: int = 64
    dtype: str = "float32"
    close: float = 0.12  # how far a row's mean and deviation may be from the others'
    references: tuple = ("full",)
    parts: bool = False  # measure by itself what a producer's work is made of (bench_rows)


def millrace(name, title, note, config="jpeg_f32.yaml", settings=(), **more):
    return Candidate(name, title, note, config=config, settings=settings, **more)


def peer(name, title, venv, script, note):
    return Candidate(name, title, note, venv=venv, script=script)


OWN = millrace("millrace", "Millrace", "exact pixels; its own JPEG decoder where the file is "
               "plain baseline")
LIBJPEG = millrace("millrace-libjpeg", "Millrace (libjpeg-turbo)", "exact pixels; every file by "
                   "libjpeg-turbo", settings=("decode.engine=libjpeg",))
FAST = millrace("millrace-fast", "Millrace (decode: fast)", "large crops decoded at half or "
                "quarter size: not the exact pixels", settings=("decode.mode=fast",))

PEERS = (
    peer("ffcv", "FFCV (its own file)", "ffcv", "ffcv_jpg.py",
         ".beton file of the same JPEG bytes; area resampling; output stays channels-last"),
    peer("ffcv-raw", "FFCV raw (shrunken copy)", "ffcv", "ffcv_raw.py",
         "another, shrunken data set: pixels of at most 256 x 256 in a .beton file, nothing to "
         "decode"),
    peer("dali", "DALI (CPU)", "dali", "dali_cpu.py",
         "decodes the crop only; antialiased linear; native threads"),
    peer("opencv", "OpenCV + albumentations", "torch", "opencv_albumentations.py",
         "PyTorch DataLoader; linear, no antialias (its default)"),
    peer("torchvision-tensor", "torchvision (tensors)", "torch", "torchvision_tensor.py",
         "PyTorch DataLoader; antialiased bilinear"),
    peer("torchvision-pil", "torchvision (PIL)", "torch", "torchvision_pil.py",
         "PyTorch DataLoader; antialiased bilinear"),
    peer("webdataset", "WebDataset", "torch", "web_dataset.py",
         "tar shards of the same bytes; PyTorch DataLoader; torchvision tensors"),
    peer("grain", "Grain", "grain", "grain_opencv.py",
         "worker processes; brings no image ops: OpenCV + albumentations"),
    peer("tf-data", "tf.data", "tf", "tf_data.py",
         "decode_and_crop_jpeg; bilinear, no antialias (its default); native threads"),
    peer("spdl", "SPDL", "spdl", "spdl_threads.py",
         "threads in one process; FFmpeg decodes, crops and scales"),
    peer("concurrent-buffer", "concurrent-buffer", "concurrentbuffer", "concurrent_buffer.py",
         "fork context; brings no image ops: OpenCV + albumentations"),
)


def large(side):
    """A crop out of large photographs: FFCV raw has none (it stores shrunken copies)."""
    ours = tuple(replace(row, config="large_f32.yaml",
                         settings=(*row.settings, f"ops.0.random_crop.size={side}"))
                 for row in (OWN, LIBJPEG))
    return Job("JPEG photographs of 4 to 18 megapixels -> "
               f"random_crop {side} + flip + normalize -> float32 NCHW", crop=side,
               batch=16, close=0.4,
               candidates=ours + tuple(row for row in PEERS if row.name != "ffcv-raw"))


def scaling():
    """As many producers as cores, for every number of cores that there is."""
    most = len(os.sched_getaffinity(0))
    return Job("the main job with n producers on n cores, L with n processes on the same",
               tuple(replace(OWN, name=f"millrace-{n}", title=f"Millrace, {n} "
                             f"producer{'s' if n > 1 else ''}", workers=n)
                     for n in range(1, most + 1)))


# A job's rows do the same thing to the same files, and are so compared.
JOBS = {
    "jpeg_f32": Job("JPEG files -> random_resized_crop 224 + flip + normalize -> float32 NCHW",
                    (OWN, LIBJPEG, FAST) + PEERS, parts=True),
    "jpeg_u8": Job("JPEG files -> random_resized_crop 224 + flip -> uint8 NHWC",
                   (replace(OWN, config="jpeg_u8.yaml", against="codec"),
                    replace(LIBJPEG, config="jpeg_u8.yaml", against="crop")),
                   dtype="uint8", close=7, references=("full", "crop", "codec")),
    "large_224": large(224),
    "large_512": large(512),
    "scaling": scaling(),
}
