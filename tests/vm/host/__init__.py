"""What runs on the host: Debian's kernels made ready, and QEMU."""
