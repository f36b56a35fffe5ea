"""The files of runs that `mcqa serve` shows in a browser: what a run publishes, and what the server finds of it.

Nothing is served but what a run has published by its full path: there is no folder to browse, and no path in an address. The
record of a run is one JSON file in `mcqa serve`'s folder, named by the run's id: `{"exam_m_1.json": "/out/exam_m_1.json"}`.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote
from uuid import UUID

from tasks.evaluation.storage.durable_files import replace_file, write_bytes, write_durably

# Tell the runs of a worker where `mcqa serve` shows files, and where it looks for their records.
URL_VARIABLE, FOLDER_VARIABLE = "MCQA_FILES_URL", "MCQA_FILES_FOLDER"


@dataclass(frozen=True)
class FileService:
    """Where a run publishes its files."""

    url: str
    """The server's address."""
    folder: Path
    """The folder of records."""

    @classmethod
    def find(cls, environment: Mapping[str, str]) -> "FileService | None":
        """Return the service that the environment names; None for a run that no `mcqa serve` has started."""
        url, folder = environment.get(URL_VARIABLE), environment.get(FOLDER_VARIABLE)
        return cls(url, Path(folder)) if url and folder else None

    def publish(self, run_id: UUID, files: Mapping[str, Path]) -> dict[str, str]:
        """Let the server show these files, in place of what the run has published before; return their addresses by kind.

        Raises:
            OSError: the record cannot be written.
        """
        paths = {kind: path.resolve() for kind, path in files.items()}
        record = json.dumps({path.name: str(path) for path in paths.values()}).encode()
        self.folder.mkdir(parents=True, exist_ok=True)
        temporary = self.folder / f".{run_id}.{os.getpid()}"
        write_durably(temporary, lambda file: write_bytes(file, record), replace_file(self.folder / f"{run_id}.json"))
        return {kind: f"{self.url}/{run_id}/{quote(path.name)}" for kind, path in paths.items()}


def find_published(folder: Path, run_id: UUID, name: str) -> Path | None:
    """Return the file that the run has published under this name; None without one, or if the link now leads elsewhere.

    Args:
        folder: the folder of records.
        run_id: the run.
        name: the file's name, compared as a whole.
    """
    try:
        record = json.loads((folder / f"{run_id}.json").read_bytes())
        path = Path(record[name])
        return path if path.resolve() == path else None
    except (OSError, ValueError, KeyError, TypeError):
        return None
