# SPDX-License-Identifier: Apache-2.0
"""Who runs: one row each. A peer is a script in peers/ and the virtual environment it needs (see
setup.sh); a Millrace row is a config. To add one, add a row."""
from dataclasses import dataclass
from pathlib import Path

BENCH = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Candidate:
    name: str       # on the command line and in the JSON
    title: str      # in the table and the plot
    note: str       # how it does the job, where that is not plain
    venv: str = ""  # peers: the virtual environment
    script: str = ""  # peers: the script
    config: str = ""  # Millrace: the config
    settings: tuple = ()  # Millrace: more --set

    @property
    def is_millrace(self):
        return bool(self.config)


def millrace(name, title, note, config, *settings):
    return Candidate(name, title, note, config=config, settings=settings)


def peer(name, title, venv, script, note):
    return Candidate(name, title, note, venv=venv, script=script)


PEERS = (
    peer("ffcv", "FFCV (its own file)", "ffcv", "ffcv_jpg.py",
         ".beton file of the same JPEG bytes; area resampling; output stays channels-last"),
    peer("dali", "DALI (CPU)", "dali", "dali_cpu.py",
         "decodes the crop only; antialiased linear; 2 native threads"),
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
         "decode_and_crop_jpeg; bilinear, no antialias (its default); 2 native threads"),
    peer("spdl", "SPDL", "spdl", "spdl_threads.py",
         "threads in one process; FFmpeg decodes, crops and scales"),
    peer("concurrent-buffer", "concurrent-buffer", "concurrentbuffer", "concurrent_buffer.py",
         "fork context; brings no image ops: OpenCV + albumentations"),
)

# A job is a list of rows that do the same thing to the same files, and are so compared.
JOBS = {
    "jpeg_f32": {
        "title": "JPEG files -> random_resized_crop 224 + flip + normalize -> float32 NCHW",
        "size": 224,
        "candidates": (
            millrace("millrace", "Millrace", "exact; antialiased bilinear", "jpeg_f32.yaml"),
        ) + PEERS,
    },
}
