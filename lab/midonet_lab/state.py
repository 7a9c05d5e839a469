"""What the lab remembers about a cloud between commands: one JSON file in the cloud's run folder.

Names of namespaces, mounts and processes are written before or right after the things are made, so whatever a
crash leaves can be removed by the next `up` or `down` of the same cloud.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Iterator

from .cloud import Cloud
from .errors import LabError
from .processes import Process


def run_root() -> Path:
    """The folder above the run folders of all clouds (MIDONET_LAB_RUN overrides it)."""
    return Path(os.environ.get("MIDONET_LAB_RUN", "/run/midonet-lab"))


@dataclass
class State:
    """All the lab knows of one cloud."""

    name: str
    cloud: dict[str, Any]
    phase: str = "building"  # "up" once everything answered
    owner: dict[str, int] | None = None  # the process that will take it down; None: left up on purpose
    namespaces: list[str] = field(default_factory=list)
    mounts: list[str] = field(default_factory=list)
    folders: list[str] = field(default_factory=list)  # outside of the run folder
    processes: dict[str, dict[str, int]] = field(default_factory=dict)  # "api", "agent:h1", "relay:vm1", "zookeeper:1"
    api_url: str = ""
    ids: dict[str, str] = field(default_factory=dict)  # "host:h1", "bridge:red", "port:vm1", "zone" -> uuid

    @property
    def folder(self) -> Path:
        """The run folder of this cloud."""
        return run_root() / self.name

    def process(self, key: str) -> Process | None:
        """The recorded process, alive or not."""
        entry = self.processes.get(key)
        return None if entry is None else Process(**entry)

    def record(self, key: str, process: Process) -> None:
        """Remembers a daemon and saves."""
        self.processes[key] = asdict(process)
        self.save()

    def owned_by_living(self) -> bool:
        """Some living process brought this cloud up and is going to take it down."""
        return self.owner is not None and Process(**self.owner).alive()

    def parsed_cloud(self) -> Cloud:
        """The cloud as it was brought up."""
        return Cloud.from_dict(self.cloud)

    def save(self) -> None:
        """Writes the file in one step: readers see the old or the new one."""
        self.folder.mkdir(parents=True, exist_ok=True)
        temporary = self.folder / "state.json.new"
        temporary.write_text(json.dumps(asdict(self), indent=1), encoding="utf-8")
        temporary.replace(self.folder / "state.json")

    @staticmethod
    def load(name: str) -> "State | None":
        """The recorded state, None when the cloud is not there (or its file does not parse)."""
        try:
            return State(**json.loads((run_root() / name / "state.json").read_text(encoding="utf-8")))
        except (FileNotFoundError, ValueError, TypeError):
            return None


def recorded_clouds() -> list[str]:
    """Names of the clouds that have a run folder."""
    root = run_root()
    return sorted(entry.name for entry in root.iterdir() if entry.is_dir()) if root.is_dir() else []


def pick(name: str | None) -> State:
    """The state of the named cloud, or of the only one there is."""
    names = recorded_clouds()
    if name is None:
        if len(names) != 1:
            found = f"there are several clouds: {', '.join(names)}; name one with --cloud" if names else \
                "no cloud is up; bring one up with: midonet-lab up FILE"
            raise LabError(found)
        name = names[0]
    state = State.load(name)
    if state is None:
        raise LabError(f"there is no cloud '{name}'; there are: {', '.join(names) or 'none'}")
    return state


@contextlib.contextmanager
def locked(name: str) -> Iterator[None]:
    """One builder or remover of a cloud at a time; the kernel drops the lock of a dead one."""
    root = run_root()
    root.mkdir(parents=True, exist_ok=True)
    path = root / f"{name}.lock"
    while True:
        with path.open("w", encoding="ascii") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise LabError(f"another midonet-lab is working on cloud '{name}': wait for it, or stop it") from error
            try:
                if not os.path.samestat(os.fstat(file.fileno()), path.stat()):
                    continue  # its last holder removed the file after we opened it
            except FileNotFoundError:
                continue
            try:
                yield
            finally:
                if not (root / name).exists():
                    path.unlink()  # last thing under the lock: nothing of the cloud is left
            return
