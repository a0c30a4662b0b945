"""A Milvus server that a test or a benchmark starts, kills and starts again; see ``with_milvus.sh``."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

PORT, _HEALTH_PORT = 19530, 9091
_UP_WITHIN_S = 180.0
# Writes the settings, then becomes the server, so that its process is the one that was started.
_LAUNCH = f"""
import os, socket, sys
import milvus

class Config(milvus.MilvusServerConfig):
    # As it is, it takes a port that a killed server had for taken, and another one instead.
    def try_bind_port(self, port):
        return socket.create_server(("127.0.0.1", port))

config = Config(data_dir=sys.argv[1])
config.set("proxy_port", {PORT})
config.resolve()
milvus._initialize_data_files(config.base_data_dir)
binary = os.path.join(config.base_data_dir, "bin", "milvus")
os.chdir(config.base_data_dir)
os.environ.update(DEPLOY_MODE="STANDALONE", METRICS_PORT="{_HEALTH_PORT}")
os.environ["LD_LIBRARY_PATH"] = os.path.dirname(binary)
os.execv(binary, [binary, "run", "standalone"])
"""


class MilvusServer:
    """A standalone server on loopback, whose data outlive it.

    Args:
        data: its folder.

    Raises:
        RuntimeError: not started by ``with_milvus.sh``, so that the network would see it.
    """

    def __init__(self, data: Path) -> None:
        if LAUNCHER is None or [name for _, name in socket.if_nameindex()] != ["lo"]:
            raise RuntimeError("Run this by benchmarks/with_milvus.sh: the server is open to its network.")
        self._python = LAUNCHER
        self.data = data
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> float:
        """Start it, and return how many seconds that took; after a kill it waits for its leases to end."""
        self.data.mkdir(parents=True, exist_ok=True)
        began = time.monotonic()
        with (self.data / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._python, "-c", _LAUNCH, str(self.data)], stdout=log, stderr=log
            )
        while not _is_ready():
            if self._process.poll() is not None or time.monotonic() - began > _UP_WITHIN_S:
                raise RuntimeError(f"The server did not come up: {self.data / 'server.log'}")
            time.sleep(0.2)
        return time.monotonic() - began

    def kill(self) -> None:
        """Kill it, as a power failure would."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            self._process = None

    def held_mb(self) -> float:
        """Return its highest resident set so far."""
        assert self._process is not None
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        (line,) = (line for line in status.splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) / 1024


LAUNCHER = os.environ.get("LANDFALL_MILVUS_SERVER")


def _is_ready() -> bool:
    try:
        # It calls itself healthy before it listens.
        socket.create_connection(("127.0.0.1", PORT), timeout=5).close()
        with urllib.request.urlopen(f"http://127.0.0.1:{_HEALTH_PORT}/healthz", timeout=5) as answer:
            return b"OK" in answer.read()
    except (OSError, urllib.error.URLError):
        return False
