"""The programs of the host that the virtual board needs, and getting them."""

import os
import shutil
import subprocess

# Program and Debian's package.
NEEDED = {
    "qemu-system-aarch64": "qemu-system-arm",
    "qemu-img": "qemu-utils",
    "mmdebstrap": "mmdebstrap",
    "arch-test": "arch-test",
    "mke2fs": "e2fsprogs",
    "cpio": "cpio",
    "modprobe": "kmod",
    "ffmpeg": "ffmpeg",
    "mosquitto_pub": "mosquitto-clients",
}


class ToolsMissing(Exception):
    """Something needed is not there and cannot be installed by us."""


def missing() -> list[str]:
    """Debian's names of the packages whose programs are not found."""
    path = os.environ.get("PATH", os.defpath) + ":/usr/sbin:/sbin"
    return [package for program, package in NEEDED.items() if not shutil.which(program, path=path)]


def install():
    """Installs what is missing; raises `ToolsMissing` where that cannot be done."""
    # A second time, because an emulator of the release makes apt remove tools that
    # were installed from a newer one; then the release's own are to be had.
    for _ in range(2):
        packages = missing()
        if not packages:
            return
        if os.geteuid() != 0 or not shutil.which("apt-get"):
            raise ToolsMissing(
                f"not installed: {' '.join(packages)}; install these (Debian's names) or run as root"
            )
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(["apt-get", "update", "-q"], check=True, env=quiet)
        subprocess.run(
            ["apt-get", "install", "-q", "-y", "--no-install-recommends", *packages],
            check=True,
            env=quiet,
        )
    if missing():
        raise ToolsMissing(f"still not there after having been installed: {' '.join(missing())}")
