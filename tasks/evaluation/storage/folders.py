"""Folders whose entries are durable."""

import os
from pathlib import Path


def make_folder(folder: Path) -> None:
    """Make the folder and its missing parents, and make them durable: otherwise an fsynced file could be lost with them."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    sync_folder(folder.parent)


def find_existing(folder: Path) -> Path:
    """Return the folder itself, or the nearest of its parents that exists."""
    return next(path for path in (folder, *folder.parents) if path.exists())


def sync_folder(folder: Path) -> None:
    """Make the folder's entries durable: names that were added, replaced or removed."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
