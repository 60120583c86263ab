# SPDX-License-Identifier: Apache-2.0
"""What lies at a path and is no image file, each with what has to come of it."""
import os
import socket

from damaged_case import SAME, Refused


class FileCase:
    """Asked for by its path."""
    data, cut = None, False

    def __init__(self, name, path, expect, intact=None):
        self.name, self.path, self.expect, self.intact = f"file: {name}", path, expect, intact


def special_files(folder):
    """{name: path} of what is no regular file."""
    at = {name: os.path.join(folder, name.replace(" ", "_") + ".jpg")
          for name in ("folder", "FIFO", "socket", "link to itself", "link to nothing",
                       "link to a device", "missing", "name with a line feed\n")}
    os.mkdir(at["folder"])
    os.mkfifo(at["FIFO"])
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(at["socket"])
    listener.close()
    os.symlink(at["link to itself"], at["link to itself"])
    os.symlink("nowhere.jpg", at["link to nothing"])
    os.symlink("/dev/zero", at["link to a device"])
    return at


def file_cases(folder, intact):
    at = special_files(folder)
    for name, pattern in [
        ("folder", "is a folder, not a file$"), ("FIFO", "is a FIFO, not a file$"),
        ("socket", "^cannot open .*: No such device"),
        ("link to itself", "^cannot open .*symbolic links"),
        ("link to nothing", "^there is no file "), ("missing", "^there is no file "),
        ("link to a device", "is a device, not a file$"),
        ("name with a line feed\n", r"^there is no file .*\\n"),
    ]:
        yield FileCase(name.strip(), at[name], Refused(pattern))
    yield FileCase("path of 5,000 bytes", "/x" * 2500, Refused("^cannot open .*too long"))
    for name, content, expect in [
        ("empty", b"", Refused("is empty$")),
        ("one byte 0xff", b"\xff", Refused("^not an image that this build reads")),
        ("one byte 0x89", b"\x89", Refused("^not an image that this build reads")),
        ("one byte 0", b"\0", Refused("^not an image .*nothing but zeros")),
        ("two bytes", b"\xff\xd8", Refused("^not an image that this build reads")),
        ("three bytes", b"\xff\xd8\xff", Refused("^the file ends inside its header$")),
        ("PNG signature alone", b"\x89PNG\r\n\x1a\n", Refused("^the PNG ends inside its header$")),
        ("zeros", bytes(5000), Refused("nothing but zeros")),
        ("text", b"hello\n" * 99, Refused("but text$")),
        ("HTML", b"<!DOCTYPE html><p>404", Refused("but an HTML page")),
        ("GIF", b"GIF89a" + bytes(40), Refused("but a GIF image$")),
        ("LFS pointer", b"version https://git-lfs.github.com/spec/v1\n", Refused("Git LFS")),
        ("whole image under another ending", intact["baseline_420"], SAME),
    ]:
        path = os.path.join(folder, name.replace(" ", "_") + ".dat")
        with open(path, "wb") as f:
            f.write(content)
        yield FileCase(name, path, expect, intact["baseline_420"])
    path = os.path.join(folder, "large.jpg")
    with open(path, "wb") as f:
        f.truncate((1 << 28) + 1)
    yield FileCase("larger than limits.max_file_bytes", path, Refused("limits.max_file_bytes"))
