# SPDX-License-Identifier: Apache-2.0
"""Who runs, and what: one row each. A peer is a script in peers/ and the virtual environment it
needs (see setup.sh); a Millrace row is a config. To add one, add a row; jobs.py has who runs in
which job."""
from dataclasses import dataclass
from pathlib import Path

BENCH = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Reference:
    """What a run is held against, measured right before and right after it."""
    title: str            # in the table
    program: str = "bench_limit"
    letter: str = ""      # in text, of one that rows are multiples of
    says: str = ""        # what it is, after "the bare limit: "
    axis: str = ""        # in the plot


REFERENCES = {
    "full": Reference("L", letter="L", axis="L: decoding alone",
                      says="the same cores doing nothing but decoding the same files fully with "
                           "libjpeg-turbo"),
    "crop": Reference("crop decode alone, libjpeg-turbo"),
    "codec": Reference("crop decode alone, Millrace's codec"),
    "memcpy": Reference("memcpy", "bench_copy_rows", letter="M", axis="M: memcpy alone",
                        says="as many processes on the same cores doing nothing but memcpy of rows "
                             "of the same file, mapped, to memory that they share"),
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
    environment: tuple = ()  # (name, value) of variables
    packed: str = ""  # Millrace: from this packed copy of the data (packed_sets.py); no config: it
                      # is the packing that is timed
    against: str = ""  # a second reference: its time is 1
    workers: int = 0   # another number than the command line's, on as many cores

    @property
    def is_millrace(self):
        return not self.script

    @property
    def is_packing(self):
        return self.is_millrace and not self.config


@dataclass(frozen=True)
class Goal:
    """What is asked of a row: so much of the limit, or of another row, or at most so much."""
    row: str
    asked: float
    over: str = ""       # another row, round by round
    what: str = "ratio"  # or size, reference_time: these at most

    @property
    def at_most(self):
        return self.what != "ratio"


@dataclass(frozen=True)
class Job:
    title: str
    candidates: tuple
    crop: int = 0  # 0: random_resized_crop 224; else a random crop of so many pixels, not resized
    batch: int = 64
    dtype: str = "float32"
    close: float = 0.12  # how far a row's mean and deviation may be from the others'
    references: tuple = ("full",)  # the first: what rows are multiples of
    parts: bool = False  # measure by itself what a producer's work is made of (bench_rows)
    stages: bool = False  # of every row, too (explain --analyze)
    goals: tuple = ()
    rows: int = 0     # so many rows of 1 MiB are the data, and no images

    @property
    def limit(self):
        return self.references[0]


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

FFCV_RAW = peer("ffcv-raw", "FFCV raw (shrunken copy)", "ffcv", "ffcv_raw.py",
                "another, shrunken data set: pixels of at most 256 x 256 in a .beton file, nothing "
                "to decode")
FFCV_JPG = peer("ffcv-jpg-256", "FFCV jpg (shrunken copy)", "ffcv", "ffcv_jpg_shrunk.py",
                "another, shrunken data set: JPEGs of at most 256 x 256, quality 90, in a .beton "
                "file")
PEERS = (
    peer("ffcv", "FFCV (its own file)", "ffcv", "ffcv_jpg.py",
         ".beton file of the same JPEG bytes; area resampling; output stays channels-last"),
    FFCV_RAW,
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


def peers_named(*names):
    return tuple(row for row in PEERS if row.name in names)
